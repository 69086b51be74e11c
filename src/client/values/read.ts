/** P1: lazy loading. */
import type { Cache } from '../cache/cache.js';
import { checkedTtlMs, type Key } from '../cache/cache-service.js';
import { type Fetch, loadOne } from './load-one.js';

export interface CacheAsideOptions {
  /** The value is stale once one of them is invalidated. */
  readonly tags?: readonly string[];
  /** How long after `ttl` a value is served when the loader fails, or is slower than `softTimeoutMs`; in seconds. Default 0. */
  readonly grace?: number;
  /** How long the absence of a value is believed, in seconds; 0: not at all. Default: `ttl`, at most 60. */
  readonly absentTtl?: number;
  /** With a stale value at hand, a load may take so long before that is served. Default: `loadTimeoutMs`. */
  readonly softTimeoutMs?: number;
  /** A load that takes longer fails. Default 10,000. */
  readonly loadTimeoutMs?: number;
  /** Loads whatever is cached. */
  readonly forceRefresh?: boolean;
  /** Ends this caller's wait; a load that others share goes on. */
  readonly signal?: AbortSignal;
}

/**
 * The cached value; else the one that `fetch` loads, once for all callers of all processes.
 * @param ttl in seconds; default: the key's own, else 900
 * @throws what `fetch` throws, when there is no value in grace; ForebayError INVALID_KEY, INVALID_VALUE, VALUE_TOO_LARGE, LOAD_TIMEOUT,
 * TOO_MANY_LOADS; the signal's reason. A Redis that is away is no error: `fetch` is called.
 */
export function cacheAside<T>(
  cache: Cache,
  key: Key<T>,
  fetch: Fetch<T>,
  ttl?: number,
  options: CacheAsideOptions = {},
): Promise<T | null> {
  try {
    return cache.reads.read(key, loadOne(key, fetch), readOptions(key, ttl, options));
  } catch (error) {
    return Promise.reject(error);
  }
}

/** The options in ms. */
export function readOptions(key: string, ttl: number | undefined, options: CacheAsideOptions) {
  const { grace = 0, absentTtl, ...rest } = options;
  return {
    ...rest,
    ttlMs: checkedTtlMs(key, ttl),
    graceMs: grace * 1_000,
    ...(absentTtl === undefined ? {} : { absentTtlMs: absentTtl * 1_000 }),
  };
}
