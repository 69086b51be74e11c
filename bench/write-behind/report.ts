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
    acceptedRatio: ratio(acceptedPerSecond, one, all),
    persistedRatio: ratio(persistedPerSecond, one, all),
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
  '×',
  'persisted/s',
  '×',
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
    ({ contestant, correctness }) => contestant !== 'forebay' && correctness.wrong > 0,
  );
  return [
    'The fastest of 3 runs each. persisted/s: writes per second until the last row was in the database.',
    '×: against the better of job per write’s two modes.',
    `µs: processor time for each write. In flight: ${singleInFlight} single calls, or ${bulkInFlight} of 100 rows.`,
    `forebay: one worker process, its defaults. job per write: ${peer}, the fastest of the calibration.`,
    ...(stale ? ['job per write: workers overtake each other on one row, so an older value can stay.'] : []),
    figures.every(({ contestant, correctness }) => contestant !== 'forebay' || wrongRows(correctness) === 0)
      ? 'forebay: every row in the database is as the last write of it says.'
      : 'forebay: ROWS IN THE DATABASE ARE WRONG.',
  ];
}

function acceptedPerSecond({ workload, acceptedMs }: Measurement): number {
  return (1_000 * workload.writes) / acceptedMs;
}

function ratio(rate: (one: Measurement) => number, one: Measurement, all: readonly Measurement[]): number {
  const peers = all.filter(
    ({ contestant, workload }) =>
      contestant === 'job per write' &&
      workload.kind === one.workload.kind &&
      workload.table === one.workload.table,
  );
  return rounded(rate(one) / Math.max(...peers.map(rate)), 2);
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
