/** The outcomes as a page for people. */
import { count, textTable } from '../text-table.js';
import type { Latency, Replayed, Speed } from './outcome.js';
import type { Way } from './ways.js';

export interface Outcome {
  readonly way: Way;
  readonly replayed: Replayed & {
    /** That the database was asked. */
    readonly queries: number;
  };
  /** Requests whose pages are all cached; undefined without a cache, where all requests are alike. */
  readonly cached: Speed | undefined;
  /** The same requests, one at a time in one process: what a request takes when nothing is in its way. */
  readonly alone: Latency;
}

export function toTables(outcomes: readonly Outcome[]): string {
  const [without] = outcomes as readonly [Outcome];
  return [
    textTable(
      ['', 'requests/s', '', 'p50', 'p99', 'hit rate', 'of hits: p50', 'p99', '< 5 ms', 'queries', ''],
      outcomes.map((outcome) => replayedRow(outcome, without)),
    ),
    '',
    textTable(
      ['all cached', 'requests/s', '', 'p50', 'p99', 'one at a time: p50', 'p99', 'less time'],
      outcomes.map((outcome) => cachedRow(outcome, without)),
    ),
  ].join('\n');
}

function replayedRow({ way, replayed }: Outcome, without: Outcome): string[] {
  const { hits, queries } = replayed;
  const hitCells =
    hits === undefined ? ['', '', ''] : [ms(hits.p50Ms), ms(hits.p99Ms), percent(hits.under5Ms)];
  return [
    way,
    ...speedCells(replayed, without),
    percent(replayed.hitRate),
    ...hitCells,
    count(queries),
    change(queries / without.replayed.queries),
  ];
}

function cachedRow({ way, cached, alone }: Outcome, without: Outcome): string[] {
  return [
    way,
    ...(cached === undefined ? ['', '', '', ''] : speedCells(cached, without)),
    ms(alone.p50Ms),
    ms(alone.p99Ms),
    change(alone.p50Ms / without.alone.p50Ms),
  ];
}

function speedCells(speed: Speed, without: Outcome): string[] {
  const times = `${(speed.perSecond / without.replayed.perSecond).toFixed(1)} ×`;
  return [count(speed.perSecond), times, ms(speed.p50Ms), ms(speed.p99Ms)];
}

const ms = (value: number): string => value.toFixed(2);
const percent = (part: number): string => `${(100 * part).toFixed(1)} %`;

function change(ratio: number): string {
  if (ratio === 1) return '';
  return `${ratio < 1 ? '−' : '+'}${(100 * Math.abs(1 - ratio)).toFixed(1)} %`;
}
