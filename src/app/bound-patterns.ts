/** The patterns, bound to one cache. Each has a file, with what it promises. */
import type { Cache } from '../cache/cache.js';
import type { Receipt } from '../client/receipts/receipt.js';
import { batchCacheAside } from './batch-cache-aside.js';
import { cacheAside } from './cache-aside.js';
import { cacheAsideStale } from './cache-aside-stale.js';
import { invalidateRelated } from './invalidate-related.js';
import { multiTierCache } from './multi-tier-cache.js';
import { preventStampede } from './prevent-stampede.js';
import { refreshAhead } from './refresh-ahead.js';
import { writeBehind } from './write-behind.js';
import { writeThrough } from './write-through.js';

type WithoutCache<Arguments extends readonly unknown[]> = Arguments extends readonly [Cache, ...infer Rest]
  ? Rest
  : never;

export class Patterns {
  readonly #cache: Cache;

  constructor(cache: Cache) {
    this.#cache = cache;
  }

  cacheAside<T>(...args: WithoutCache<Parameters<typeof cacheAside<T>>>): Promise<T | null> {
    return cacheAside(this.#cache, ...args);
  }

  cacheAsideStale<T>(...args: WithoutCache<Parameters<typeof cacheAsideStale<T>>>): Promise<T | null> {
    return cacheAsideStale(this.#cache, ...args);
  }

  writeThrough<T>(...args: WithoutCache<Parameters<typeof writeThrough<T>>>): Promise<T> {
    return writeThrough(this.#cache, ...args);
  }

  writeBehind<T>(...args: WithoutCache<Parameters<typeof writeBehind<T>>>): Promise<Receipt> {
    return writeBehind(this.#cache, ...args);
  }

  refreshAhead<T>(...args: WithoutCache<Parameters<typeof refreshAhead<T>>>): Promise<T | null> {
    return refreshAhead(this.#cache, ...args);
  }

  batchCacheAside<T>(...args: WithoutCache<Parameters<typeof batchCacheAside<T>>>): Promise<(T | null)[]> {
    return batchCacheAside(this.#cache, ...args);
  }

  preventStampede<T>(...args: WithoutCache<Parameters<typeof preventStampede<T>>>): Promise<T | null> {
    return preventStampede(this.#cache, ...args);
  }

  multiTierCache<T>(...args: WithoutCache<Parameters<typeof multiTierCache<T>>>): Promise<T | null> {
    return multiTierCache(this.#cache, ...args);
  }

  invalidateRelated(keysAndPatterns: readonly string[]): Promise<number> {
    return invalidateRelated(this.#cache, keysAndPatterns);
  }
}
