/** What a history is made of: each has a mix of its own, so that what is rare in most is common in some. */
import { type Operation, operations } from './app.js';
import type { Random } from './random.js';

const acts = [
  'write',
  'work',
  'job',
  'step',
  'pass',
  'renew',
  'refuse',
  'evict',
  'fault',
  'restart',
] as const;
export type Act = (typeof acts)[number];

export interface Mix {
  readonly acts: Readonly<Record<Act, number>>;
  readonly operations: Readonly<Record<Operation, number>>;
  readonly steps: number;
  readonly workers: number;
  readonly partitions: number;
  readonly hasTenants: boolean;
  readonly ids: readonly string[];
  /** What goes wrong beside pauses and refused rows. */
  readonly canCrash: boolean;
  readonly canFail: boolean;
  readonly failsOnceIn: number;
  /** The rows that others refer to come and go from transaction to transaction. */
  readonly isFlaky: boolean;
  readonly canLose: boolean;
  readonly hasClockSteps: boolean;
}

export function mixOf(random: Random): Mix {
  const weights = <K extends string>(names: readonly K[], choices: readonly number[]): Record<K, number> =>
    Object.fromEntries(names.map((name) => [name, random.of(choices)])) as Record<K, number>;
  const canLose = random.oneIn(3);
  return {
    acts: {
      ...weights(acts, [0, 1, 2]),
      ...weights(['write', 'work'], [3, 6]),
      // Where no job comes by chance, a wake-up that is lost shows.
      job: random.of([0, 3, 6]),
      ...weights(['pass', 'restart'], [1, 2]),
      refuse: random.of([0, 1, 4]),
      ...(canLose && { fault: 2 }),
      step: 15 + random.below(20),
    },
    operations: { ...weights(operations, [0, 1, 1, 3]), put: 1 + random.below(3), add: 1 + random.below(3) },
    steps: 100 + random.below(300),
    workers: random.of([1, 2, 2, 3]),
    partitions: random.of([1, 1, 2]),
    hasTenants: random.oneIn(3),
    ids: random.of([['a'], ['a', 'b'], ['a', 'b'], ['a', 'b', 'c']]),
    canCrash: random.oneIn(2),
    canFail: random.oneIn(2),
    failsOnceIn: random.of([2, 6]),
    isFlaky: random.oneIn(3),
    canLose,
    // After a step back, a number of the history that was lost may come again.
    hasClockSteps: !canLose && random.oneIn(4),
  };
}
