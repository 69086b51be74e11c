/** The process in which all contestants read, one after the other. */
import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { serve } from '../serve.js';
import { requireVariable } from '../write-behind/variable.js';
import type { Contestant, Reader } from './contestant.js';
import { contestants } from './contestants.js';

export interface ReadAppHandlers {
  names(): Promise<string[]>;
  measure(name: string, amounts: Amounts): Promise<ReadFigures>;
}

/** How much of each is done. */
export interface Amounts {
  readonly memoryReads: number;
  readonly redisReads: number;
  readonly batches: number;
}

export interface ReadFigures {
  /** Awaited one after the other; undefined without a cache in memory. */
  readonly memoryPerSecond?: number;
  /** With 256 under way. */
  readonly redisPerSecond: number;
  /** Values in batches of 100, 8 batches under way. */
  readonly batchPerSecond: number;
  /** Of a cold key, by 1,000 callers each in two processes, as far as they can tell. */
  readonly stampedeLoads: number;
}

const keys = Array.from({ length: 1_000 }, (_, i) => `user:profile:${i}`);
const redisInFlight = 256;
const batchKeys = 100;
const batchesInFlight = 8;
const callers = 1_000;
const coldLoadMs = 100;

/** About 300 bytes as JSON. */
const profileOf = (key: string) => ({
  id: key,
  name: `User of ${key}`,
  email: `${key}@example.com`,
  role: 'MEMBER',
  bio: 'Likes long walks through the source code of queues, and short ones through that of caches.',
  tags: ['a', 'b', 'c'],
  counts: { projects: 3, tasks: 17, overdue: 2 },
  updatedAt: '2026-01-01T00:00:00.000Z',
});
const load = (key: string) => async () => profileOf(key);
const loadMany = async (missing: readonly string[]) => missing.map(profileOf);

const handlers: ReadAppHandlers = {
  names: async () => Object.keys(contestants),
  async measure(name, amounts) {
    const create = contestants[name];
    if (create === undefined) throw new Error(`There is no contestant ${name}.`);
    const contestant = await create({
      redisUrl: requireVariable('REDIS_URL'),
      prefix: `${requireVariable('FOREBAY_PREFIX')}-${name.replace(' ', '-')}`,
      ttlSeconds: 600,
    });
    try {
      return await figures(contestant, amounts);
    } finally {
      await contestant.close();
    }
  },
};

async function figures({ memory, redis, otherRedis }: Contestant, amounts: Amounts): Promise<ReadFigures> {
  for (const key of keys) await redis.read(key, load(key));
  return {
    ...(memory ? { memoryPerSecond: await memoryRate(memory, amounts.memoryReads) } : {}),
    redisPerSecond: await redisRate(redis, amounts.redisReads),
    batchPerSecond: await batchRate(redis, amounts.batches),
    stampedeLoads: await stampede([redis, otherRedis]),
  };
}

async function memoryRate(memory: Reader, reads: number): Promise<number> {
  const loads = keys.map(load);
  const readAll = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      const at = i % keys.length;
      await memory.read(keys[at] as string, loads[at] as () => Promise<unknown>);
    }
  };
  await readAll(20 * keys.length);
  return rate(reads, () => readAll(reads));
}

async function redisRate(redis: Reader, reads: number): Promise<number> {
  let next = 0;
  const one = async (): Promise<void> => {
    while (next < reads) {
      const key = keys[next++ % keys.length] as string;
      await redis.read(key, load(key));
    }
  };
  return rate(reads, () => Promise.all(Array.from({ length: redisInFlight }, one)));
}

async function batchRate(redis: Reader, batches: number): Promise<number> {
  const readBatch = (batch: readonly string[]) =>
    redis.readMany?.(batch, loadMany) ?? Promise.all(batch.map((key) => redis.read(key, load(key))));
  let next = 0;
  const one = async (): Promise<void> => {
    while (next < batches) {
      const start = (next++ * batchKeys) % keys.length;
      await readBatch(keys.slice(start, start + batchKeys));
    }
  };
  return rate(batches * batchKeys, () => Promise.all(Array.from({ length: batchesInFlight }, one)));
}

async function stampede(readers: readonly Reader[]): Promise<number> {
  let loads = 0;
  const key = `user:profile:cold-${randomUUID()}`;
  const cold = async () => {
    loads += 1;
    await wait(coldLoadMs);
    return profileOf(key);
  };
  const reads = readers.flatMap((reader) => Array.from({ length: callers }, () => reader.read(key, cold)));
  await Promise.all(reads);
  return loads;
}

async function rate(count: number, work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return Math.round((1_000 * count) / (performance.now() - startedAt));
}

serve(handlers, async () => undefined);
