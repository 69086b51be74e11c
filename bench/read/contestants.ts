/** The contestants, each set up as its documentation says. */
import { type CacheEntry, type Cache as CachifiedCache, cachified, totalTtl } from '@epic-web/cachified';
import { createKeyv } from '@keyv/redis';
import { createCache as createDedupe } from 'async-cache-dedupe';
import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import { redisDriver } from 'bentocache/drivers/redis';
import { createCache as createCacheManager } from 'cache-manager';
import { Redis } from 'ioredis';
import { Keyv } from 'keyv';
import { LRUCache } from 'lru-cache';
import { createPrisma } from '../../examples/platform/prisma.js';
import { connect, defineStores, type Forebay, readConfig, requireDatabaseUrl } from '../../src/index.js';
import type { Contestant, ContestantOptions, Reader } from './contestant.js';

/** More than the keys that are read. */
const entriesMax = 10_000;

type Create = (options: ContestantOptions) => Promise<Contestant> | Contestant;

export const contestants: Readonly<Record<string, Create>> = {
  forebay: createForebay,
  bentocache: createBentocache,
  cachified: createCachified,
  'cache-manager': createManager,
  'async-cache-dedupe': createAsyncCacheDedupe,
  'plain ioredis': createPlain,
};

async function createForebay({ ttlSeconds }: ContestantOptions): Promise<Contestant> {
  const config = readConfig();
  const prisma = createPrisma(requireDatabaseUrl(config), { connections: 1, name: 'bench-read' });
  const open = (cache: { l1?: false }) => connect(defineStores({}), { prisma, config, cache });
  const apps = [await open({}), await open({ l1: false }), await open({ l1: false })] as const;
  const reader = ({ patterns }: Forebay<Record<never, never>>): Reader => ({
    read: (key, load) => patterns.cacheAside(key, load, ttlSeconds),
    readMany: (keys, loadMany) => patterns.batchCacheAside(keys, loadMany, ttlSeconds),
  });
  return {
    name: 'forebay',
    memory: reader(apps[0]),
    redis: reader(apps[1]),
    otherRedis: reader(apps[2]),
    async close() {
      for (const app of apps) await app.close();
      await prisma.$disconnect();
    },
  };
}

function createBentocache({ redisUrl, prefix, ttlSeconds }: ContestantOptions): Contestant {
  const connection = new Redis(redisUrl);
  const ttl = ttlSeconds * 1_000;
  const memory = new BentoCache({
    default: 'cache',
    prefix,
    ttl,
    stores: { cache: bentostore().useL1Layer(memoryDriver({ maxItems: entriesMax })) },
  });
  const redis = () =>
    new BentoCache({
      default: 'cache',
      prefix,
      ttl,
      stores: { cache: bentostore().useL2Layer(redisDriver({ connection })) },
    });
  const reader = (cache: {
    getOrSet(options: { key: string; factory: () => Promise<unknown> }): Promise<unknown>;
  }): Reader => ({
    read: (key, factory) => cache.getOrSet({ key, factory }),
  });
  return {
    name: 'bentocache',
    memory: reader(memory),
    redis: reader(redis()),
    otherRedis: reader(redis()),
    close: async () => connection.disconnect(),
  };
}

function createCachified({ redisUrl, prefix, ttlSeconds }: ContestantOptions): Contestant {
  const connection = new Redis(redisUrl, { enableAutoPipelining: true });
  const lru = new LRUCache<string, CacheEntry>({ max: entriesMax });
  const inMemory: CachifiedCache = {
    get: (key) => lru.get(key),
    set: (key, entry) => lru.set(key, entry, { ttl: totalTtl(entry.metadata) }),
    delete: (key) => lru.delete(key),
  };
  const inRedis: CachifiedCache = {
    get: async (key) => JSON.parse((await connection.get(`${prefix}:${key}`)) ?? 'null'),
    set: (key, entry) =>
      connection.set(`${prefix}:${key}`, JSON.stringify(entry), 'PX', totalTtl(entry.metadata)),
    delete: (key) => connection.del(`${prefix}:${key}`),
  };
  const reader = (cache: CachifiedCache): Reader => ({
    read: (key, getFreshValue) => cachified({ key, cache, ttl: ttlSeconds * 1_000, getFreshValue }),
  });
  return {
    name: 'cachified',
    memory: reader(inMemory),
    redis: reader(inRedis),
    otherRedis: reader({ ...inRedis }),
    close: async () => connection.disconnect(),
  };
}

function createManager({ redisUrl, prefix, ttlSeconds }: ContestantOptions): Contestant {
  const ttl = ttlSeconds * 1_000;
  const stores: Keyv[] = [];
  const reader = (store: Keyv): Reader => {
    stores.push(store);
    const cache = createCacheManager({ stores: [store], ttl });
    return { read: (key, load) => cache.wrap(key, load) };
  };
  const redis = () => createKeyv(redisUrl, { namespace: prefix }) as unknown as Keyv;
  return {
    name: 'cache-manager',
    memory: reader(new Keyv({ store: new LRUCache({ max: entriesMax }) as never })),
    redis: reader(redis()),
    otherRedis: reader(redis()),
    async close() {
      for (const store of stores) await store.disconnect();
    },
  };
}

function createAsyncCacheDedupe({ redisUrl, prefix, ttlSeconds }: ContestantOptions): Contestant {
  const client = new Redis(redisUrl, { enableAutoPipelining: true, keyPrefix: `${prefix}:` });
  const loads = new Map<string, () => Promise<unknown>>();
  const reader = (storage: object): Reader => {
    const cache = createDedupe({ ttl: ttlSeconds, storage: storage as never });
    const defined = cache.define('value', async (key: string) => loads.get(key)?.()) as unknown as {
      value(key: string): Promise<unknown>;
    };
    return {
      read(key, load) {
        loads.set(key, load);
        return defined.value(key);
      },
    };
  };
  const redis = { type: 'redis', options: { client } };
  return {
    name: 'async-cache-dedupe',
    memory: reader({ type: 'memory', options: { size: entriesMax } }),
    redis: reader(redis),
    otherRedis: reader(redis),
    close: async () => client.disconnect(),
  };
}

function createPlain({ redisUrl, prefix, ttlSeconds }: ContestantOptions): Contestant {
  const redis = new Redis(redisUrl, { enableAutoPipelining: true });
  const set = (key: string, value: unknown) =>
    redis.set(`${prefix}:${key}`, JSON.stringify(value), 'EX', ttlSeconds);
  const reader: Reader = {
    async read(key, load) {
      const text = await redis.get(`${prefix}:${key}`);
      if (text !== null) return JSON.parse(text);
      const value = await load();
      await set(key, value);
      return value;
    },
    async readMany(keys, loadMany) {
      const texts = await redis.mget(keys.map((key) => `${prefix}:${key}`));
      const missing = keys.filter((_, i) => texts[i] === null);
      const values = missing.length > 0 ? await loadMany(missing) : [];
      await Promise.all(missing.map((key, i) => set(key, values[i])));
      return keys.map((key, i) => JSON.parse(texts[i] ?? JSON.stringify(values[missing.indexOf(key)])));
    },
  };
  return {
    name: 'plain ioredis',
    redis: reader,
    otherRedis: reader,
    close: async () => redis.disconnect(),
  };
}
