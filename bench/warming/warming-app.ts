/** An app whose reads are counted, and a warm worker. What is read is a stub: here it matters what is there, not what it costs. */
import { setTimeout as wait } from 'node:timers/promises';
import { QueueEvents } from 'bullmq';
import { Redis } from 'ioredis';
import { createPrisma } from '../../examples/platform/prisma.js';
import {
  cacheKey,
  cacheKeys,
  computed,
  connect,
  defineStores,
  readConfig,
  requireDatabaseUrl,
} from '../../src/index.js';
import { queuePrefix } from '../../src/keys.js';
import { WarmQueue, warmQueueName } from '../../src/queues/warm-queue.js';
import { createLogger, logEvents, WarmService } from '../../src/worker.js';
import { serve } from '../serve.js';
import { issue } from '../write-behind/in-flight.js';
import { requireVariable } from '../write-behind/variable.js';

export interface WarmingAppHandlers {
  /** Reads at a steady rate, counted for what is hottest. */
  learn(ids: readonly string[], perSecond: number): Promise<void>;
  /** With an empty cache, what a list warms, and then reads. */
  measure(list: WarmedList, ids: readonly string[]): Promise<Measured>;
  /** Reads of a value in memory per second. */
  memoryReads(isCounted: boolean, reads: number): Promise<number>;
}

export type WarmedList = 'hottest' | readonly string[];

export interface Measured {
  readonly warmed: number;
  /** Of reads that found nothing. */
  readonly loads: number;
  /** For both: a page of warmed values takes one. */
  readonly queries: number;
}

/** Time is compressed: about 20,000 requests at 1,500 a second. */
export const halfLifeMs = 13_000;
export const warmedMax = 1_000;
const daySeconds = 86_400;
const inFlight = 32;
const stopDeadlineMs = 5_000;

const Keys = cacheKeys('page', { content: cacheKey<string>(daySeconds) });
let loads = 0;
let queries = 0;
let fixed: readonly string[] = [];

async function load(ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  loads += ids.length;
  queries += 1;
  return new Map(ids.map((id) => [id, `page ${id}`]));
}

const shared = { key: Keys.content, load };
const stores = defineStores({
  /** Three stores of the same values. */
  plain: computed(shared),
  hottest: computed({ ...shared, warm: { list: 'hottest', max: warmedMax, loadShare: 1, halfLifeMs } }),
  fixed: computed({
    ...shared,
    warm: {
      max: warmedMax,
      loadShare: 1,
      list: async ({ after, limit }) => {
        const start = after === undefined ? 0 : fixed.indexOf(after) + 1;
        return fixed.slice(start, start + limit);
      },
    },
  }),
});

const config = readConfig();
const prisma = createPrisma(requireDatabaseUrl(config), { connections: 1, name: 'bench-warming' });
const emit = logEvents(createLogger({ name: 'bench-warming', level: config.logLevel }));
const service = new WarmService({ stores, prisma, config, emit });
await service.start();
const redis = new Redis(requireVariable('REDIS_URL'));
const queue = new WarmQueue(redis as never, config.prefix, emit);
const events = new QueueEvents(warmQueueName, {
  connection: { url: requireVariable('REDIS_URL') },
  prefix: queuePrefix(config.prefix),
});
await events.waitUntilReady();

const handlers: WarmingAppHandlers = {
  async learn(ids, perSecond) {
    const app = await connect(stores, { prisma, config });
    const startedAt = performance.now();
    const read = async (at: number): Promise<void> => {
      const dueMs = (1_000 * at) / perSecond - (performance.now() - startedAt);
      if (dueMs > 0) await wait(dueMs);
      await app.stores.hottest.get(ids[at] as string);
    };
    await issue(read, { calls: ids.length, inFlight, onProgress: () => undefined });
    await app.close();
  },
  async measure(list, ids) {
    const app = await connect(stores, { prisma, config });
    await app.cache.invalidatePattern('*');
    fixed = list === 'hottest' ? [] : list;
    queries = 0;
    const job = await queue.add(list === 'hottest' ? 'hottest' : 'fixed');
    const { warmed } = await job.waitUntilFinished(events);
    loads = 0;
    const read = (at: number) => app.stores.plain.get(ids[at] as string);
    await issue(read, { calls: ids.length, inFlight, onProgress: () => undefined });
    await app.close();
    return { warmed, loads, queries };
  },
  async memoryReads(isCounted, reads) {
    const app = await connect(stores, { prisma, config });
    const { [isCounted ? 'hottest' : 'plain']: store } = app.stores;
    for (let i = 0; i < 1_000; i++) await store.get('1');
    const startedAt = performance.now();
    for (let i = 0; i < reads; i++) await store.get('1');
    const perSecond = (1_000 * reads) / (performance.now() - startedAt);
    await app.close();
    return perSecond;
  },
};

serve(handlers, async () => {
  await service.stop(stopDeadlineMs);
  await events.close();
  await queue.close();
  redis.disconnect();
  await prisma.$disconnect();
});
