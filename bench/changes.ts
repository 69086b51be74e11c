/** How long is a row that others changed in the cache still, and what does a change worker cost forebay's own flush? */
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import { connect, type Forebay } from '../src/app/connect.js';
import { readConfig, requireDatabaseUrl } from '../src/config.js';
import { setUpChanges, WriteBehindService } from '../src/worker.js';
import type { Bench, BenchContext, BenchResult } from './bench.js';
import type { ChangeWorkerHandlers, Dropped } from './changes/change-worker.js';
import { stores } from './changes/stores.js';
import { type Child, startChild } from './child.js';
import { middle, quantile } from './quantile.js';
import { count, textTable } from './text-table.js';

export const changes: Bench = {
  summary:
    'ms from the commit of a foreign change to the drop of its entry, and what that costs forebay’s own flush',
  run,
};

/** Of a flush without the worker and one beside it, which of them first in turns; the middle of their ratios counts. */
const flushRounds = 8;
/** Of each, behind one that does not count: then a change worker's code is warm, and it has dropped what it drops at its start. */
const flushesCounted = 5;
/** How much slower the own flush may be beside a change worker. */
const slowerMax = 0.05;
const flushRows = 20_000;
const rowsOfTable = 5_000;
/** Of each load. */
const lagSeconds = 10;
/** Rows of a transaction, and transactions a second. */
const loads = [
  { rows: 1, perSecond: 100 },
  { rows: 10, perSecond: 50 },
  { rows: 100, perSecond: 50 },
] as const;

interface Lag {
  readonly rowsPerSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

interface Site {
  readonly app: Forebay<(typeof stores)['definitions']>;
  /** What the change worker has dropped. */
  readonly dropped: Dropped[];
  /** In a process of its own. */
  readonly changeWorker: Child<ChangeWorkerHandlers>;
  close(): Promise<void>;
}

async function run(context: BenchContext): Promise<BenchResult> {
  const site = await openSite(context);
  try {
    const flushed = await measureFlush(context, site);
    const lags = await measureLags(context, site);
    return {
      page: toPage(lags, flushed, flushRows * context.scale),
      data: { lags, flushed },
      isCorrect: true,
    };
  } finally {
    await site.close();
  }
}

async function openSite({ place: { prisma, env }, signal }: BenchContext): Promise<Site> {
  const config = readConfig(env);
  const databaseUrl = requireDatabaseUrl(config);
  await setUpChanges({ stores, prisma, databaseUrl, prefix: config.prefix });
  const dropped: Dropped[] = [];
  const onReport = (one: Dropped): void => void dropped.push(one);
  const options = { env, signal, onReport };
  const changeWorker = await startChild<ChangeWorkerHandlers, Dropped>('changes/change-worker.ts', options);
  const writer = new WriteBehindService({ stores, prisma, config, emit: () => undefined });
  await writer.start();
  const app = await connect(stores, { prisma, config, cache: { l1: false } });
  return {
    app,
    dropped,
    changeWorker,
    async close() {
      await changeWorker.stop();
      await app.close();
      await writer.stop(5_000);
      await prisma.$executeRawUnsafe(`DROP PUBLICATION "${config.prefix}"`);
    },
  };
}

interface Flushed {
  /** Rows a second, of each round. */
  readonly alone: number;
  readonly beside: number;
}

async function measureFlush({ progress, scale }: BenchContext, site: Site): Promise<Flushed[]> {
  const rows = Math.ceil(flushRows * scale);
  const besideWorker = async (name: string): Promise<number> => {
    await site.changeWorker.ask('follow');
    const rowsPerSecond = await flushSteadily(site, rows, name);
    await site.changeWorker.ask('leave');
    return rowsPerSecond;
  };
  const flushed: Flushed[] = [];
  for (let round = 0; round < flushRounds; round++) {
    progress.step(`own flush, ${round + 1} of ${flushRounds}`);
    const first = round % 2 === 0 ? await flushSteadily(site, rows, `alone ${round}`) : undefined;
    const beside = await besideWorker(`beside ${round}`);
    flushed.push({ alone: first ?? (await flushSteadily(site, rows, `alone ${round}`)), beside });
  }
  return flushed;
}

/** Rows a second. */
async function flushSteadily(site: Site, rows: number, name: string): Promise<number> {
  await flushOnce(site, rows, `${name}, first`);
  const startedAt = performance.now();
  for (let nth = 0; nth < flushesCounted; nth++) await flushOnce(site, rows, `${name}, ${nth}`);
  return ((flushesCounted * rows) / (performance.now() - startedAt)) * 1_000;
}

async function flushOnce({ app }: Site, rows: number, name: string): Promise<void> {
  await app.stores.clients.putMany(Array.from({ length: rows }, (_, i) => ({ id: `${i}`, name })));
  await app.flush();
}

async function measureLags(context: BenchContext, site: Site): Promise<Lag[]> {
  await site.changeWorker.ask('follow');
  const lags: Lag[] = [];
  for (const load of loads) {
    context.progress.step(`${load.rows * load.perSecond} foreign changes/s`);
    site.dropped.length = 0;
    await writeForeign(context, load, lagSeconds * context.scale);
    lags.push(lagOf(site.dropped, load.rows * load.perSecond));
  }
  await site.changeWorker.ask('leave');
  return lags;
}

/** At a steady rate, as far as the machine can. */
async function writeForeign(
  { place: { prisma }, signal }: BenchContext,
  { rows, perSecond }: (typeof loads)[number],
  seconds: number,
): Promise<void> {
  const startedAt = performance.now();
  // No more than the place has connections.
  const limit = pLimit(2);
  const underWay: Promise<unknown>[] = [];
  for (let i = 0; i < perSecond * seconds && !signal.aborted; i++) {
    const ids = Array.from({ length: rows }, () => `'${Math.floor(Math.random() * rowsOfTable)}'`);
    const text = `UPDATE clients SET name = 'foreign ${i}' WHERE id IN (${[...ids].sort().join(', ')})`;
    underWay.push(limit(() => prisma.$executeRawUnsafe(text)));
    const dueAt = startedAt + ((i + 1) / perSecond) * 1_000;
    if (dueAt > performance.now()) await sleep(dueAt - performance.now());
  }
  await Promise.all(underWay);
  await sleep(500);
}

/** Of each transaction, the lag of the first that was dropped with it: none is shorter for that. */
function lagOf(
  dropped: readonly { readonly transactions: number; readonly lagMs: number }[],
  rowsPerSecond: number,
): Lag {
  const lags = dropped.flatMap(({ transactions, lagMs }) =>
    Array.from({ length: transactions }, () => lagMs),
  );
  return { rowsPerSecond, p50: quantile(lags, 0.5), p99: quantile(lags, 0.99), max: quantile(lags, 1) };
}

function toPage(lags: readonly Lag[], flushed: readonly Flushed[], rows: number): string {
  const ratio = middle(flushed.map(({ alone, beside }) => beside / alone));
  const isMet = ratio >= 1 - slowerMax;
  return [
    '',
    textTable(
      ['foreign changes/s', 'p50, ms', 'p99, ms', 'max, ms'],
      lags.map(({ rowsPerSecond, p50, p99, max }) => [count(rowsPerSecond), `${p50}`, `${p99}`, `${max}`]),
    ),
    '',
    `Own writes flushed per second: ${count(middle(flushed.map(({ alone }) => alone)))} without a change worker, ${count(middle(flushed.map(({ beside }) => beside)))} beside one; of a round ${ratio.toFixed(3)} ×.`,
    `At most ${slowerMax * 100} % slower: ${isMet ? 'yes' : 'no'}.`,
    `The middle of ${flushRounds} rounds with ${flushesCounted} flushes of ${count(rows)} rows each; app and write-behind worker in one process, the change worker in another.`,
    '',
  ].join('\n');
}
