/** What Lua answers to each write of a call. */
import { expect, test } from 'vitest';
import { toWriteReply } from '../../../src/buffer/step-replies.js';

test.each([
  ['1700000000000000', { version: '1700000000000000' }],
  ['full', { refused: 'full' }],
  ['overflow', { refused: 'overflow' }],
  ['conflict 1700000000000000', { refused: 'conflict', found: '1700000000000000' }],
  ['conflict', { refused: 'conflict', found: undefined }],
])('%j means %j', (reply, meaning) => {
  expect(toWriteReply(reply)).toEqual(meaning);
});
