import { describe, expect, it } from 'vitest';
import { parseVerifyArguments } from '../../../verify/arguments.js';
import { planRound, serverFaults, slotFaults } from '../../../verify/faults/plan.js';
import { Random } from '../../../verify/random.js';

const rounds = Array.from({ length: 40 }, (_, nth) => nth + 1);
const plans = (seed: number) => rounds.map((round) => planRound(round, new Random(seed + round)));

describe('the plan of a run', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(plans(1)).toEqual(plans(1));
    expect(plans(1)).not.toEqual(plans(2));
  });

  it('has every kind of fault', () => {
    const kinds = plans(1).flatMap(({ faults }) => faults.map(({ kind }) => kind));
    expect(new Set(kinds)).toEqual(new Set([...slotFaults, ...serverFaults]));
  });

  it('has rounds in which nothing breaks but processes that are killed', () => {
    const kinds = plans(1).flatMap(({ kind, faults }) => (kind === 'kills' ? faults : []));
    expect(new Set(kinds.map(({ kind }) => kind))).toEqual(new Set(['worker killed', 'app killed']));
  });

  it('has Redis killed only where that loses nothing, or where it is said to', () => {
    for (const { kind, fsync, isLossy, faults } of plans(1)) {
      const kinds = faults.map((fault) => fault.kind);
      expect(isLossy).toBe(kind === 'power loss' || kind === 'takeover');
      if (kinds.includes('replica takes over')) expect(isLossy).toBe(true);
      if (kinds.includes('Redis killed')) expect(fsync).toBe('always');
      if (kinds.includes('power loss')) expect(isLossy || fsync === 'always').toBe(true);
    }
  });
});

describe('the command line', () => {
  it('has defaults, and draws a seed', () => {
    expect(parseVerifyArguments([])).toEqual({ minutes: 5, seed: expect.any(Number), folder: undefined });
    expect(parseVerifyArguments(['--minutes', '0.5', '--seed', '7'])).toMatchObject({
      minutes: 0.5,
      seed: 7,
    });
    expect(parseVerifyArguments(['--help'])).toEqual({ help: true });
  });

  it.each([['--minutes', '0'], ['--minutes', 'x'], ['--seed', '1.5'], ['--sed', '1'], ['more']])(
    'refuses %s %s',
    (...args) => {
      expect(() => parseVerifyArguments(args)).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }));
    },
  );
});
