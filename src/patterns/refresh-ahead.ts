/** P5: recomputed before it expires. */
import type { Cache } from '../cache/cache.js';
import { checkedTtlMs, type Key } from '../cache/cache-service.js';
import { ForebayError } from '../errors.js';
import type { CacheAsideOptions, Fetch } from './cache-aside.js';
import { cacheAsideStale } from './cache-aside-stale.js';

/**
 * As `cacheAside`, but a read in the last part of a value's life has it loaded anew in the background, so that readers of a key
 * that is read often never wait for a load.
 * @param ttl the value's life, in seconds; default: the key's own, else 900
 * @param threshold share of its life after which it is loaded anew, above 0 and below 1; default 0.8
 * @throws as `cacheAside`; ForebayError INVALID_VALUE for a threshold out of its range
 */
export async function refreshAhead<T>(
  cache: Cache,
  key: Key<T>,
  fetch: Fetch<T>,
  ttl?: number,
  threshold = 0.8,
  options: Omit<CacheAsideOptions, 'grace'> = {},
): Promise<T | null> {
  if (!(threshold > 0 && threshold < 1)) {
    throw new ForebayError(
      'INVALID_VALUE',
      `The threshold for ${key} is ${threshold}: give a share between 0 and 1.`,
    );
  }
  const life = checkedTtlMs(key, ttl) / 1_000;
  return cacheAsideStale(cache, key, fetch, life * threshold, life * (1 - threshold), options);
}
