/** The one class of errors that forebay throws on purpose. */
import { expect, it, test } from 'vitest';
import { ForebayError, isForebayError, messageOf } from '../../src/errors.js';

it('has a code, and by default cannot be retried and has no cause', () => {
  const error = new ForebayError('CLOSED', 'This client is closed.');
  expect(error).toMatchObject({ name: 'ForebayError', code: 'CLOSED', retryable: false, context: {} });
  expect('cause' in error).toBe(false);
});

it('keeps cause, context and whether it can be retried', () => {
  const cause = new Error('reset');
  const error = new ForebayError('BACKLOG_FULL', 'Full.', {
    cause,
    retryable: true,
    context: { lane: 'a/1' },
  });
  expect(error).toMatchObject({ cause, retryable: true, context: { lane: 'a/1' } });
});

it('is told apart by its code', () => {
  const error = new ForebayError('INVALID_ID', 'Wrong.');
  expect(isForebayError(error)).toBe(true);
  expect(isForebayError(error, 'INVALID_ID')).toBe(true);
  expect(isForebayError(error, 'CLOSED')).toBe(false);
  expect(isForebayError(Object.assign(new Error('x'), { code: 'INVALID_ID' }))).toBe(false);
});

test.each([
  [new Error('broken'), 'broken'],
  [new TypeError(''), 'TypeError'],
  ['text', 'text'],
  [undefined, 'undefined'],
  [null, 'null'],
])('the message of %o is "%s"', (thrown, message) => {
  expect(messageOf(thrown)).toBe(message);
});
