/** Do readers wait for a value that takes long to compute, and how often is it computed? */
import type { Bench, BenchContext, BenchResult } from './bench.js';
import { type Child, withChild } from './child.js';
import type { Pace, ReadFigures, RefreshAppHandlers } from './refresh/refresh-app.js';
import type { RefreshWorkerHandlers } from './refresh/refresh-worker.js';
import { count, textTable } from './text-table.js';

export const refresh: Bench = {
  summary: 'reads of values that take 200 ms to compute and live for 2 s: cache-aside, refresh-ahead, XFetch',
  run,
};

const pace: Pace = { perSecond: 2_000, seconds: 20, keys: 20 };

interface Result extends ReadFigures {
  readonly name: string;
}

async function run({ place, signal, progress, scale }: BenchContext): Promise<BenchResult> {
  const options = { env: place.env, signal };
  const measured = async (app: Child<RefreshAppHandlers>): Promise<BenchResult> => {
    const results: Result[] = [];
    for (const name of await app.ask('names')) {
      progress.step(name);
      const seconds = Math.max(2, pace.seconds * scale);
      results.push({ name, ...(await app.ask('measure', name, { ...pace, seconds })) });
    }
    return { page: toPage(results), data: { pace, runs: results }, isCorrect: true };
  };
  return withChild<RefreshWorkerHandlers, BenchResult>('refresh/refresh-worker.ts', options, () =>
    withChild('refresh/refresh-app.ts', options, measured),
  );
}

function toPage(results: readonly Result[]): string {
  const rows = results.map(({ name, p50Ms, p99Ms, maxMs, loads, reads }) => [
    name,
    ...[p50Ms, p99Ms, maxMs].map((ms) => ms.toFixed(2)),
    count(loads),
    count(reads),
  ]);
  return [
    '',
    textTable(['', 'p50, ms', 'p99, ms', 'longest, ms', 'loads', 'reads'], rows),
    '',
    `${count(pace.perSecond)} reads/s of ${pace.keys} values, answered or not. A value takes 200 ms to compute, and is fresh for 2 s.`,
    '',
  ].join('\n');
}
