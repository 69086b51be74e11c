/** How the size of batches, and the rest of a lane after one, follow the database. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BatchSize } from '../../../../src/services/write-behind/batch-size.js';

const store = { recordsMax: 1_000, minDelayMs: 0, delayMs: 100 };

const limits = fc.record({
  recordsMax: fc.integer({ min: 1, max: 5_000 }),
  minDelayMs: fc.integer({ min: 0, max: 60_000 }),
  delayMs: fc.integer({ min: 0, max: 60_000 }),
});
const applies = fc.array(fc.tuple(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 0, max: 60_000 })), {
  maxLength: 50,
});

/** A database that takes a time for each batch and one for each record; every batch is full. */
function fullBatches(size: BatchSize, count: number, batchMs: number, recordMs: number): number[] {
  return Array.from({ length: count }, () => {
    const { recordsMax } = size.limits;
    size.applied(recordsMax, batchMs + recordMs * recordsMax);
    return recordsMax;
  });
}

describe('the size of batches', () => {
  it('begins with what the store allows', () => {
    expect(new BatchSize(store).limits).toEqual({ recordsMax: 1_000, delayMs: 0 });
  });

  it('is halved by an apply that takes longer than 250 ms, down to 50', () => {
    const size = new BatchSize(store);
    expect(fullBatches(size, 7, 300, 0)).toEqual([1_000, 500, 250, 125, 62, 50, 50]);
  });

  it('grows by a quarter when a full batch took less than half of that, up to what the store allows', () => {
    const size = new BatchSize(store);
    size.applied(1_000, 300);
    expect(fullBatches(size, 6, 10, 0)).toEqual([500, 625, 782, 978, 1_000, 1_000]);
  });

  it('does not grow by batches that were not full', () => {
    const size = new BatchSize(store);
    size.applied(1_000, 300);
    for (let i = 0; i < 10; i++) size.applied(499, 1);
    expect(size.limits.recordsMax).toBe(500);
  });

  it('is halved once by a slow spell that all lanes feel at once', () => {
    const size = new BatchSize(store);
    for (let lane = 0; lane < 4; lane++) size.applied(1_000, 400);
    expect(size.limits.recordsMax).toBe(500);
  });

  it('never leaves its bounds, and neither does the rest', () => {
    fc.assert(
      fc.property(limits, applies, (own, history) => {
        const size = new BatchSize(own);
        for (const [records, ms] of history) {
          size.applied(records, ms);
          const { recordsMax, delayMs } = size.limits;
          const restMs = size.restMs(records, 0);
          expect(recordsMax).toBeGreaterThanOrEqual(Math.min(50, own.recordsMax));
          expect(recordsMax).toBeLessThanOrEqual(own.recordsMax);
          expect(delayMs).toBeGreaterThanOrEqual(own.minDelayMs);
          expect(delayMs).toBeLessThanOrEqual(own.minDelayMs === 0 ? 0 : own.minDelayMs + own.delayMs);
          expect(restMs).toBeGreaterThanOrEqual(0);
          expect(restMs).toBeLessThanOrEqual(own.delayMs);
        }
      }),
    );
  });

  it('settles, whatever the database costs, within its target where a size can do that', () => {
    const cost = fc.tuple(
      fc.double({ min: 0, max: 100, noNaN: true }),
      fc.double({ min: 0, max: 20, noNaN: true }),
    );
    fc.assert(
      fc.property(limits, applies, cost, (own, history, [batchMs, recordMs]) => {
        const size = new BatchSize(own);
        for (const [records, ms] of history) size.applied(records, ms);
        fullBatches(size, 60, batchMs, recordMs);
        const settled = size.limits.recordsMax;
        expect(new Set(fullBatches(size, 10, batchMs, recordMs))).toEqual(new Set([settled]));
        const isSmallest = settled === Math.min(50, own.recordsMax);
        if (!isSmallest) expect(batchMs + recordMs * settled).toBeLessThanOrEqual(250);
      }),
    );
  });
});

describe('the rest of a lane', () => {
  it.each([
    ['is next to none after a batch of few records', 100, 1, 4, 4, 1],
    ['is longer after a batch of many, for many will come', 100, 200, 4, 5, 7],
    ['is longer where the database is busy', 100, 200, 10, 11, 19],
    ['ends with the store’s delay since the batch was sealed', 100, 500, 40, 45, 55],
    ['is none while the database takes longer than that', 100, 1, 700, 700, 0],
    ['is none for a store without a delay', 0, 1, 40, 40, 0],
  ])('%s', (_, delayMs, records, ms, sealedMs, expected) => {
    const size = new BatchSize({ ...store, delayMs });
    size.applied(records, ms);
    expect(size.restMs(records, sealedMs)).toBe(expected);
  });

  it('is none after a batch that was full: there is more', () => {
    const size = new BatchSize(store);
    size.applied(1_000, 20);
    expect(size.restMs(1_000, 0)).toBe(0);
  });
});
