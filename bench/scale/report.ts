/** The page of the bench. */
import { count, textTable } from '../text-table.js';
import type { Backlog, Carried, Hot } from './questions.js';

export interface Answers {
  readonly sites: readonly Carried[];
  readonly sizes: readonly Carried[];
  readonly hot: Hot;
  readonly backlog: Backlog;
}

export function toPage({ sites, sizes, hot, backlog }: Answers): string {
  return [
    '',
    'More workers and masters, all on this machine: rows with a column of 40 bytes, 256 puts under way. Processor time of a write, in µs.',
    '',
    carriedTable(['workers', 'masters'], sites, ({ workers, masters }) => [`${workers}`, `${masters}`]),
    '',
    'Larger rows, one worker:',
    '',
    carriedTable(['bytes', 'MB/s'], sizes, (one) => [
      count(one.bytes),
      ((one.bytes * one.persistedPerSecond) / 1e6).toFixed(1),
    ]),
    '',
    `One hot counter: ${count(hot.addsPerSecond)} adds/s. Puts of other rows of its store, 200 a second: p99 ${hot.putP99Ms.beside} ms beside it and ${hot.putP99Ms.alone} ms without; to the database ${hot.persistedP99Ms.beside} and ${hot.persistedP99Ms.alone} ms.`,
    '',
    `A backlog of ${count(backlog.records)} records: ${count(backlog.bytesPerRecord)} bytes of Redis each; drained by one worker at ${count(backlog.drainedPerSecond)} rows/s, and no command took longer than ${backlog.sealMaxMs} ms.`,
    '',
    textTable(
      ['records before', 'put p50, ms', 'p99, ms'],
      backlog.puts.map(({ before, p50Ms, p99Ms }) => [count(before), `${p50Ms}`, `${p99Ms}`]),
    ),
    '',
  ].join('\n');
}

function carriedTable(
  head: readonly string[],
  carried: readonly Carried[],
  begin: (one: Carried) => readonly string[],
): string {
  return textTable(
    [...head, 'accepted/s', 'persisted/s', 'put p99, ms', 'app', 'Redis', 'workers', 'Postgres'],
    carried.map((one) => [
      ...begin(one),
      count(one.acceptedPerSecond),
      count(one.persistedPerSecond),
      `${one.putP99Ms}`,
      ...[one.micros.app, one.micros.redis, one.micros.workers, one.micros.postgres].map(
        (micros) => `${micros ?? '–'}`,
      ),
    ]),
  );
}
