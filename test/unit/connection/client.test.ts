import { expect, it } from 'vitest';
import { retryWaitMs } from '../../../src/connection/client.js';

it('R2 waits 50 ms before it connects again, doubling to 10 s', () => {
  const waits = Array.from({ length: 10 }, (_, i) => retryWaitMs(i + 1));
  expect(waits).toEqual([50, 100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
  expect(retryWaitMs(100_000)).toBe(10_000);
});
