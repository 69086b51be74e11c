/** What do deletes cost among other writes: more than their share? */
import { Client } from '../examples/platform/generated/models.js';
import type { Forebay } from '../src/app/connect.js';
import { record } from '../src/definitions/record.js';
import { defineStores } from '../src/definitions/stores.js';
import type { Bench, BenchContext, BenchResult } from './bench.js';
import { withAppAndWorker } from './in-one-process.js';
import { middle } from './quantile.js';
import { count, textTable } from './text-table.js';
import { issue } from './write-behind/in-flight.js';

export const deletes: Bench = {
  summary: 'writes a second of rows that are there, of which none or a fifth is deleted',
  run,
};

const stores = defineStores({ clients: record({ model: Client }) });
type App = Forebay<(typeof stores)['definitions']>;

const rows = 40_000;
/** Of so many writes one is a delete; 0: none. */
const kinds = { 'puts alone': 0, 'a fifth of them deletes': 5 } as const;
type Kind = keyof typeof kinds;
const names = Object.keys(kinds) as Kind[];
const inFlight = 1_000;
/** In turns; the middle of the ratios counts. */
const rounds = 7;

async function run(context: BenchContext): Promise<BenchResult> {
  return withAppAndWorker(stores, context.place, (app) => carryInTurns(context, app));
}

async function carryInTurns(context: BenchContext, app: App): Promise<BenchResult> {
  const all = Math.ceil(rows * context.scale);
  for (const name of names) await carry(context, app, name, all);
  const speeds: Record<Kind, number[]> = { 'puts alone': [], 'a fifth of them deletes': [] };
  let isCorrect = true;
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      context.progress.step(`${name}, ${round + 1} of ${rounds}`);
      const { perSecond, isRight } = await carry(context, app, name, all);
      speeds[name].push(perSecond);
      isCorrect &&= isRight;
    }
  }
  const ratios = speeds['a fifth of them deletes'].map((one, i) => one / (speeds['puts alone'][i] as number));
  return { page: toPage(speeds, ratios), data: { rows: all, speeds, ratios }, isCorrect };
}

/** Writes each row once. */
async function carry(
  { place: { prisma }, signal }: BenchContext,
  { stores: { clients }, flush }: App,
  kind: Kind,
  all: number,
): Promise<{ perSecond: number; isRight: boolean }> {
  signal.throwIfAborted();
  const every = kinds[kind];
  const isDelete = (at: number): boolean => every > 0 && at % every === 0;
  await prisma.$executeRawUnsafe('TRUNCATE clients CASCADE');
  await prisma.client.createMany({
    data: Array.from({ length: all }, (_, i) => ({ id: `${i}`, name: 'before' })),
  });
  const startedAt = performance.now();
  const call = (at: number): Promise<unknown> =>
    isDelete(at) ? clients.delete(`${at}`) : clients.put({ id: `${at}`, name: 'after' });
  await issue(call, { calls: all, inFlight, onProgress: () => undefined });
  await flush({ timeoutMs: 300_000 });
  const perSecond = Math.round((1_000 * all) / (performance.now() - startedAt));
  const deleted = every > 0 ? Math.ceil(all / every) : 0;
  const [left, written] = await Promise.all([
    prisma.client.count(),
    prisma.client.count({ where: { name: 'after' } }),
  ]);
  return { perSecond, isRight: left === all - deleted && written === left };
}

function toPage(speeds: Readonly<Record<Kind, readonly number[]>>, ratios: readonly number[]): string {
  return [
    '',
    textTable(
      ['', 'writes/s persisted'],
      names.map((name) => [name, count(middle(speeds[name]))]),
    ),
    '',
    `With deletes ${middle(ratios).toFixed(2)} × (the middle of ${ratios.length} rounds in turns, ${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}). Rows that are there, each written once, ${count(inFlight)} writes under way; app and worker in one process.`,
    '',
  ].join('\n');
}
