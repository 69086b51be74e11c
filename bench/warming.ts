/** What does it bring, after a restart with an empty cache, to warm what was read most; and what does it cost to count the reads? */
import type { Bench, BenchContext, BenchResult } from './bench.js';
import { type Child, withChild } from './child.js';
import { readRequests } from './replay/requests.js';
import { count, textTable } from './text-table.js';
import type { WarmedList, WarmingAppHandlers } from './warming/warming-app.js';

export const warming: Bench = {
  summary:
    'hit rate after a restart: with the hottest values warmed, with a fixed list, and without; cost of counting reads',
  run,
};

const warmedMax = 1_000;
const measured = 10_000;
/** Requests before each restart. */
const restarts = [30_000, 60_000, 85_000];
const perSecond = 1_500;
const memoryReads = 400_000;
const rounds = 3;

interface Restart {
  readonly after: number;
  /** Of the next requests, by what was warmed. */
  readonly hitRates: Readonly<Record<string, number>>;
  readonly warmed: Readonly<Record<string, number>>;
  /** Those of warming and those of the requests that found nothing. */
  readonly queries: Readonly<Record<string, number>>;
}

type App = Child<WarmingAppHandlers>;

async function run({ place, signal, progress, scale, requests }: BenchContext): Promise<BenchResult> {
  const { source, ids } = await readRequests(requests, 1);
  return withChild('warming/warming-app.ts', { env: place.env, signal }, async (app: App) => {
    const results: Restart[] = [];
    let learned = 0;
    for (const after of restarts.filter((at) => at * scale + measured <= ids.length)) {
      const until = Math.ceil(after * scale);
      progress.step(`${source}: ${count(until)} requests, then a restart`);
      await app.ask('learn', ids.slice(learned, until), perSecond);
      learned = until;
      results.push(await restart(app, ids, until));
    }
    progress.step('cost of counting reads');
    const speeds = await memorySpeeds(app, Math.ceil(memoryReads * scale));
    const isBetter = results.every(
      ({ hitRates }) => (hitRates.hottest ?? 0) > (hitRates['a fixed list'] ?? 1),
    );
    return {
      page: toPage(source, results, speeds),
      data: { source, warmedMax, measured, perSecond, restarts: results, memoryReadsPerSecond: speeds },
      isCorrect: isBetter,
    };
  });
}

async function restart(app: App, ids: readonly string[], after: number): Promise<Restart> {
  const next = ids.slice(after, after + measured);
  const lists: Record<string, WarmedList> = {
    nothing: [],
    'by id': [...new Set(ids)].sort().slice(0, warmedMax),
    // What somebody would have written down once.
    'a fixed list': mostFrequent(ids.slice(0, measured)),
    hottest: 'hottest',
  };
  const hitRates: Record<string, number> = {};
  const warmed: Record<string, number> = {};
  const queries: Record<string, number> = {};
  for (const [name, list] of Object.entries(lists)) {
    const figures = await app.ask('measure', list, next);
    hitRates[name] = 1 - figures.loads / next.length;
    warmed[name] = figures.warmed;
    queries[name] = figures.queries;
  }
  return { after, hitRates, warmed, queries };
}

function mostFrequent(ids: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .slice(0, warmedMax)
    .map(([id]) => id);
}

interface Speeds {
  readonly counted: number;
  readonly uncounted: number;
}

/** In turns; other work on the machine only ever slows a run down, so the fastest says most. */
async function memorySpeeds(app: App, reads: number): Promise<Speeds> {
  let [counted, uncounted] = [0, 0];
  for (let round = 0; round < rounds; round++) {
    uncounted = Math.max(uncounted, await app.ask('memoryReads', false, reads));
    counted = Math.max(counted, await app.ask('memoryReads', true, reads));
  }
  return { counted: Math.round(counted), uncounted: Math.round(uncounted) };
}

function toPage(source: string, results: readonly Restart[], { counted, uncounted }: Speeds): string {
  const names = Object.keys(results[0]?.hitRates ?? {});
  const rows = names.map((name) => [
    name,
    ...results.map(
      ({ hitRates, queries }) =>
        `${(100 * (hitRates[name] ?? 0)).toFixed(1)} %, ${count(queries[name] ?? 0)}`,
    ),
  ]);
  const head = ['warmed', ...results.map(({ after }) => `after ${count(after)}`)];
  return [
    '',
    textTable(head, rows),
    '',
    `Hit rate, and queries with those of warming, of the ${count(measured)} requests after a restart with an empty cache (${source}), with ${count(warmedMax)} values warmed.`,
    `Reads of a value in memory: ${count(uncounted)}/s, and ${count(counted)}/s when they are counted.`,
    '',
  ].join('\n');
}
