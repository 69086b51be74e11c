/** P8: memory, then Redis, then the source. */
import type { Cache } from '../cache/cache.js';
import { checkedTtlMs, type Key } from '../cache/cache-service.js';
import { type CacheAsideOptions, readOptions } from './cache-aside.js';
import { type Fetch, loadOne } from './load-one.js';

/**
 * The value from this process's memory, else from Redis, else the one that `l2Fetch` loads. What is read is kept in memory; what is read often stays
 * there. All patterns read through these tiers; this one says how long a value may stay in memory.
 * @param l1Ttl how long it may be in memory, in seconds; it goes earlier when it changes. In Redis it lives as long as its key says, else 900 s
 * @throws as `cacheAside`
 */
export async function multiTierCache<T>(
  cache: Cache,
  key: Key<T>,
  l1Ttl: number,
  l2Fetch: Fetch<T>,
  options: CacheAsideOptions = {},
): Promise<T | null> {
  const memoryTtlMs = checkedTtlMs(key, l1Ttl);
  return cache.reads.read(key, loadOne(key, l2Fetch), {
    ...readOptions(key, undefined, options),
    memoryTtlMs,
  });
}
