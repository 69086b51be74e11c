/** P2: stale-while-revalidate. */
import type { Cache } from '../cache/cache.js';
import type { Key } from '../cache/cache-service.js';
import { type CacheAsideOptions, readOptions } from './cache-aside.js';
import { type Fetch, loadOne } from './load-one.js';

/**
 * As `cacheAside`, but a value that is no longer fresh is returned at once, and loaded anew in the background.
 * @param ttl how long a value is fresh, in seconds; default: the key's own, else 900
 * @param staleTtl how long it may be served after that, in seconds; default: `ttl`
 * @throws as `cacheAside`; never while there is a stale value
 */
export async function cacheAsideStale<T>(
  cache: Cache,
  key: Key<T>,
  fetch: Fetch<T>,
  ttl?: number,
  staleTtl?: number,
  options: Omit<CacheAsideOptions, 'grace'> = {},
): Promise<T | null> {
  const read = readOptions(key, ttl, options);
  const graceMs = staleTtl === undefined ? read.ttlMs : staleTtl * 1_000;
  return cache.reads.read(key, loadOne(key, fetch), { ...read, graceMs, isServedStale: true });
}
