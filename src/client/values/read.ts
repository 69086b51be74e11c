/**
 * Reads of cached values, as an app asks for them: one key with its loader, or many with one loader for all
 * that is missing.
 */
import type { Cache } from '../../cache/cache.js';
import type { Key } from '../../cache/cache-service.js';
import { checkedLifeMs, checkKeys, checkRefreshWhen, checkTags, lifeMaxMs } from '../../cache/checks.js';
import type { LoadContext, LoadMany } from '../../cache/reading/loading.js';
import type { ReadOptions } from '../../cache/reading/read-options.js';
import type { RefreshWhen } from '../../definitions/computed.js';
import { ForebayError } from '../../errors.js';
import { checkFunction, checkList, checkObject, notGiven } from '../../given.js';
import { timerMaxMs } from '../../pause.js';

/** Loads the value of one key; null or undefined: there is none. */
export type Load<T> = (context: LoadContext) => Promise<T | null | undefined>;

/**
 * Loads the values of the keys that are missing: a Map of those that exist, or a list with a value for each
 * key in their order, null where there is none.
 */
export type LoadMissing<T> = (
  keys: string[],
  context: LoadContext,
) => Promise<ReadonlyMap<string, T> | readonly (T | null | undefined)[]>;

/** How values are read through the cache. All times are in ms. */
export interface ReadValueOptions {
  /**
   * How long a value is fresh, in ms; up to a tenth shorter by chance, so that values made together do not go
   * stale together. Default: the key's own, else 900,000.
   */
  readonly ttlMs?: number;
  /**
   * How long after `ttlMs` a value is served in place of one that can't be loaded, or not within
   * `softTimeoutMs`; in ms. Default 0.
   */
  readonly graceMs?: number;
  /**
   * Serves a value in its grace at once, and loads in the background. Default false: loads, and serves it
   * when that fails or is slow.
   */
  readonly isServedStale?: boolean;
  /**
   * Has a value computed anew, in the background, while it is fresh still: after this share of its life,
   * above 0 and below 1; or 'xfetch': by chance, the likelier the nearer its end is and the longer its load
   * took. Default: never.
   */
  readonly refreshWhen?: RefreshWhen;
  /** How long the absence of a value is believed, in ms; 0: not at all. Default: `ttlMs`, at most 60,000. */
  readonly absentTtlMs?: number;
  /**
   * How long a value may stay in this process's memory, in ms; it goes earlier when it changes. Default: as
   * long as it is fresh. Of single reads.
   */
  readonly memoryTtlMs?: number;
  /**
   * With a stale value at hand, a load may take so long before that is served, in ms. Default:
   * `loadTimeoutMs`.
   */
  readonly softTimeoutMs?: number;
  /** A load that takes longer fails with LOAD_TIMEOUT, in ms. Default 10,000. */
  readonly loadTimeoutMs?: number;
  /** The value is stale once one of them is invalidated (`app.cache.invalidateTag`). Default: none. */
  readonly tags?: readonly string[];
  /** Loads whatever is cached. Default false. */
  readonly forceRefresh?: boolean;
  /** Ends this caller's wait; a load that others share goes on. Default: none. */
  readonly signal?: AbortSignal;
}

/** See `CachedValues.read`. */
export function readValue<T>(
  cache: Cache,
  key: Key<T>,
  load: Load<T>,
  options: ReadValueOptions,
): Promise<T | null> {
  try {
    checkFunction('The load of a read', load);
    const loader = loadOne(key, load);
    return cache.reads.read(key, loader, toReadOptions(cache, key, loader, options));
  } catch (error) {
    return Promise.reject(error);
  }
}

/** See `CachedValues.readMany`. */
export async function readValues<T>(
  cache: Cache,
  keys: readonly Key<T>[],
  loadMissing: LoadMissing<T>,
  options: ReadValueOptions,
): Promise<(T | null)[]> {
  checkKeys(keys);
  checkFunction('The load of a read of many', loadMissing);
  const [first] = keys;
  if (first === undefined) return [];
  const load: LoadMany<T> = async (missing, context) =>
    toMap(missing, await loadMissing([...missing], context));
  return cache.reads.readMany(keys, load, toReadOptions(cache, first, load, options));
}

function toReadOptions<T>(
  cache: Cache,
  key: string,
  load: LoadMany<T>,
  options: ReadValueOptions,
): ReadOptions {
  checkOptions(key, options);
  const when = options.refreshWhen;
  const ttlMs = checkedLifeMs(key, options.ttlMs);
  if (when === undefined) return hasTtl(options) ? options : withTtl(options, ttlMs);
  const refresh = (due: string, { head }: { head: { id: string } }): void =>
    cache.recompute.inBackground(due, head.id, load, ahead);
  const ahead: ReadOptions = { ...options, ttlMs, isServedStale: true, ahead: { when, refresh } };
  return ahead;
}

/** As they are: copying them would cost as much as a hit in memory. */
function hasTtl(options: ReadValueOptions): options is ReadValueOptions & { readonly ttlMs: number } {
  return options.ttlMs !== undefined;
}

/** By Object.assign: V8 takes µs to spread an object that holds others. */
export function withTtl<O extends object>(options: O, ttlMs: number): O & { readonly ttlMs: number } {
  return Object.assign({}, options, { ttlMs });
}

function checkOptions(key: string, options: ReadValueOptions): void {
  checkObject('The options of a read', options);
  checkMs(key, 'graceMs', options.graceMs, lifeMaxMs);
  checkMs(key, 'absentTtlMs', options.absentTtlMs, lifeMaxMs);
  checkMs(key, 'memoryTtlMs', options.memoryTtlMs, Number.POSITIVE_INFINITY);
  checkMs(key, 'softTimeoutMs', options.softTimeoutMs, timerMaxMs);
  checkMs(key, 'loadTimeoutMs', options.loadTimeoutMs, timerMaxMs);
  if (options.tags !== undefined) checkTags(options.tags);
  if (options.refreshWhen !== undefined) checkRefreshWhen(key, options.refreshWhen);
  if (options.signal !== undefined) checkSignal(options.signal);
}

function checkMs(key: string, name: string, ms: number | undefined, max: number): void {
  if (ms === undefined || (typeof ms === 'number' && ms >= 0 && ms <= max)) return;
  throw notGiven(`${name} of a read of ${key}`, `a number of ms from 0 to ${max}`, ms);
}

/** By what is asked of it: another realm has a class of its own. */
function checkSignal(signal: AbortSignal): void {
  if (typeof signal?.throwIfAborted !== 'function') throw notGiven('signal', 'an AbortSignal', signal);
}

/** A loader of one key as a loader of many. */
function loadOne<T>(key: string, load: Load<T>): LoadMany<T> {
  return async (_keys, context) => {
    const value = await load(context);
    return value === null || value === undefined ? new Map() : new Map([[key, value]]);
  };
}

function toMap<T>(
  keys: readonly string[],
  values: ReadonlyMap<string, T> | readonly (T | null | undefined)[],
): ReadonlyMap<string, T> {
  if (values instanceof Map) return values;
  checkList('What the load of a read of many gives, when it is no Map,', values);
  const list = values as readonly (T | null | undefined)[];
  if (list.length !== keys.length) {
    throw new ForebayError(
      'INVALID_VALUE',
      `The loader gave ${list.length} values for ${keys.length} keys. Give one for each, in their order, or a Map.`,
    );
  }
  const pairs = keys.map((key, i) => [key, list[i]] as const);
  return new Map(
    pairs.filter((pair): pair is readonly [string, T & {}] => pair[1] !== null && pair[1] !== undefined),
  );
}
