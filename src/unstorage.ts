/**
 * `forebay/unstorage`: a driver for unstorage, and so for Nitro's and Nuxt's storage:
 * `createStorage({ driver: forebayDriver(app) })`. Items are values of `app.cache`: shared by all processes,
 * and in memory where they are read often.
 */
import type { Driver, StorageValue, TransactionOptions } from 'unstorage';
import { type CacheClient, keysStartingWith, longestTtlSeconds, startingWith } from './neighbours/entries.js';

export type { CacheService } from './cache/cache-service.js';
export type { CacheClient } from './neighbours/entries.js';

/** How a driver keeps items. */
export interface ForebayDriverOptions {
  /** What its keys begin with in the cache. Default 'unstorage'. */
  readonly base?: string;
  /** Life of an item that is set without a `ttl`, in seconds. Default: the longest, ten years. */
  readonly ttl?: number;
}

/** A driver for unstorage. The client stays yours: `dispose` leaves it open. */
export function forebayDriver(client: CacheClient, options: ForebayDriverOptions = {}): Driver {
  const { base = 'unstorage', ttl = longestTtlSeconds } = options;
  const { cache } = client;
  const start = `${base}:`;
  // Of the whole storage, unstorage gives no base.
  const keyOf = (key: string | undefined): string => start + (key ?? '');
  const ttlOf = ({ ttl: own }: TransactionOptions = {}): number => (typeof own === 'number' ? own : ttl);
  return {
    name: 'forebay',
    options,
    flags: { ttl: true },
    hasItem: (key) => cache.exists(keyOf(key)),
    getItem: (key) => cache.get<StorageValue>(keyOf(key)),
    async getItems(items) {
      const values = await cache.mget<StorageValue>(items.map(({ key }) => keyOf(key)));
      return items.map(({ key }, i) => ({ key, value: values[i] ?? null }));
    },
    setItem: (key, value, own) => cache.set(keyOf(key), value, ttlOf(own)),
    setItems: (items, common) =>
      cache.mset(
        items.map(({ key, value, options: own }) => ({
          key: keyOf(key),
          value,
          ttl: ttlOf({ ...common, ...own }),
        })),
      ),
    async removeItem(key) {
      await cache.delete(keyOf(key));
    },
    async getMeta(key) {
      const left = await cache.ttl(keyOf(key));
      return left === null ? null : { ttl: left };
    },
    async getKeys(under) {
      const keys = await keysStartingWith(client, keyOf(under));
      return keys.map((key) => key.slice(start.length));
    },
    async clear(under) {
      await cache.invalidatePattern(startingWith(keyOf(under)));
    },
  };
}
