/** P5: recomputed before it expires. */
import type { Cache } from '../cache/cache.js';
import { checkedTtlMs, type Key } from '../cache/cache-service.js';
import type { ReadOptions } from '../cache/reading/read-options.js';
import type { ComputedClient } from '../client/stores/computed-client.js';
import type { RefreshWhen } from '../definitions/computed.js';
import { ForebayError } from '../errors.js';
import { type CacheAsideOptions, readOptions } from './cache-aside.js';
import { type Fetch, loadOne } from './load-one.js';

/** A store of `computed`: `app.stores.<its name>`. Refresh workers know how it is loaded. */
export type RegisteredLoader<T> = Pick<ComputedClient<T>, 'getAhead'>;

/**
 * As `cacheAside`, but a read in the last part of a value's life has it computed anew, so that readers of a key that is read often never wait for
 * a load. A registered loader is run by a refresh worker, once over all processes; a plain function in the background of this process.
 * @param ttl the value's life, in seconds; default: the loader's or the key's own, else 900
 * @param threshold share of its life after which it is computed anew, above 0 and below 1; or 'xfetch': by chance, the likelier the nearer
 * its end is and the longer its load took. Default 0.8
 * @param options for plain functions: a registered loader has its own
 * @throws as `cacheAside`; ForebayError INVALID_VALUE for a threshold out of its range, INVALID_KEY for a key that is not the loader's
 */
export async function refreshAhead<T>(
  cache: Cache,
  key: Key<T>,
  fetch: Fetch<T> | RegisteredLoader<T>,
  ttl?: number,
  threshold: RefreshWhen = 0.8,
  options: CacheAsideOptions = {},
): Promise<T | null> {
  if (threshold !== 'xfetch' && !(threshold > 0 && threshold < 1)) {
    throw new ForebayError(
      'INVALID_VALUE',
      `The threshold for ${key} is ${threshold}: give a share between 0 and 1, or 'xfetch'.`,
    );
  }
  if (typeof fetch !== 'function') {
    return fetch.getAhead(key, threshold, ttl === undefined ? undefined : checkedTtlMs(key, ttl));
  }
  const load = loadOne(key, fetch);
  const read: ReadOptions = { ...readOptions(key, ttl, options), isServedStale: true };
  const refresh = (_key: string, { head }: { head: { id: string } }): void =>
    cache.recompute.inBackground(key, head.id, load, ahead);
  const ahead: ReadOptions = { ...read, ahead: { when: threshold, refresh } };
  return cache.reads.read(key, load, ahead);
}
