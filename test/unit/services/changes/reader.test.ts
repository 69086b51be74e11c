/** What a reader of changes tells of itself when it does not get to its work. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ForebayError } from '../../../../src/errors.js';
import { ChangeReader, type ReaderDependencies } from '../../../../src/services/changes/reader.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function readerThat(check: ReaderDependencies['check'], stop: AbortController): ChangeReader {
  const redis = { on: () => redis, get: async () => null };
  const dependencies = { redis, covered: [], dependents: { facts: [] }, emit: () => undefined };
  return new ChangeReader({ ...dependencies, check, signal: stop.signal } as unknown as ReaderDependencies);
}

const never = (): Promise<never> => new Promise(() => undefined);

it('one whose feed can’t be opened for a minute says so, with the last error', async () => {
  const stop = new AbortController();
  const reader = readerThat(async () => {
    throw new ForebayError('CHANGES_UNAVAILABLE', 'No publication.');
  }, stop);
  const running = reader.run();
  await vi.advanceTimersByTimeAsync(59_000);
  expect(reader.problem()).toBeUndefined();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(reader.problem()).toBe("the feed can't be opened: No publication.");
  stop.abort();
  await running;
});

it('one that waits for Postgres has no problem, whatever failed before', async () => {
  const stop = new AbortController();
  let tries = 0;
  const check = async (): Promise<never> => {
    tries += 1;
    if (tries > 3) return never();
    throw new ForebayError('DATABASE_UNAVAILABLE', 'Away.');
  };
  const reader = readerThat(check, stop);
  void reader.run();
  await vi.advanceTimersByTimeAsync(70_000);
  expect(reader.problem()).toBeUndefined();
});
