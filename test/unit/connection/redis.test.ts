/** Errors of Redis, as an app gets them: what was certainly not accepted, what was refused, and what is in doubt. */
import { describe, expect, it, test } from 'vitest';
import { toReadError, toWriteError, writeNotSent } from '../../../src/connection/redis.js';
import { isNotSent } from '../../../src/connection/refusals.js';
import { ForebayError } from '../../../src/errors.js';
import { refusal } from '../definitions/models.js';

const replyError = (message: string): Error => Object.assign(new Error(message), { name: 'ReplyError' });
const named = (name: string, message: string): Error => Object.assign(new Error(message), { name });

/** ioredis's words for a command that it did not send. */
const offline = new Error("Stream isn't writeable and enableOfflineQueue options is false");

describe('a write that was not sent', () => {
  it('is told as such, and can be repeated', () => {
    const error = toWriteError(offline);
    expect(error).toMatchObject({ code: 'REDIS_UNAVAILABLE', retryable: true, cause: offline });
    expect(error.message).toContain('the write was not sent');
    expect(writeNotSent()).toMatchObject({ code: 'REDIS_UNAVAILABLE', retryable: true });
  });

  it('is told by the words of ioredis', () => {
    expect(isNotSent(offline)).toBe(true);
    for (const other of [new Error('Connection is closed.'), replyError('ERR x'), undefined]) {
      expect(isNotSent(other)).toBe(false);
    }
  });
});

describe('a write that Redis refused', () => {
  test.each([
    ['LOADING Redis is loading the dataset in memory', true],
    ["READONLY You can't write against a read only replica.", true],
    ['BUSY Redis is busy running a script.', true],
    ['TRYAGAIN Multiple keys request during rehashing of slot', true],
    ['MASTERDOWN Link with MASTER is down', true],
    ['NOREPLICAS Not enough good replicas to write.', true],
    ['MISCONF Redis is configured to save RDB snapshots, but is currently unable to persist on disk.', true],
    ['CLUSTERDOWN The cluster is down', true],
    ["NOPERM this user has no permissions to run the 'evalsha' command", false],
    ['NOAUTH Authentication required.', false],
    ['WRONGTYPE Operation against a key holding the wrong kind of value', false],
    ['ERR unknown command', false],
  ])('with "%s": later the same call can succeed: %s', (message, retryable) => {
    const cause = replyError(message);
    expect(toWriteError(cause)).toMatchObject({ code: 'REDIS_REFUSED', retryable, cause });
    expect(toWriteError(cause).message).toContain(message);
  });

  test.each([
    "OOM command not allowed when used memory > 'maxmemory'.",
    'OOM allow-oom flag is not set on the script, can not run it when used memory',
    "ERR Error running script: OOM command not allowed when used memory > 'maxmemory'.",
  ])('for its memory has a code of its own, and gets advice on that: "%s"', (message) => {
    const error = toWriteError(replyError(message));
    expect(error).toMatchObject({ code: 'REDIS_OUT_OF_MEMORY', retryable: true });
    expect(error.message).toContain('raise maxmemory');
  });
});

describe('a write in doubt', () => {
  test.each([
    new Error('Connection is closed.'),
    new Error('Command timed out'),
    named('MaxRetriesPerRequestError', 'Reached the max retries per request limit (which is 0).'),
    named('AbortError', 'Command aborted due to connection close'),
    Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }),
  ])('after "%s" is told as such, and must not be repeated blindly', (cause) => {
    const error = toWriteError(cause);
    expect(error).toMatchObject({ code: 'OUTCOME_UNKNOWN', retryable: false, cause });
    expect(error.message).toContain('it may have been accepted');
  });
});

it("forebay's own errors stay as they are", () => {
  const error = new ForebayError('BACKLOG_FULL', 'Full.');
  expect(toWriteError(error)).toBe(error);
});

it('a read that failed can be repeated', () => {
  const cause = new Error('Command timed out');
  expect(toReadError(cause)).toEqual(refusal('REDIS_UNAVAILABLE', 'Command timed out'));
  expect(toReadError(cause)).toMatchObject({ retryable: true, cause });
});
