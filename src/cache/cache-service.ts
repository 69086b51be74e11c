/**
 * Single operations on cached values, and batches of them in one round trip. Times to live are in seconds.
 */

import type { CacheStatistics } from '../cache-statistics.js';
import { toReadError } from '../connection/redis.js';
import { type CacheKey, matcherOf } from '../definitions/cache-key.js';
import { ForebayError } from '../errors.js';
import { checkList, checkObject, describe } from '../given.js';
import { cacheEntryKey, cacheKeyOf, tagMark } from '../keys.js';
import { checkedTtlMs, checkKey, checkKeys, checkTags } from './checks.js';
import type { TagVersions } from './entry/value-entry.js';
import type { Explanation } from './explain.js';
import type { LeasedLoads } from './reading/leased-loads.js';
import type { Tier } from './redis/redis-tier.js';
import type { StatisticsCounter } from './statistics.js';
import type { Found, ValueStore } from './value-store.js';

/** A key with the type of its value, or any text. */
export type Key<T> = CacheKey<T> | string;

/** How a value is set. */
export interface SetOptions {
  /** The value is stale once one of them is invalidated. */
  readonly tags?: readonly string[];
}

/** One of the values of `mset`. */
export interface SetEntry<T = unknown> extends SetOptions {
  /** Its key. */
  readonly key: Key<T>;
  /** The value. */
  readonly value: T;
  /** In seconds. Default: the key's own, else 900. */
  readonly ttl?: number;
}

export interface CacheServiceDependencies {
  readonly prefix: string;
  readonly tier: Tier;
  readonly values: ValueStore;
  readonly loads: LeasedLoads<unknown>;
  readonly statistics: StatisticsCounter;
  readonly explain: (key: string) => Promise<Explanation>;
}

const noTags: TagVersions = new Map();
/** Keys that are deleted in one round trip. */
const deleteMax = 500;

/**
 * Single operations on cached values, and batches of them in one round trip: `app.cache`. Times to live are
 * in seconds.
 */
export class CacheService {
  readonly #prefix: string;
  readonly #tier: Tier;
  readonly #values: ValueStore;
  readonly #loads: LeasedLoads<unknown>;
  readonly #statistics: StatisticsCounter;
  readonly #explain: CacheServiceDependencies['explain'];

  /** @internal */
  constructor(dependencies: CacheServiceDependencies) {
    this.#prefix = dependencies.prefix;
    this.#tier = dependencies.tier;
    this.#values = dependencies.values;
    this.#loads = dependencies.loads;
    this.#statistics = dependencies.statistics;
    this.#explain = dependencies.explain;
  }

  /** The value while it is fresh, else null. @throws ForebayError INVALID_KEY, REDIS_UNAVAILABLE */
  async get<T>(key: Key<T>): Promise<T | null> {
    checkKey(key);
    const hit = this.#values.hit(key);
    return hit === undefined ? this.#counted(key, await this.#values.look(key)) : (hit.value as T | null);
  }

  /** Values in the order of `keys`, in one round trip. @throws as `get` */
  async mget<T>(keys: readonly Key<T>[]): Promise<(T | null)[]> {
    checkKeys(keys);
    const hits = keys.map((key) => this.#values.hit(key));
    const far = keys.filter((_, i) => hits[i] === undefined);
    const found = await this.#values.lookMany(far);
    let next = 0;
    return hits.map((hit) => {
      if (hit !== undefined) return hit.value as T | null;
      const at = next++;
      return this.#counted<T>(far[at] as string, found[at] as Found);
    });
  }

  /**
   * Replaces whatever is cached; a load that is under way fills nothing then.
   * @param ttl - in seconds, up to a tenth shorter by chance; default: the key's own, else 900
   * @throws ForebayError INVALID_KEY, INVALID_VALUE, VALUE_TOO_LARGE, REDIS_UNAVAILABLE
   */
  async set<T>(key: Key<T>, value: T, ttl?: number, options: SetOptions = {}): Promise<void> {
    checkObject('The options of a set', options);
    const ttlMs = checkedTtlMs(key, ttl);
    checkTags(options.tags ?? []);
    const tags = options.tags ? await orReadError(this.#tier.tagVersions(options.tags)) : noTags;
    const entry = await this.#values.encode(key, value, { ttlMs, graceMs: 0 }, tags);
    this.#statistics.of(key).sets += 1;
    await this.#change([key], () => this.#tier.set(key, entry.content, entry.ttlMs));
  }

  /** Each as `set`, in one round trip. @throws as `set`; some may be set then */
  async mset(entries: readonly SetEntry[]): Promise<void> {
    checkList('What is set', entries);
    for (const entry of entries) checkObject('An entry that is set', entry);
    await Promise.all(entries.map(({ key, value, ttl, ...options }) => this.set(key, value, ttl, options)));
  }

  /** Deletes a value. False: there was none. @throws ForebayError INVALID_KEY, REDIS_UNAVAILABLE */
  async delete(key: Key<unknown>): Promise<boolean> {
    return (await this.mdelete([key])) === 1;
  }

  /** Deletes values, in one round trip. Returns how many there were. @throws as `delete` */
  async mdelete(keys: readonly Key<unknown>[]): Promise<number> {
    checkKeys(keys);
    for (const key of keys) this.#statistics.of(key).deletes += 1;
    return this.#change(keys, () => this.#tier.delete(keys));
  }

  /**
   * Keys that match a glob pattern of Redis, or one that `allOf` made, as they are found; some may come
   * twice. Memory stays bounded.
   * @throws ForebayError INVALID_KEY, REDIS_UNAVAILABLE
   */
  async *scanPattern(pattern: string): AsyncGenerator<string, void, undefined> {
    checkKey(pattern);
    const { glob, matches } = matcherOf(pattern);
    try {
      for await (const entryKeys of this.#tier.scan(cacheEntryKey(this.#prefix, glob))) {
        const keys = entryKeys.map((entryKey) => cacheKeyOf(this.#prefix, entryKey));
        yield* keys.filter((key) => key[0] !== tagMark && matches(key));
      }
    } catch (error) {
      throw toReadError(error);
    }
  }

  /**
   * Deletes all keys that match a glob pattern of Redis, or one that `allOf` made, without blocking it.
   * Returns how many there were.
   * @throws ForebayError INVALID_KEY, REDIS_UNAVAILABLE
   */
  async invalidatePattern(pattern: string): Promise<number> {
    let deleted = 0;
    let keys: string[] = [];
    for await (const key of this.scanPattern(pattern)) {
      if (keys.push(key) < deleteMax) continue;
      deleted += await this.mdelete(keys);
      keys = [];
    }
    return keys.length === 0 ? deleted : deleted + (await this.mdelete(keys));
  }

  /**
   * Makes every value with this tag stale, in one step whatever their number. @throws ForebayError
   * INVALID_KEY, REDIS_UNAVAILABLE
   */
  async invalidateTag(tag: string): Promise<void> {
    checkKey(tag);
    await orReadError(this.#tier.invalidateTag(tag));
    this.#values.forgetTag(tag);
    this.#loads.forgetAll();
  }

  /**
   * Adds to a plain integer, which lives on as before; where there is none, it makes one. A sum that
   * JavaScript can't hold is refused, and nothing is added.
   * @param delta - a whole number. Default 1
   * @param ttl - how long a counter lives that the call makes, in seconds, and not shortened by chance;
   * default: the key's own, else 900
   * @returns the sum
   * @throws ForebayError NOT_A_COUNTER for another value, COUNTER_OVERFLOW beyond ±(2^53 − 1), INVALID_VALUE,
   * INVALID_KEY, REDIS_UNAVAILABLE
   */
  async increment(key: Key<number>, delta = 1, ttl?: number): Promise<number> {
    const ttlMs = checkedTtlMs(key, ttl);
    if (!Number.isSafeInteger(delta)) {
      throw new ForebayError(
        'INVALID_VALUE',
        `${key} can't be changed by ${describe(delta)}: give a whole number.`,
      );
    }
    this.#statistics.of(key).sets += 1;
    const sum = await this.#change([key], () => this.#tier.increment(key, delta, ttlMs));
    if (typeof sum === 'number') return sum;
    throw sum === 'overflow' ? overflow(key, delta) : notACounter(key);
  }

  /** As `increment` by `-delta`. @throws as `increment` */
  async decrement(key: Key<number>, delta = 1, ttl?: number): Promise<number> {
    // What is no number is refused there.
    return this.increment(key, typeof delta === 'number' ? -delta : delta, ttl);
  }

  /**
   * Sets a value where there is none. False: there is one.
   * @param ttl - in seconds; default: the key's own, else 900
   * @throws as `set`
   */
  async setnx<T>(key: Key<T>, value: T, ttl?: number): Promise<boolean> {
    const ttlMs = checkedTtlMs(key, ttl);
    const entry = await this.#values.encode(key, value, { ttlMs, graceMs: 0 }, noTags);
    this.#statistics.of(key).sets += 1;
    return this.#change([key], () => this.#tier.setIfAbsent(key, entry.content, entry.ttlMs));
  }

  /** Whether there is a value, fresh or stale. @throws ForebayError INVALID_KEY, REDIS_UNAVAILABLE */
  async exists(key: Key<unknown>): Promise<boolean> {
    return (await this.ttl(key)) !== null;
  }

  /**
   * Seconds that are left; Infinity for a value that does not expire; null when there is none. @throws as
   * `exists`
   */
  async ttl(key: Key<unknown>): Promise<number | null> {
    checkKey(key);
    const leftMs = await orReadError(this.#tier.ttlMs(key));
    return leftMs === undefined ? null : leftMs / 1_000;
  }

  /**
   * Gives a value another life, in seconds. False: there is none. @throws as `exists`; ForebayError
   * INVALID_VALUE
   */
  async expire(key: Key<unknown>, ttl: number): Promise<boolean> {
    const ttlMs = checkedTtlMs(key, ttl);
    return this.#change([key], () => this.#tier.expire(key, ttlMs));
  }

  /** Why a read of the key is a hit, stale or a miss. @throws ForebayError INVALID_KEY, REDIS_UNAVAILABLE */
  async explain(key: Key<unknown>): Promise<Explanation> {
    checkKey(key);
    return orReadError(this.#explain(key));
  }

  /** What this process has counted since its start or the last `resetStats`. */
  getStats(): CacheStatistics {
    return this.#statistics.read();
  }

  /** Begins to count anew. */
  resetStats(): void {
    this.#statistics.reset();
  }

  #counted<T>(key: string, found: Found): T | null {
    if (found.kind === 'unknown') throw toReadError(found.error);
    const counts = this.#statistics.of(key);
    if (found.kind === 'fresh') counts.hits += 1;
    else counts.misses += 1;
    return found.kind === 'fresh' ? (found.value as T) : null;
  }

  /**
   * Reads of this process that begin after a change neither share a load from before it nor find the old
   * value in memory.
   */
  async #change<T>(keys: readonly string[], change: () => Promise<T>): Promise<T> {
    for (const key of keys) this.#loads.forget(key);
    try {
      return await orReadError(change());
    } finally {
      for (const key of keys) this.#values.forget(key);
    }
  }
}

function overflow(key: string, delta: number): ForebayError {
  return new ForebayError(
    'COUNTER_OVERFLOW',
    `${key} would leave ±(2^53 − 1) by adding ${delta}; nothing was added. Count under another key, or in a counter store.`,
    { context: { key, delta } },
  );
}

function notACounter(key: string): ForebayError {
  return new ForebayError(
    'NOT_A_COUNTER',
    `${key} holds something else than a whole number. Delete it, or count under another key.`,
    { context: { key } },
  );
}

async function orReadError<T>(reply: Promise<T>): Promise<T> {
  try {
    return await reply;
  } catch (error) {
    throw toReadError(error);
  }
}
