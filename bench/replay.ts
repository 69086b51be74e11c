/** What do readers and the database gain from a cache? Requests of a web shop, replayed by two processes with and without one. */
import type { Bench, BenchContext, BenchResult } from './bench.js';
import { type Child, startChild } from './child.js';
import { insertPageRows } from './replay/page-rows.js';
import type { ReplayAppHandlers, ReplayFigures, Way } from './replay/replay-app.js';
import { readRequests } from './replay/requests.js';
import { count, textTable } from './text-table.js';

export const replay: Bench = {
  summary: 'recorded requests answered per second, and the database’s part, with and without a cache',
  run,
};

const processes = 2;
const warmRequests = 5_000;
const ways: readonly Way[] = ['no cache', 'ioredis by hand', 'forebay, without memory', 'forebay'];

interface Outcome {
  readonly way: Way;
  readonly perSecond: number;
  readonly hitRate: number;
  readonly loads: number;
  readonly wrong: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** The same requests again, when all are cached. */
  readonly warmPerSecond: number;
  readonly warmP50Ms: number;
  readonly warmP99Ms: number;
}

async function run({ place, signal, progress, scale, requests: file }: BenchContext): Promise<BenchResult> {
  const { source, ids } = await readRequests(file, scale);
  const different = [...new Set(ids)];
  progress.step(`inserting ${count(different.length)} projects`);
  await insertPageRows(place.prisma, different);
  const apps: Child<ReplayAppHandlers>[] = [];
  try {
    for (let i = 0; i < processes; i++)
      apps.push(await startChild<ReplayAppHandlers>('replay/replay-app.ts', { env: place.env, signal }));
    const outcomes: Outcome[] = [];
    for (const way of ways) {
      progress.step(`${source}: ${way}`);
      outcomes.push(await replayWay(apps, way, ids));
    }
    return {
      page: toPage(source, ids.length, different.length, outcomes),
      data: { source, requests: ids.length, ids: different.length, outcomes },
      isCorrect: outcomes.every(({ wrong }) => wrong === 0),
    };
  } finally {
    await Promise.all(apps.map((app) => app.stop()));
  }
}

/** The processes take requests by turns, as behind a load balancer. */
async function replayWay(
  apps: readonly Child<ReplayAppHandlers>[],
  way: Way,
  ids: readonly string[],
): Promise<Outcome> {
  await Promise.all(apps.map((app) => app.ask('open', way)));
  const shares = apps.map((_, nth) => ids.filter((_, at) => at % apps.length === nth));
  const all = (part: readonly (readonly string[])[]): Promise<ReplayFigures[]> =>
    Promise.all(apps.map((app, nth) => app.ask('replay', part[nth] as string[])));
  const cold = await all(shares);
  return toOutcome(way, cold, await all(shares.map((share) => share.slice(0, warmRequests))));
}

function toOutcome(way: Way, cold: readonly ReplayFigures[], warm: readonly ReplayFigures[]): Outcome {
  const requests = sum(cold, ({ tookMs }) => tookMs.length);
  const loads = sum(cold, (figure) => figure.loads);
  const [coldMs, warmMs] = [cold, warm].map((figures) => sorted(figures.flatMap(({ tookMs }) => tookMs)));
  return {
    way,
    perSecond: rate(cold),
    hitRate: 1 - loads / requests,
    loads,
    wrong: sum([...cold, ...warm], (figure) => figure.wrong),
    p50Ms: share(coldMs as number[], 0.5),
    p99Ms: share(coldMs as number[], 0.99),
    warmPerSecond: rate(warm),
    warmP50Ms: share(warmMs as number[], 0.5),
    warmP99Ms: share(warmMs as number[], 0.99),
  };
}

function rate(figures: readonly ReplayFigures[]): number {
  const startedAt = Math.min(...figures.map((figure) => figure.startedAt));
  const endedAt = Math.max(...figures.map((figure) => figure.endedAt));
  return (1_000 * sum(figures, ({ tookMs }) => tookMs.length)) / (endedAt - startedAt);
}

const sum = (figures: readonly ReplayFigures[], pick: (figure: ReplayFigures) => number): number =>
  figures.reduce((all, one) => all + pick(one), 0);
const sorted = (values: number[]): number[] => values.sort((a, b) => a - b);
const share = (values: readonly number[], part: number): number =>
  values[Math.min(values.length - 1, Math.floor(values.length * part))] ?? 0;

function toPage(source: string, requests: number, ids: number, outcomes: readonly Outcome[]): string {
  const without = outcomes[0] as Outcome;
  const rows = outcomes.map((outcome) => [
    outcome.way,
    count(outcome.perSecond),
    `${(outcome.perSecond / without.perSecond).toFixed(1)} ×`,
    `${(100 * outcome.hitRate).toFixed(1)} %`,
    count(outcome.loads),
    ms(outcome.p50Ms),
    ms(outcome.p99Ms),
    count(outcome.warmPerSecond),
    ms(outcome.warmP50Ms),
    ms(outcome.warmP99Ms),
  ]);
  const head = ['', 'requests/s', '', 'hit rate', 'loads', 'p50', 'p99', 'again/s', 'p50', 'p99'];
  return [
    '',
    textTable(head, rows),
    '',
    `${count(requests)} ${source} of ${count(ids)} pages, two queries a page; ${processes} processes, 32 requests under way in each. Times in ms.`,
    `Again: the first ${count(warmRequests)} requests of each process once more.`,
    '',
  ].join('\n');
}

const ms = (value: number): string => value.toFixed(1);
