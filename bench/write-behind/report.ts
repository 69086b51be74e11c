/** The measurements as figures for `--json`, and as tables for people. */
import { count, textTable } from '../text-table.js';
import { persistedPerSecond, type Trial } from './calibrate.js';
import { type Correctness, wrongRows } from './check.js';
import { bulkInFlight, singleInFlight } from './contestant.js';
import type { Measurement } from './measure.js';
import { type Workload, workloads } from './workload.js';

export interface Figures {
  readonly contestant: string;
  readonly mode: string;
  readonly table: Workload['table'];
  readonly workload: Workload['kind'];
  /** How many writes this was measured on. */
  readonly writes: number;
  /** Until the last row was in the database. */
  readonly seconds: number;
  readonly acceptedPerSecond: number;
  /** Writes per second until the last row was in the database. */
  readonly persistedPerSecond: number;
  readonly rowsWritten: number;
  readonly writesPerRow: number;
  /** Against the better of job per write's two modes on the same workload. */
  readonly acceptedRatio: number;
  readonly persistedRatio: number;
  /** Writes for each second of a core: of app, workers, Redis, Postgres and whatever else runs. */
  readonly writesPerCoreSecond: number;
  /** Persisted, against the better of the batcher's two modes on the same workload. */
  readonly batcherRatio: number;
  /** Processor time for each write, in µs. */
  readonly cpuMicros: { readonly app: number; readonly workers: number; readonly redis: number };
  readonly correctness: Correctness;
}

export function toFigures(one: Measurement, all: readonly Measurement[]): Figures {
  const { workload, rowsWritten } = one;
  const micros = (ms: number): number => rounded((1_000 * ms) / workload.writes, 1);
  return {
    contestant: one.contestant,
    mode: one.mode,
    table: workload.table,
    workload: workload.kind,
    writes: workload.writes,
    seconds: rounded(one.persistedMs / 1_000, 2),
    acceptedPerSecond: Math.round(acceptedPerSecond(one)),
    persistedPerSecond: Math.round(persistedPerSecond(one)),
    rowsWritten,
    writesPerRow: rounded(workload.writes / rowsWritten, 2),
    acceptedRatio: ratio(acceptedPerSecond, one, ofContestant('job per write', all)),
    persistedRatio: ratio(persistedPerSecond, one, ofContestant('job per write', all)),
    batcherRatio: ratio(persistedPerSecond, one, ofContestant('batcher by hand', all)),
    writesPerCoreSecond: Math.round((1_000 * workload.writes) / one.machineCpuMs),
    cpuMicros: {
      app: micros(one.appCpuMs),
      workers: micros(one.workerCpuMs),
      redis: micros(one.redisCpuMs),
    },
    correctness: one.correctness,
  };
}

export function toPage(measurements: readonly Measurement[], trials: readonly Trial[]): string {
  const figures = measurements.map((one) => toFigures(one, measurements));
  return [
    '',
    ...workloads.flatMap(({ table, kind, title }) =>
      section(
        title,
        figures.filter((one) => one.table === table && one.workload === kind),
      ),
    ),
    ...notes(figures, trials[0] as Trial),
    '',
  ].join('\n');
}

function section(title: string, figures: readonly Figures[]): string[] {
  return [title, '', textTable(head, figures.map(toCells)), ''];
}

const head = [
  '',
  'writes',
  'seconds',
  'accepted/s',
  '× job',
  'persisted/s',
  '× job',
  '× batcher',
  'per core-second',
  'rows written',
  'writes/row',
  'µs: app',
  'workers',
  'Redis',
  'rows wrong',
];

function toCells(one: Figures): string[] {
  return [
    `${one.contestant}: ${one.mode}`,
    count(one.writes),
    one.seconds.toFixed(2),
    count(one.acceptedPerSecond),
    one.acceptedRatio.toFixed(1),
    count(one.persistedPerSecond),
    one.persistedRatio.toFixed(1),
    one.batcherRatio.toFixed(2),
    count(one.writesPerCoreSecond),
    count(one.rowsWritten),
    one.writesPerRow.toFixed(1),
    count(one.cpuMicros.app),
    count(one.cpuMicros.workers),
    count(one.cpuMicros.redis),
    count(wrongRows(one.correctness)),
  ];
}

function notes(figures: readonly Figures[], best: Trial): string[] {
  const peer = `${best.processes} worker ${best.processes === 1 ? 'process' : 'processes'} of concurrency ${best.concurrency}`;
  const stale = figures.some(
    ({ contestant, correctness }) => contestant === 'job per write' && correctness.wrong > 0,
  );
  return [
    'The fastest of 3 runs each. persisted/s: writes per second until the last row was in the database.',
    '×: against the better of the two modes of job per write, or of the batcher by hand, on the same rows.',
    'per core-second: writes persisted for each second of processor time of everything on the machine, Postgres included.',
    `µs: processor time for each write. In flight: ${singleInFlight} single calls, or ${bulkInFlight} of 100 rows.`,
    `forebay: one worker process, its defaults. job per write: ${peer}, the fastest of the calibration.`,
    'batcher by hand: a list of Redis, one worker, batches of 500 by one INSERT … ON CONFLICT of pg. A worker that dies loses the batch in hand,',
    '  a row that is refused loses its batch, nobody reads what waits, nothing bounds the list, a second worker brings back older rows.',
    ...(stale ? ['job per write: workers overtake each other on one row, so an older value can stay.'] : []),
    figures.every(({ contestant, correctness }) => contestant !== 'forebay' || wrongRows(correctness) === 0)
      ? 'forebay: every row in the database is as the last write of it says.'
      : 'forebay: ROWS IN THE DATABASE ARE WRONG.',
  ];
}

function acceptedPerSecond({ workload, acceptedMs }: Measurement): number {
  return (1_000 * workload.writes) / acceptedMs;
}

function ofContestant(name: string, all: readonly Measurement[]): Measurement[] {
  return all.filter(({ contestant }) => contestant === name);
}

function ratio(rate: (one: Measurement) => number, one: Measurement, peers: readonly Measurement[]): number {
  const { kind, table } = one.workload;
  const same = peers.filter(({ workload }) => workload.kind === kind && workload.table === table);
  return rounded(rate(one) / Math.max(...same.map(rate)), 2);
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
