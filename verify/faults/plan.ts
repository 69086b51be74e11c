/** Which faults a round has, when and where: drawn from the seed alone. */

import type { Fsync } from '../place/redis-site.js';
import type { Random } from '../random.js';

export const slotFaults = [
  'worker killed',
  'worker paused',
  'app killed',
  'Redis connections cut',
  'Redis connections slow',
  'Redis connections half-open',
  'Redis answers lost',
  'Postgres connections cut',
  'Postgres connections slow',
  'Postgres connections half-open',
  'Postgres answers lost',
] as const;
export const serverFaults = [
  'Redis restarted',
  'Redis killed',
  'Postgres restarted',
  'Postgres killed',
  'power loss',
  'replica takes over',
] as const;
export type FaultKind = (typeof slotFaults)[number] | (typeof serverFaults)[number];

export interface PlannedFault {
  readonly kind: FaultKind;
  readonly atMs: number;
  /** Which of the processes; taken modulo their number. */
  readonly target: number;
  readonly ms: number;
  readonly isTotal: boolean;
  readonly isCut: boolean;
}

export interface RoundPlan {
  readonly kind: 'everysec' | 'always' | 'power loss' | 'takeover' | 'kills';
  readonly fsync: Fsync;
  readonly isLossy: boolean;
  readonly workMs: number;
  readonly faults: readonly PlannedFault[];
}

const weights: Readonly<Record<(typeof slotFaults)[number], number>> = {
  'worker killed': 5,
  'worker paused': 8,
  'app killed': 2,
  'Redis connections cut': 14,
  'Redis connections slow': 8,
  'Redis connections half-open': 7,
  'Redis answers lost': 10,
  'Postgres connections cut': 14,
  'Postgres connections slow': 8,
  'Postgres connections half-open': 7,
  'Postgres answers lost': 10,
};
/** How long each lasts, in ms. */
const spans: Readonly<Partial<Record<FaultKind, readonly [number, number]>>> = {
  'worker paused': [100, 5_000],
  'Redis connections slow': [300, 2_000],
  'Redis connections half-open': [300, 6_000],
  'Redis answers lost': [5, 150],
  'Postgres connections slow': [300, 2_000],
  'Postgres connections half-open': [300, 6_000],
  'Postgres answers lost': [5, 150],
  'Postgres restarted': [0, 2_000],
  'Postgres killed': [0, 500],
  'replica takes over': [100, 1_200],
};
const firstAtMs = 300;
const gapMs = [20, 260] as const;
const workMs = 20_000;
const lossyWorkMs = 8_000;
/** What a loss is looked at with: the work before it and after it. */
const lossAtMs = [2_500, 5_000] as const;

/** They take turns. */
const kinds: readonly RoundPlan['kind'][] = ['kills', 'everysec', 'takeover', 'always', 'power loss'];

export function planRound(round: number, random: Random): RoundPlan {
  const kind = kinds[round % kinds.length] as RoundPlan['kind'];
  const fsync = kind === 'always' ? 'always' : 'everysec';
  if (kind === 'power loss' || kind === 'takeover') return lossyPlan(kind, random);
  if (kind === 'kills') return killsPlan(random);
  const faults = slotFaultsUntil(workMs, random, Object.entries(weights) as never);
  const server = random.of(
    kind === 'always'
      ? (['Redis killed', 'power loss', 'power loss', 'Postgres killed'] as const)
      : (['Redis restarted', 'Redis restarted', 'Postgres restarted', 'Postgres killed'] as const),
  );
  const atMs = random.integer(3_000, workMs - 6_000);
  return { kind, fsync, isLossy: false, workMs, faults: [...faults, drawn(server, atMs, random)] };
}

/** Only processes are killed, and seldom, so that it shows how soon the others take over. */
function killsPlan(random: Random): RoundPlan {
  const few = [
    ['worker killed', 5],
    ['app killed', 1],
  ] as const;
  const faults = slotFaultsUntil(workMs, random, few, 14);
  return { kind: 'kills', fsync: 'everysec', isLossy: false, workMs, faults };
}

function lossyPlan(kind: 'power loss' | 'takeover', random: Random): RoundPlan {
  const few = [
    ['worker killed', 2],
    ['worker paused', 3],
    ['Postgres connections cut', 5],
    ['Redis connections cut', 3],
  ] as const;
  const faults = slotFaultsUntil(lossyWorkMs, random, few, 4);
  const loss = kind === 'takeover' ? 'replica takes over' : 'power loss';
  return {
    kind,
    fsync: 'everysec',
    isLossy: true,
    workMs: lossyWorkMs,
    faults: [...faults, drawn(loss, random.integer(...lossAtMs), random)],
  };
}

function slotFaultsUntil(
  untilMs: number,
  random: Random,
  kinds: readonly (readonly [FaultKind, number])[],
  gapTimes = 1,
): PlannedFault[] {
  const faults: PlannedFault[] = [];
  for (let atMs = firstAtMs; atMs < untilMs; atMs += random.integer(...gapMs) * gapTimes)
    faults.push(drawn(random.weighted(kinds), atMs, random));
  return faults;
}

function drawn(kind: FaultKind, atMs: number, random: Random): PlannedFault {
  const [min, max] = spans[kind] ?? [0, 0];
  return {
    kind,
    atMs,
    target: random.integer(0, 999),
    // Short ones are more frequent.
    ms: Math.round(min + (max - min) * random.share() ** 2),
    isTotal: random.share() < 0.5,
    isCut: random.share() < 0.5,
  };
}
