/** The last hour as numbers for charts: of all lanes, or of some. */
import type { HistoryMinute } from '../../buffer/flush-history.js';

export interface Series {
  readonly times: readonly Date[];
  /** Rows a second, minute by minute; of the one under way, so far. */
  readonly rows: readonly number[];
  /** A batch from its seal to its acknowledgement, in ms; 0 where there was none. */
  readonly flushMs: readonly number[];
}

const secondsOfMinute = 60;

/** @param isMeant which lanes; default: all @param now in ms since 1970 */
export function seriesOf(
  history: readonly HistoryMinute[],
  isMeant: (lane: string) => boolean = () => true,
  now: number = Date.now(),
): Series {
  const sums = history.map(({ at, lanes }) => {
    const seconds = Math.min(secondsOfMinute, Math.max(1, (now - at.getTime()) / 1_000));
    let [rows, batches, ms] = [0, 0, 0];
    for (const [lane, flushes] of lanes) {
      if (!isMeant(lane)) continue;
      rows += flushes.rows;
      batches += flushes.batches;
      ms += flushes.ms;
    }
    return { at, rows: rows / seconds, flushMs: batches === 0 ? 0 : ms / batches };
  });
  return {
    times: sums.map(({ at }) => at),
    rows: sums.map(({ rows }) => rows),
    flushMs: sums.map(({ flushMs }) => flushMs),
  };
}

/** Of the last two minutes, as the one under way may just have begun. */
export function lately(values: readonly number[]): number {
  const [before = 0, last = 0] = values.slice(-2);
  return last > 0 ? last : before;
}

export function ofGroup(group: string): (lane: string) => boolean {
  return (lane) => lane.startsWith(`${group}/`);
}
