/** What Redis's refusals mean, by their word; the same for reads and writes. */
import { describe, expect, it } from 'vitest';
import { toReadError, toWriteError, writeNotSent } from '../../../src/connection/redis.js';
import { isKeptOut } from '../../../src/connection/refusals.js';

const replyError = (message: string): Error => Object.assign(new Error(message), { name: 'ReplyError' });

/** As plain commands get them, and as scripts pass them on. */
const forms = (message: string): string[] => [
  message,
  `${message} script: 875d98dffb4c07691331ea26822a2db9a623ed53, on @user_script:262.`,
  `ERR ${message} script: 875d98dffb4c07691331ea26822a2db9a623ed53, on @user_script:262.`,
  `ERR Error running script (call to f_875d98): @user_script:12: -${message}`,
];

describe.each([
  ["READONLY You can't write against a read only replica.", 'REDIS_REFUSED', true],
  ['LOADING Redis is loading the dataset in memory', 'REDIS_REFUSED', true],
  ["MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", 'REDIS_REFUSED', true],
  ['CLUSTERDOWN Hash slot not served', 'REDIS_REFUSED', true],
  ['TRYAGAIN Multiple keys request during rehashing of slot', 'REDIS_REFUSED', true],
  ['BUSY Redis is busy running a script. You can only call SCRIPT KILL.', 'REDIS_REFUSED', true],
  ['MISCONF Redis is configured to save RDB snapshots.', 'REDIS_REFUSED', true],
  ["OOM command not allowed when used memory > 'maxmemory'.", 'REDIS_OUT_OF_MEMORY', true],
  ['NOREPLICAS Not enough good replicas to write.', 'REDIS_REFUSED', true],
  ['NOAUTH Authentication required.', 'REDIS_REFUSED', false],
  ['WRONGPASS invalid username-password pair or user is disabled.', 'REDIS_REFUSED', false],
  ["NOPERM this user has no permissions to run the 'evalsha' command", 'REDIS_REFUSED', false],
  ['WRONGTYPE Operation against a key holding the wrong kind of value', 'REDIS_REFUSED', false],
  ['MOVED 866 127.0.0.1:7001', 'REDIS_REFUSED', false],
])('"%s"', (message, code, retryable) => {
  it.each(forms(message))('as "%s" is the same for a read and a write, and says so', (form) => {
    for (const error of [toReadError(replyError(form)), toWriteError(replyError(form))]) {
      expect(error).toMatchObject({ code, retryable });
      expect(error.message).toContain(message.replace(/\.$/, ''));
      expect(error.message).not.toContain('user_script:262');
    }
  });
});

describe('a cluster that redirects for too long', () => {
  it.each([
    'TRYAGAIN Multiple keys request during rehashing of slot',
    'MOVED 866 127.0.0.1:7001',
    'ASK 866 127.0.0.1:7001',
    'CLUSTERDOWN Hash slot not served',
  ])('has executed nothing, so that a write can be repeated: %s', (last) => {
    const error = new Error(`Too many Cluster redirections. Last error: ReplyError: ${last}`);
    expect(toWriteError(error)).toMatchObject({ code: 'REDIS_REFUSED', retryable: true });
    expect(toReadError(error)).toMatchObject({ code: 'REDIS_REFUSED', retryable: true });
  });

  it('may have executed a write where the last connection was closed', () => {
    const error = new Error('Too many Cluster redirections. Last error: Error: Connection is closed.');
    expect(toWriteError(error)).toMatchObject({ code: 'OUTCOME_UNKNOWN' });
  });
});

describe('a connection that is not let in', () => {
  it.each([
    ['NOAUTH Authentication required.', false],
    ['WRONGPASS invalid username-password pair', false],
    ['DENIED Redis is running in protected mode', false],
    ['ERR max number of clients reached', true],
  ])('for "%s" is told with the reason when a write was not sent for it', (message, retryable) => {
    expect(isKeptOut(replyError(message))).toBe(true);
    expect(writeNotSent(replyError(message))).toMatchObject({
      code: 'REDIS_UNAVAILABLE',
      retryable,
      message: expect.stringContaining(message.replace(/\.$/, '')),
    });
  });

  it('is told apart from a command that is refused', () => {
    for (const message of ['READONLY x', 'NOPERM x', 'ERR unknown command']) {
      expect(isKeptOut(replyError(message))).toBe(false);
    }
    expect(isKeptOut(new Error('WRONGPASS'))).toBe(false);
  });
});
