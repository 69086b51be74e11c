/** What Lua answers to each write of a call. */
import { expect, test } from 'vitest';
import { toAccepted } from '../../../src/buffer/step-replies.js';

test.each([
  [0, { version: '1700000000000000' }],
  [3, { version: '1700000000000003' }],
  ['full', { refused: 'full' }],
  ['overflow', { refused: 'overflow' }],
  ['partitions', { refused: 'partitions' }],
  ['conflict 1700000000000000', { refused: 'conflict', found: '1700000000000000' }],
  ['conflict', { refused: 'conflict', found: undefined }],
])('%j means %j', (reply, meaning) => {
  const accepted = toAccepted([1, 'generation', '1700000000000000', reply]);
  expect(accepted).toEqual({ wake: true, generation: 'generation', replies: [meaning] });
});
