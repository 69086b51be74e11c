import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isRefreshDue } from '../../../../src/cache/reading/refresh-ahead.js';

const lives = fc.record({
  ttlMs: fc.integer({ min: 1, max: 86_400_000 }),
  freshForMs: fc.integer({ min: -1_000, max: 86_400_000 }),
  loadMs: fc.integer({ min: 0, max: 60_000 }),
});

describe('a threshold', () => {
  it('has values computed anew after its share of their life, whatever chance and loads are', () => {
    const shares = fc.double({ min: 0.01, max: 0.99, noNaN: true });
    const chances = fc.double({ min: 0, max: 0.999, noNaN: true });
    fc.assert(
      fc.property(lives, shares, chances, (life, when, chance) => {
        const isInLastPart = life.freshForMs <= life.ttlMs * (1 - when);
        expect(isRefreshDue(when, life, () => chance)).toBe(isInLastPart);
      }),
    );
  });
});

describe('xfetch', () => {
  it('has a value computed anew with the probability e^(−time left / time of its load)', () => {
    const life = { ttlMs: 60_000, freshForMs: 1_000, loadMs: 500 };
    const reads = 20_000;
    let due = 0;
    for (let i = 0; i < reads; i++) if (isRefreshDue('xfetch', life, () => (i + 0.5) / reads)) due += 1;
    expect(due / reads).toBeCloseTo(Math.exp(-2), 3);
  });

  it('is certain once the value is stale, and next to impossible long before', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60_000 }),
        fc.double({ min: 1e-9, max: 0.999, noNaN: true }),
        (loadMs, chance) => {
          expect(isRefreshDue('xfetch', { ttlMs: 1, freshForMs: 0, loadMs }, () => chance)).toBe(true);
          expect(isRefreshDue('xfetch', { ttlMs: 1, freshForMs: 21 * loadMs, loadMs }, () => chance)).toBe(
            false,
          );
        },
      ),
    );
  });

  it('leaves a value alone that does not say what its load took', () => {
    expect(isRefreshDue('xfetch', { ttlMs: 1_000, freshForMs: 1, loadMs: 0 }, () => 1e-300)).toBe(false);
  });
});
