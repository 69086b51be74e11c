import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc16, slotOf } from '../../src/hash-slot.js';

describe('the slot of a key', () => {
  it.each([
    // By CLUSTER KEYSLOT of Redis 7.
    ['123456789', 12_739],
    ['{app:tasks/3}:meta', 12_074],
    ['foo{}{bar}', 8_363],
    ['foo{{bar}}zap', 4_015],
    ['foo{bar}{zap}', 5_061],
    ['', 0],
    ['grün', 14_522],
  ])('of %j is Redis’s own', (key, slot) => {
    expect(slotOf(key)).toBe(slot);
  });

  it('a sum goes on where another ended', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (one, other) => {
        expect(crc16(other, crc16(one))).toBe(crc16(one + other));
      }),
      { numRuns: 50 },
    );
  });
});
