/** Where does the time of a write go? By part, in µs, and as a flame graph of each process. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Redis } from 'ioredis';
import type { Bench, BenchContext, BenchResult } from './bench.js';
import { type Child, withChild } from './child.js';
import type { ProfiledHandlers } from './profile/cpu-profile.js';
import { flameGraph } from './profile/flame-graph.js';
import { type Parts, partsOf, partsTable } from './profile/parts.js';
import type { Mode } from './write-behind/contestant.js';
import type { ForebayAppHandlers } from './write-behind/forebay-app.js';
import type { ForebayWorkerHandlers } from './write-behind/forebay-worker.js';
import type { Workload } from './write-behind/workload.js';

export const profile: Bench = {
  summary:
    'where the time of a write goes: µs by part of app, worker and Redis; flame graphs in dist/profile',
  run,
};

const folder = path.resolve(import.meta.dirname, '../dist/profile');
const writes = 100_000;
const warmUpWrites = 10_000;
const modes = { single: 'put', bulk: 'putMany, 100 rows' } as const;

type App = Child<ForebayAppHandlers & ProfiledHandlers>;
type Worker = Child<ForebayWorkerHandlers & ProfiledHandlers>;

async function run(context: BenchContext): Promise<BenchResult> {
  const options = { env: context.place.env, signal: context.signal };
  await mkdir(folder, { recursive: true });
  return withChild('write-behind/forebay-worker.ts', options, (worker: Worker) =>
    withChild('write-behind/forebay-app.ts', options, (app: App) => profileBoth(app, worker, context)),
  );
}

async function profileBoth(app: App, worker: Worker, context: BenchContext): Promise<BenchResult> {
  await carried(app, { table: 'clients', kind: 'distinct', writes: warmUpWrites }, 'bulk');
  const pages: string[] = [];
  const data: Record<string, unknown> = {};
  for (const mode of ['single', 'bulk'] as const) {
    context.progress.step(`${modes[mode]}, distinct rows of 5 columns`);
    const parts = Object.entries(await profileOf(app, worker, mode, context));
    pages.push(`\n${modes[mode]}\n`, ...parts.map(([where, of]) => `${partsTable(where, of)}\n`));
    data[mode] = Object.fromEntries(parts.map(([where, of]) => [where, Object.fromEntries(of)]));
  }
  return { page: [...pages, ...notes].join('\n'), data, isCorrect: true };
}

const notes = [
  'Distinct rows of 5 columns, persisted. What a script of Redis calls is counted in its `evalsha` and by its own name.',
  `Flame graphs: ${folder}`,
];

async function profileOf(
  app: App,
  worker: Worker,
  mode: Mode,
  { place, scale }: BenchContext,
): Promise<Record<'app' | 'worker' | 'Redis', Parts>> {
  await place.prisma.$executeRawUnsafe('TRUNCATE clients CASCADE');
  await place.redis.config('RESETSTAT');
  const workload = { table: 'clients', kind: 'distinct', writes: Math.ceil(writes * scale) } as const;
  await Promise.all([app.ask('startProfile'), worker.ask('startProfile')]);
  await carried(app, workload, mode);
  const [ofApp, ofWorker] = await Promise.all([app.ask('stopProfile'), worker.ask('stopProfile')]);
  const redis = await commandMicros(place.redis, workload.writes);
  for (const [where, one] of Object.entries({ app: ofApp, worker: ofWorker }))
    await writeFile(path.join(folder, `${where}-${mode}.svg`), flameGraph(`${where}: ${modes[mode]}`, one));
  return {
    app: partsOf(ofApp, workload.writes),
    worker: partsOf(ofWorker, workload.writes),
    Redis: redis,
  };
}

async function carried(app: App, workload: Workload, mode: Mode): Promise<void> {
  await app.ask('write', workload, mode);
  await app.ask('drain');
}

/** By command, since the statistics were reset. */
async function commandMicros(redis: Redis, count: number): Promise<Parts> {
  const info = await redis.info('commandstats');
  const lines = [...info.matchAll(/^cmdstat_([^:]+):.*?usec=(\d+)/gm)];
  const micros = lines.map(([, name = '', usec]): [string, number] => [name, Number(usec) / count]);
  return new Map(micros.sort(([, one], [, other]) => other - one));
}
