/** How long does a write take, how long until it is in the database, and how much memory does it take until then? */
import type { Bench, BenchContext, BenchResult } from './bench.js';
import { type Child, withChild } from './child.js';
import type { LatencyAppHandlers, PaceFigures } from './latency/latency-app.js';
import { middle } from './quantile.js';
import { count, textTable } from './text-table.js';
import type { ForebayWorkerHandlers } from './write-behind/forebay-worker.js';

export const latency: Bench = {
  summary:
    'the time of a write at a part of what can be persisted, beside a plain SET; time to the database; memory',
  run,
};

const capacityWrites = 60_000;
const shares = [0.1, 0.25, 0.5, 0.9] as const;
/** Of each share, SET and put in turns; the middle of their figures counts. */
const rounds = 5;
const secondsOfRound = 3;
const dirtyRows = 50_000;

interface Load {
  readonly share: number;
  readonly perSecond: number;
  readonly put: PaceFigures;
  readonly set: PaceFigures;
}

type App = Child<LatencyAppHandlers>;

async function run(context: BenchContext): Promise<BenchResult> {
  const { place, signal, progress, scale } = context;
  const options = { env: place.env, signal };
  return withChild('latency/latency-app.ts', options, async (app: App) => {
    progress.step('memory of dirty records');
    const bytesPerRecord = await memoryOf(app, place.redis, Math.ceil(dirtyRows * scale));
    return withChild<ForebayWorkerHandlers, BenchResult>('write-behind/forebay-worker.ts', options, () =>
      withoutRewrites(place.redis, () => measureLoads(app, bytesPerRecord, context)),
    );
  });
}

/** A rewrite of the append-only file takes a core for a second or two: it falls into some rounds, not into others. */
async function withoutRewrites<T>(redis: BenchContext['place']['redis'], use: () => Promise<T>): Promise<T> {
  const setting = 'auto-aof-rewrite-percentage';
  const [, before = '100'] = (await redis.config('GET', setting)) as string[];
  await redis.config('SET', setting, '0');
  try {
    return await use();
  } finally {
    await redis.config('SET', setting, before);
  }
}

async function measureLoads(
  app: App,
  bytesPerRecord: number,
  { progress, scale }: BenchContext,
): Promise<BenchResult> {
  progress.step('what can be persisted');
  const writes = Math.ceil(capacityWrites * scale);
  await app.ask('capacity', writes);
  const perSecond = await app.ask('capacity', writes);
  const loads: Load[] = [];
  for (const share of shares) {
    progress.step(`at ${100 * share} %`);
    loads.push(await paced(app, share, perSecond * share, Math.max(1, secondsOfRound * scale)));
  }
  return {
    page: toPage(perSecond, bytesPerRecord, loads),
    data: { capacityPerSecond: Math.round(perSecond), bytesPerRecord, loads },
    isCorrect: true,
  };
}

async function paced(app: App, share: number, perSecond: number, forSeconds: number): Promise<Load> {
  const sets: PaceFigures[] = [];
  const puts: PaceFigures[] = [];
  for (let round = 0; round < rounds; round++) {
    sets.push(await app.ask('pace', 'SET', perSecond, forSeconds));
    puts.push(await app.ask('pace', 'put', perSecond, forSeconds));
  }
  return { share, perSecond: Math.round(perSecond), put: middleOf(puts), set: middleOf(sets) };
}

function middleOf(figures: readonly PaceFigures[]): PaceFigures {
  const of = (name: keyof PaceFigures): number => middle(figures.map((one) => one[name]));
  return {
    p50Ms: of('p50Ms'),
    p99Ms: of('p99Ms'),
    persistedP50Ms: of('persistedP50Ms'),
    persistedP99Ms: of('persistedP99Ms'),
    refused: of('refused'),
  };
}

async function memoryOf(app: App, redis: BenchContext['place']['redis'], rows: number): Promise<number> {
  const used = async (): Promise<number> => Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
  const before = await used();
  await app.ask('accept', rows);
  return Math.round(((await used()) - before) / rows);
}

function toPage(perSecond: number, bytes: number, loads: readonly Load[]): string {
  const rows = loads.map(({ share, perSecond: rate, put, set }) => [
    `${100 * share} %: ${count(rate)} writes/s`,
    ...[set.p50Ms, set.p99Ms, put.p50Ms, put.p99Ms].map((ms) => ms.toFixed(1)),
    (put.p99Ms / set.p99Ms).toFixed(1),
    ...[put.persistedP50Ms, put.persistedP99Ms].map((ms) => ms.toFixed(0)),
    count(put.refused),
  ]);
  const head = ['', 'SET p50', 'p99', 'put p50', 'p99', '× SET', 'to database p50', 'p99', 'refused'];
  return [
    '',
    textTable(head, rows),
    '',
    `The middle of ${rounds} rounds each. Times in ms, at parts of the ${count(perSecond)} writes/s that can be persisted (one app, one worker). Writes come at a steady rate, answered or not; refused: 20,000 were under way.`,
    `A dirty record of 190 bytes of JSON takes ${count(bytes)} bytes of Redis's memory.`,
    '',
  ].join('\n');
}
