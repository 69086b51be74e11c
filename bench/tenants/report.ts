/** The page of the bench. */
import { middle } from '../quantile.js';
import { count, textTable } from '../text-table.js';
import type { PaceFigures, WriteFigures } from './tenants-app.js';

export interface Round {
  readonly others: PaceFigures;
  readonly heavy: WriteFigures;
  /** Processor time of Redis for each accepted write, in µs, the worker's steps included. */
  readonly redisMicros: number;
  readonly isRight: boolean;
}

export interface Measured {
  readonly name: string;
  /** The first situation's is what the others' are compared with. */
  readonly rounds: readonly Round[];
}

export function toPage(all: readonly Measured[]): string {
  const alone = all[0]?.rounds ?? [];
  const head = ['', 'put p50', 'p99', 'to the database p50', 'p99', 'p99 × alone'];
  const refused = ['others refused', 'heavy refused', 'heavy, rows/s', 'Redis, µs'];
  return [
    '',
    textTable(
      [...head, ...refused],
      all.map((one) => rowOf(one, alone)),
    ),
    '',
    `The others' times in ms, from when a write was due until it was accepted, and from then on until its row was in the database; the middle of ${alone.length} rounds in turns. One lane; a worker, an app of theirs and one of the heavy tenant's. Redis's processor time is for each accepted write, refused ones and the worker's steps included.`,
    '',
  ].join('\n');
}

function rowOf({ name, rounds: of }: Measured, alone: readonly Round[]): string[] {
  const middleOf = (figure: 'putP50Ms' | 'putP99Ms' | 'p50Ms' | 'p99Ms') =>
    middle(of.map((round) => round.others[figure]));
  const ratios = of.map((round, i) => round.others.p99Ms / (alone[i]?.others.p99Ms ?? 1));
  const refused = (whose: 'others' | 'heavy') => count(of.reduce((sum, one) => sum + one[whose].refused, 0));
  return [
    name,
    ...[middleOf('putP50Ms'), middleOf('putP99Ms')].map((ms) => ms.toFixed(1)),
    ...[middleOf('p50Ms'), middleOf('p99Ms')].map((ms) => ms.toFixed(0)),
    middle(ratios).toFixed(2),
    refused('others'),
    refused('heavy'),
    count(middle(of.map((round) => round.heavy.perSecond))),
    count(middle(of.map(({ redisMicros }) => redisMicros))),
  ];
}
