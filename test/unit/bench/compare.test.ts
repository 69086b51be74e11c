import { expect, it } from 'vitest';
import { parseBenchArguments } from '../../../bench/arguments.js';
import { figuresOf } from '../../../bench/compare/figures.js';
import { ratiosPage } from '../../../bench/compare/ratios.js';

const result = (persistedPerSecond: number, extra = {}) =>
  figuresOf({
    bench: 'write-behind',
    scale: 1,
    machine: { cores: 2 },
    runs: [
      { contestant: 'forebay', mode: 'bulk', writes: 50_000, persistedPerSecond, cpuMicros: { app: 5 } },
      { contestant: 'job per write', mode: 'bulk', persistedPerSecond: 1_000, ...extra },
    ],
    loads: [{ share: 0.5, put: { p99Ms: 3 } }],
  });

it('figures have the names of what they are of; what is no measure is left out', () => {
  expect([...result(40_000)]).toEqual([
    ['forebay · bulk · persistedPerSecond', 40_000],
    ['forebay · bulk · cpuMicros · app', 5],
    ['job per write · bulk · persistedPerSecond', 1_000],
    ['loads · 1 · put · p99Ms', 3],
  ]);
});

it('a page says the middle of the ratios and their spread, for what both revisions measure', () => {
  const rounds = [40_000, 60_000, 44_000].map((rate) => ({
    name: 'write-behind',
    here: result(rate, { newFigure: 1 }),
    there: result(40_000),
  }));
  const page = ratiosPage('v1', rounds);
  expect(page).toMatch(/forebay · bulk · persistedPerSecond +\| +1\.10 \| 1\.00 to 1\.50 \|/);
  expect(page).not.toContain('newFigure');
});

it.each([
  [['compare'], 'Compare with which revision?'],
  [['compare', 'v1', 'reed'], 'no bench "reed"'],
  [['compare', 'v1', '--rounds', '0'], '--rounds must be 1 to 99, not "0"'],
])('%j is refused', (args, reason) => {
  expect(() => parseBenchArguments(args, ['read', 'write-behind'])).toThrow(reason);
});

it('the benches that are compared, unless some are named, are those of writes and reads', () => {
  expect(parseBenchArguments(['compare', 'v1'], ['read', 'write-behind'])).toEqual({
    revision: 'v1',
    names: ['write-behind', 'read'],
    rounds: 3,
    scale: 1,
  });
});
