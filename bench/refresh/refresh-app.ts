/** An app that reads at a steady rate, whether or not earlier reads are answered: what users do. */
import { setTimeout as wait } from 'node:timers/promises';
import { createPrisma } from '../../examples/platform/prisma.js';
import { connect, readConfig, requireDatabaseUrl } from '../../src/index.js';
import { serve } from '../serve.js';
import { Keys, lifeSeconds, loadReport, redis, stores, takeLoads } from './reports.js';

export interface RefreshAppHandlers {
  names(): Promise<string[]>;
  /** Reads for a life before it measures, so that all values are there. */
  measure(name: string, pace: Pace): Promise<ReadFigures>;
}

export interface Pace {
  readonly perSecond: number;
  readonly seconds: number;
  readonly keys: number;
}

export interface ReadFigures {
  readonly reads: number;
  readonly loads: number;
  /** From the call to its answer, in ms. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

const tickMs = 1;

const config = readConfig();
const prisma = createPrisma(requireDatabaseUrl(config), { connections: 1, name: 'bench-refresh' });
const app = await connect(stores, { prisma, config });
const { patterns, stores: clients } = app;

/** Ways to read a value, by name. */
const ways: Readonly<Record<string, (id: string) => Promise<string | null>>> = {
  'cache-aside by hand': readByHand,
  'cache-aside': (id) => patterns.cacheAside(Keys.plain(id), () => loadReport(id)),
  'stale while it is computed': (id) =>
    patterns.cacheAsideStale(Keys.plain(`stale-${id}`), () => loadReport(id), lifeSeconds, lifeSeconds),
  'refresh-ahead: threshold 0.8': (id) => clients.byThreshold.get(id),
  'refresh-ahead: XFetch': (id) => clients.byXFetch.get(id),
};

async function readByHand(id: string): Promise<string> {
  const key = `{${config.prefix}}:by-hand:${id}`;
  const cached = await redis.get(key);
  if (cached !== null) return JSON.parse(cached) as string;
  const value = await loadReport(id);
  await redis.set(key, JSON.stringify(value), 'EX', lifeSeconds);
  return value;
}

const handlers: RefreshAppHandlers = {
  names: async () => Object.keys(ways),
  async measure(name, pace) {
    const read = ways[name] as (id: string) => Promise<string | null>;
    await readSteadily(read, { ...pace, seconds: 2 * lifeSeconds });
    await takeLoads();
    const times = (await readSteadily(read, pace)).sort((a, b) => a - b);
    const at = (share: number): number =>
      times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
    return { reads: times.length, loads: await takeLoads(), p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
  },
};

/** Returns what each read took, in ms. */
async function readSteadily(
  read: (id: string) => Promise<string | null>,
  { perSecond, seconds, keys }: Pace,
): Promise<number[]> {
  const times: number[] = [];
  const answered: Promise<void>[] = [];
  const one = async (number: number): Promise<void> => {
    const startedAt = performance.now();
    await read(String(number % keys));
    times.push(performance.now() - startedAt);
  };
  const startedAt = performance.now();
  let issued = 0;
  while (performance.now() - startedAt < 1_000 * seconds) {
    const due = Math.floor(((performance.now() - startedAt) * perSecond) / 1_000);
    for (; issued < due; issued++) answered.push(one(issued));
    await wait(tickMs);
  }
  await Promise.all(answered);
  return times;
}

serve(handlers, async () => {
  redis.disconnect();
  await app.close();
  await prisma.$disconnect();
});
