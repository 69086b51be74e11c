/** P7: one process loads, the others wait for it. */
import type { Cache } from '../cache/cache.js';
import type { Key } from '../cache/cache-service.js';
import { type CacheAsideOptions, cacheAside } from './cache-aside.js';
import type { Fetch } from './load-one.js';

/**
 * The same as `cacheAside`, under the name that says why: every pattern loads under the key's lease, so of any number of callers in any number of
 * processes one loads, and the others are woken by a message when it has.
 * @param ttl in seconds; default: the key's own, else 900
 * @throws as `cacheAside`
 */
export async function preventStampede<T>(
  cache: Cache,
  key: Key<T>,
  fetch: Fetch<T>,
  ttl?: number,
  options?: CacheAsideOptions,
): Promise<T | null> {
  return cacheAside(cache, key, fetch, ttl, options);
}
