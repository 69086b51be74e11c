/** When a batch that could not be applied is tried again. */
import fc from 'fast-check';
import { expect, it, test } from 'vitest';
import { jittered, RetryLater, retryMsOf, retryWaits } from '../../../../src/services/role/retry.js';

it('a wait is between half of itself and itself', () => {
  const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10_000 }), chance, (ms, random) => {
      const wait = jittered(ms, () => random);
      expect(Number.isInteger(wait) && wait >= Math.floor(ms / 2) && wait <= ms).toBe(true);
    }),
  );
});

it('two waits differ by themselves', () => {
  expect(new Set(Array.from({ length: 50 }, () => jittered(10_000))).size).toBeGreaterThan(40);
});

test.each(Object.entries(retryWaits))('waits for %s begin above nothing and end within 10 s', (_, wait) => {
  expect(wait.firstMs).toBeGreaterThan(0);
  expect(wait.maxMs).toBeGreaterThanOrEqual(wait.firstMs);
  expect(wait.maxMs).toBeLessThanOrEqual(10_000);
});

it('a batch that is to be tried later says why, when, and what the database said', () => {
  const cause = new Error('no such parent');
  const later = new RetryLater('not-yet', 40, cause);
  expect(later).toMatchObject({ name: 'RetryLater', retryMs: 40, cause });
  expect(later.message).toBe('not-yet: no such parent (next try in 40 ms)');
  expect(retryMsOf(later)).toBe(40);
});

it('a job that ended in another way is started again after a second', () => {
  for (const error of [new Error('x'), undefined, { retryMs: 5 }]) expect(retryMsOf(error)).toBe(1_000);
});
