/** What do readers and the database gain from a cache? Requests of a web shop, replayed by two processes with and without one. */
import type { Bench, BenchContext, BenchResult } from './bench.js';
import { type Child, startChild } from './child.js';
import { countQueries } from './replay/database-queries.js';
import { toLatency, toReplayed, toSpeed } from './replay/outcome.js';
import { insertPageRows } from './replay/page-rows.js';
import type { ReplayAppHandlers } from './replay/replay-app.js';
import { type Outcome, toTables } from './replay/report.js';
import { type Requests, readRequests } from './replay/requests.js';
import type { Way } from './replay/ways.js';
import { count } from './text-table.js';

export const replay: Bench = {
  summary: 'recorded requests answered per second, and the database’s part, with and without a cache',
  run,
};

type App = Child<ReplayAppHandlers>;

const processes = 2;
/** In each process. */
const inFlight = 32;
/** Of each process, once more when all are cached. */
const cachedRequests = 20_000;
const aloneRequests = 2_000;
/** Other work on the machine only ever slows a run down, so the fastest says most. */
const rounds = 2;
/** The first is what the others are compared with. */
const ways: readonly Way[] = ['no cache', 'ioredis by hand', 'forebay, without memory', 'forebay'];

interface Run {
  readonly outcome: Outcome;
  /** Pages that were not what the database has. */
  readonly wrong: number;
}

async function run(context: BenchContext): Promise<BenchResult> {
  const { place, signal, progress, scale, requests: file } = context;
  const requests = await readRequests(file, scale);
  const different = [...new Set(requests.ids)];
  progress.step(`inserting ${count(different.length)} projects`);
  await insertPageRows(place.prisma, different);
  const apps: App[] = [];
  try {
    for (let i = 0; i < processes; i++)
      apps.push(await startChild<ReplayAppHandlers>('replay/replay-app.ts', { env: place.env, signal }));
    return toResult(requests, different.length, await runAll(apps, requests, context));
  } finally {
    await Promise.all(apps.map((app) => app.stop()));
  }
}

/** In turns, so that a slow time of the machine meets all. */
async function runAll(
  apps: readonly App[],
  { source, ids }: Requests,
  { place, progress }: BenchContext,
): Promise<Run[]> {
  const runs: Run[] = [];
  for (let round = 1; round <= rounds; round++) {
    for (const way of ways) {
      progress.step(`${source}: ${way}, ${round} of ${rounds}`);
      await Promise.all(apps.map((app) => app.ask('open', way, round)));
      runs.push(await runWay(apps, way, ids, () => countQueries(place.prisma)));
      await Promise.all(apps.map((app) => app.ask('close')));
    }
  }
  return runs;
}

async function runWay(
  apps: readonly App[],
  way: Way,
  ids: readonly string[],
  countNow: () => Promise<number>,
): Promise<Run> {
  // The processes take requests by turns, as behind a load balancer.
  const shares = apps.map((_, nth) => ids.filter((_, at) => at % apps.length === nth));
  await Promise.all(apps.map((app) => app.ask('leaveDatabase')));
  const queriesBefore = await countNow();
  const answers = await replayAll(apps, shares);
  await Promise.all(apps.map((app) => app.ask('leaveDatabase')));
  const replayed = { ...toReplayed(shares, answers), queries: (await countNow()) - queriesBefore };

  const hasCache = way !== 'no cache';
  const again = hasCache
    ? await replayAll(
        apps,
        shares.map((share) => share.slice(0, cachedRequests)),
      )
    : [];
  const alone = await (apps[0] as App).ask('replay', (shares[0] as string[]).slice(0, aloneRequests), 1);
  const wrong = [...answers, ...again, alone].reduce((sum, one) => sum + one.wrong, 0);
  return {
    outcome: { way, replayed, cached: hasCache ? toSpeed(again) : undefined, alone: toLatency(alone.tookMs) },
    wrong: wrong + (hasCache ? await checkAll(apps, [...new Set(ids)]) : 0),
  };
}

function replayAll(apps: readonly App[], shares: readonly (readonly string[])[]) {
  return Promise.all(apps.map((app, nth) => app.ask('replay', shares[nth] ?? [], inFlight)));
}

async function checkAll(apps: readonly App[], ids: readonly string[]): Promise<number> {
  const wrong = await Promise.all(apps.map((app) => app.ask('check', ids)));
  return wrong.reduce((sum, one) => sum + one, 0);
}

function toResult({ source, ids }: Requests, different: number, runs: readonly Run[]): BenchResult {
  const outcomes = ways.map((way) =>
    runs
      .map(({ outcome }) => outcome)
      .filter((outcome) => outcome.way === way)
      .reduce(fastest),
  );
  const wrong = runs.reduce((sum, one) => sum + one.wrong, 0);
  return {
    page: toPage(source, ids.length, different, outcomes, wrong),
    data: { source, requests: ids.length, ids: different, processes, inFlight, rounds, wrong, outcomes },
    isCorrect: wrong === 0,
  };
}

/** Of each part by itself: what disturbed one has not disturbed the other. */
function fastest(one: Outcome, other: Outcome): Outcome {
  const isBetter = (a?: { perSecond: number }, b?: { perSecond: number }): boolean =>
    (a?.perSecond ?? 0) >= (b?.perSecond ?? 0);
  return {
    way: one.way,
    replayed: isBetter(one.replayed, other.replayed) ? one.replayed : other.replayed,
    cached: isBetter(one.cached, other.cached) ? one.cached : other.cached,
    alone: one.alone.p50Ms <= other.alone.p50Ms ? one.alone : other.alone,
  };
}

function toPage(
  source: string,
  requests: number,
  ids: number,
  outcomes: readonly Outcome[],
  wrong: number,
): string {
  return [
    '',
    toTables(outcomes),
    '',
    `${count(requests)} ${source} of ${count(ids)} pages, four queries a page; ${processes} processes, ${inFlight} requests under way in each.`,
    `The fastest of ${rounds} runs each; times in ms. Hits: pages that were cached when their request came. Queries: by Postgres's own count.`,
    `All cached: the first requests of each process once more, at most ${count(cachedRequests)}. One at a time: at most ${count(aloneRequests)} in one process.`,
    wrong === 0
      ? 'Every cached page, as each process reads it, is what the database has.'
      : `WRONG: ${count(wrong)} pages were not what the database has.`,
    '',
  ].join('\n');
}
