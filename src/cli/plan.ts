/** `forebay plan`: what a load takes of each part. */
import { optionBounds } from '../definitions/store-problems.js';
import { fullFirst, type Load, type Plan, planOf } from '../operations/plan.js';
import type { Io } from './command.js';
import { table } from './table.js';

export interface PlanOptions {
  readonly isJson: boolean;
}

export function plan(load: Load, io: Io, { isJson }: PlanOptions): void {
  const made = planOf(load);
  const shown = { load, ...made, fullFirst: fullFirst(made) };
  io.out.write(isJson ? `${JSON.stringify(shown)}\n` : text(load, made));
}

function text(load: Load, made: Plan): string {
  const { app, redis, worker, postgres, partitions, backlogBytes, dirtyMax, dirtyBytesMax } = made;
  const cores = ({ cores }: { cores: number }) => (cores < 0.1 ? cores.toFixed(2) : cores.toFixed(1));
  const rows = [
    ['part', 'busy cores', 'take'],
    ['app', cores(app), app.count === 1 ? '1 process' : `${app.count} processes`],
    ['Redis', cores(redis), redis.count === 1 ? '1 server' : `a cluster of ${redis.count} masters`],
    ['workers', cores(worker), `${worker.count} processes`],
    [
      'Postgres',
      cores(postgres),
      `${postgres.count} ${postgres.count === 1 ? 'core' : 'cores'}, for rows with one index besides the id`,
    ],
  ];
  return [
    `${count(load.writesPerSecond)} writes/s of ${count(load.rowBytes)} bytes, ${load.writesPerRow} for each row that is flushed, in ${load.stores === 1 ? 'one store' : `${load.stores} stores`}:`,
    '',
    table(rows),
    `Full first: ${fullWords[fullFirst(made)]}.`,
    `partitions: ${partitions} for each store.`,
    `While Postgres is away for ${count(load.outageMs / 1_000)} s: ${bytes(backlogBytes)} of Redis; dirtyMax ${count(dirtyMax)} and dirtyBytesMax ${count(dirtyBytesMax)} at least${isTooMuch(made) ? ', more than a lane can be given: plan a shorter outage, or more stores' : ''}.`,
    `The append-only file grows by ${bytes(made.fileBytesPerSecond)} a second, until it is rewritten.`,
    '',
    'An estimate: processor times of another machine may be half or twice as large. Measured: npm run bench -- scale; see docs/scale.md.',
    '',
  ].join('\n');
}

function isTooMuch({ dirtyMax, dirtyBytesMax }: Plan): boolean {
  return dirtyMax > optionBounds.dirtyMax[1] || dirtyBytesMax > optionBounds.dirtyBytesMax[1];
}

const fullWords = {
  app: "an app's event loop: calls take longer, then TOO_MANY_WRITES",
  redis: 'a Redis master: all lanes on it wait for each other',
  worker: "a worker's event loop: its lanes grow older",
} as const;

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const count = (value: number): string => whole.format(value);

const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];

function bytes(value: number): string {
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, value)) / 3));
  return `${(value / 1_000 ** power).toPrecision(3)} ${units[power]}`;
}
