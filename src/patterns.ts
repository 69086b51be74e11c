/**
 * `forebay/patterns`: nine patterns of caching, under the names by which they are known. They are settings of
 * `read`, `readMany` and `write`, and work with the client that the process shares (`share` of
 * `forebay/shared`), or with the one of the option `app`.
 *
 * Positional times (`ttl`, `staleTtl`, `l1Ttl`) are in SECONDS; options are in ms, and say so in their names.
 */
import type { CacheService, Key } from './cache/cache-service.js';
import { checkedTtlMs, checkRefreshWhen, toMs } from './cache/checks.js';
import type { Receipt } from './client/receipts/receipt.js';
import type { ComputedClient } from './client/stores/computed-client.js';
import { type Load, type LoadMissing, type ReadValueOptions, withTtl } from './client/values/read.js';
import type { CachedValues } from './client/values/values.js';
import type { Writer } from './client/values/write-behind.js';
import type { WriteValueOptions } from './client/values/written-entry.js';
import type { RefreshWhen } from './definitions/computed.js';
import { checkList, checkObject, notGiven } from './given.js';
import { sharedClient } from './shared.js';

export type { CacheService, Key } from './cache/cache-service.js';
export type { LoadContext } from './cache/reading/loading.js';
export type { Receipt } from './client/receipts/receipt.js';
export type { Load, LoadMissing, ReadValueOptions } from './client/values/read.js';
export type { CachedValues } from './client/values/values.js';
export type { Writer } from './client/values/write-behind.js';
export type { WriteValueOptions } from './client/values/written-entry.js';
export type { RefreshWhen } from './definitions/computed.js';

/** What the patterns need of a client; what `connect` gives has it. */
export interface PatternClient extends CachedValues {
  /** Single operations on cached values. */
  readonly cache: CacheService;
}

/** With which client a pattern works. */
export interface ClientOption {
  /** A client that `connect` gave. Default: the one that the process shares. */
  readonly app?: PatternClient;
}

/**
 * Options of the patterns that read, in ms: those of `app.read` but `ttlMs`, which is a parameter, in
 * seconds.
 */
export interface ReadPatternOptions extends Omit<ReadValueOptions, 'ttlMs'>, ClientOption {}

/** Options of the patterns that write: those of `app.write` but `ttlMs`, which is a parameter, in seconds. */
export interface WritePatternOptions extends Omit<WriteValueOptions, 'ttlMs'>, ClientOption {}

/** A store of `computed`: `app.stores.<its name>`. Refresh workers know how it is loaded. */
export type RegisteredLoader<T> = Pick<ComputedClient<T>, 'getAhead'>;

/** A key, taken as it is whatever characters it has. */
export interface ExactKey {
  /** The key. */
  readonly key: string;
}

/** A glob pattern of Redis: `*`, `?`, `[…]`, and a backslash before what is meant as it is. */
export interface GlobPattern {
  /** The pattern. */
  readonly pattern: string;
}

/**
 * P1, lazy loading: the cached value; else the one that `fetch` loads, once for all callers of all processes;
 * null when there is none.
 * @param ttl - how long a value is fresh, in seconds; default: the key's own, else 900
 * @param options - in ms, as of `app.read`
 * @throws what `fetch` throws, when there is no value in grace; ForebayError INVALID_KEY, INVALID_VALUE (a
 * time out of its range), LOAD_TIMEOUT, TOO_MANY_LOADS, NOT_SHARED; the signal's reason. A Redis that is away
 * is no error: `fetch` is called. Nor is a value that can't be cached: it is returned all the same.
 */
export function cacheAside<T>(
  key: Key<T>,
  fetch: Load<T>,
  ttl?: number,
  options: ReadPatternOptions = {},
): Promise<T | null> {
  const read = ttl === undefined ? options : withTtl(options, toMs(ttl));
  // No function that waits for the client: a hit in memory should not.
  return options.app === undefined ? readShared(key, fetch, read) : options.app.read(key, fetch, read);
}

async function readShared<T>(key: Key<T>, load: Load<T>, options: ReadValueOptions): Promise<T | null> {
  return (await sharedClient()).read(key, load, options);
}

/**
 * P2, stale-while-revalidate: as `cacheAside`, but a value that is no longer fresh is returned at once, and
 * loaded anew in the background.
 * @param ttl - how long a value is fresh, in seconds; default: the key's own, else 900
 * @param staleTtl - how long it may be served after that, in seconds; default: as `ttl`
 * @throws as `cacheAside`; never while there is a stale value
 */
export async function cacheAsideStale<T>(
  key: Key<T>,
  fetch: Load<T>,
  ttl?: number,
  staleTtl?: number,
  options: Omit<ReadPatternOptions, 'graceMs' | 'isServedStale'> = {},
): Promise<T | null> {
  const app = await clientOf(options);
  const ttlMs = checkedTtlMs(key, ttl);
  const graceMs = staleTtl === undefined ? ttlMs : toMs(staleTtl);
  return app.read(key, fetch, { ...options, ttlMs, graceMs, isServedStale: true });
}

/**
 * P3: writes to the database by calling `write`, then to the cache: both agree when it returns `data`. A
 * write that fails leaves no entry.
 * @param ttl - how long the value is fresh, in seconds; default: the key's own, else 900
 * @throws what `write` throws; before anything was written: ForebayError INVALID_KEY, INVALID_VALUE,
 * VALUE_TOO_LARGE, REDIS_UNAVAILABLE, NOT_SHARED
 */
export async function writeThrough<T>(
  key: Key<T>,
  data: T,
  write: (data: T) => Promise<unknown>,
  ttl?: number,
  options: WritePatternOptions = {},
): Promise<T> {
  const app = await clientOf(options);
  return app.write(key, data, write, toWrite(ttl, options));
}

/**
 * P4: accepts a value. It is in the cache when the call returns, and workers carry it to the database,
 * coalesced with other writes of the key.
 * @param write - a registered writer, `app.stores.<its name>`, so that the write survives this process
 * @param ttl - how long the value is fresh in the cache, in seconds; default: the key's own, else 900
 * @returns a receipt: `persisted()` resolves when the write is in the database
 * @throws as `put` of a record store; ForebayError INVALID_KEY (also for a key that is not the writer's),
 * INVALID_VALUE, VALUE_TOO_LARGE, REDIS_UNAVAILABLE, NOT_SHARED
 */
export async function writeBehind<T>(
  key: Key<T>,
  data: T,
  write: Writer<T>,
  ttl?: number,
  options: WritePatternOptions = {},
): Promise<Receipt> {
  const app = await clientOf(options);
  return app.write(key, data, write, toWrite(ttl, options));
}

/**
 * P5: as `cacheAside`, but a read in the last part of a value's life has it computed anew, so that readers of
 * a key that is read often never wait for a load. A registered loader is run by a refresh worker, once over
 * all processes; a plain function in the background of this process.
 * @param ttl - the value's life, in seconds; default: the loader's or the key's own, else 900
 * @param threshold - share of its life after which it is computed anew, above 0 and below 1; or 'xfetch': by
 * chance, the likelier the nearer its end is and the longer its load took. Default 0.8
 * @param options - for plain functions: a registered loader has its own
 * @throws as `cacheAside`; ForebayError INVALID_VALUE for a threshold out of its range, INVALID_KEY for a key
 * that is not the loader's
 */
export async function refreshAhead<T>(
  key: Key<T>,
  fetch: Load<T> | RegisteredLoader<T>,
  ttl?: number,
  threshold: RefreshWhen = 0.8,
  options: Omit<ReadPatternOptions, 'refreshWhen' | 'isServedStale'> = {},
): Promise<T | null> {
  checkRefreshWhen(key, threshold);
  if (typeof fetch !== 'function') {
    if (typeof fetch?.getAhead !== 'function')
      throw notGiven('What loads', 'a function, or a computed store of the client', fetch);
    return fetch.getAhead(key, threshold, ttl === undefined ? undefined : checkedTtlMs(key, ttl));
  }
  const app = await clientOf(options);
  return app.read(key, fetch, { ...options, ttlMs: checkedTtlMs(key, ttl), refreshWhen: threshold });
}

/**
 * P6: values in the order of `keys`, null where there is none: one round trip for all hits, one load for all
 * misses. A key that another batch loads at the same time is loaded once; absent ones are remembered.
 * @param fetchMissing - gives a Map by key, without those that do not exist; or a list in the order of its
 * keys, with null for those
 * @param ttl - how long values are fresh, in seconds; default: the first key's own, else 900
 * @throws what `fetchMissing` throws; ForebayError INVALID_VALUE for a list of another length than its keys;
 * as `cacheAside`
 */
export async function batchCacheAside<T>(
  keys: readonly Key<T>[],
  fetchMissing: LoadMissing<T>,
  ttl?: number,
  options: ReadPatternOptions = {},
): Promise<(T | null)[]> {
  const app = await clientOf(options);
  const read = ttl === undefined ? options : withTtl(options, toMs(ttl));
  return app.readMany(keys, fetchMissing, read);
}

/**
 * P7: the same as `cacheAside`, under the name that says why. Every pattern loads under the key's lease: of
 * any number of callers in any number of processes one loads, and the others are woken by a message when it
 * has.
 * @param ttl - how long a value is fresh, in seconds; default: the key's own, else 900
 * @param options - in ms, as of `app.read`
 * @throws as `cacheAside`
 */
export function preventStampede<T>(
  key: Key<T>,
  fetch: Load<T>,
  ttl?: number,
  options: ReadPatternOptions = {},
): Promise<T | null> {
  return cacheAside(key, fetch, ttl, options);
}

/**
 * P8: the value from this process's memory, else from Redis, else the one that `l2Fetch` loads. What is read
 * is kept in memory; what is read often stays there. All patterns read through these tiers; this one says how
 * long a value may stay in memory.
 * @param l1Ttl - how long it may be in memory, in seconds; it goes earlier when it changes. In Redis it lives
 * as long as its key says, else 900 s
 * @throws as `cacheAside`
 */
export async function multiTierCache<T>(
  key: Key<T>,
  l1Ttl: number,
  l2Fetch: Load<T>,
  options: Omit<ReadPatternOptions, 'memoryTtlMs'> = {},
): Promise<T | null> {
  const app = await clientOf(options);
  return app.read(key, l2Fetch, { ...options, memoryTtlMs: checkedTtlMs(key, l1Ttl) });
}

/**
 * P9: deletes keys, and all keys that match patterns, in one call. A text with a `*` is a glob pattern of
 * Redis, any other text is a key, taken as it is. Where that would be wrong, say which of the two is meant:
 * `{ key: 'rating:5*' }`, `{ pattern: 'page:?' }`.
 * @returns how many there were
 * @throws ForebayError INVALID_KEY, REDIS_UNAVAILABLE, NOT_SHARED
 */
export async function invalidateRelated(
  keysAndPatterns: readonly (string | ExactKey | GlobPattern)[],
  options: ClientOption = {},
): Promise<number> {
  const { cache } = await clientOf(options);
  checkList('Keys and patterns', keysAndPatterns);
  const keys: string[] = [];
  const patterns: string[] = [];
  for (const one of keysAndPatterns) {
    if (typeof one === 'string') (one.includes('*') ? patterns : keys).push(one);
    else {
      checkObject('A key or pattern that is no text', one);
      if ('key' in one) keys.push(one.key);
      else patterns.push(one.pattern);
    }
  }
  const counts = await Promise.all([
    cache.mdelete(keys),
    ...patterns.map((pattern) => cache.invalidatePattern(pattern)),
  ]);
  return counts.reduce((sum, count) => sum + count, 0);
}

async function clientOf({ app }: ClientOption): Promise<PatternClient> {
  return app ?? sharedClient();
}

function toWrite(ttl: number | undefined, options: WritePatternOptions): WriteValueOptions {
  return ttl === undefined ? options : withTtl(options, toMs(ttl));
}
