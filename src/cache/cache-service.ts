/** Single operations on cached values, and batches of them in one round trip. Times to live are in seconds. */
import { toReadError } from '../connection/redis.js';
import { scanKeys } from '../connection/scan.js';
import { type CacheKey, ttlOf } from '../definitions/cache-key.js';
import { DEFAULT_TTL } from '../definitions/default-ttl.js';
import { ForebayError } from '../errors.js';
import type { CacheStatistics } from '../events.js';
import { cacheEntryKey, tagMark } from '../keys.js';
import type { TagVersions } from './entry/value-entry.js';
import type { Explanation } from './explain.js';
import type { Refill } from './reading/refill.js';
import type { RedisTier } from './redis/redis-tier.js';
import type { StatisticsCounter } from './statistics.js';
import type { Found, ValueStore } from './value-store.js';

/** A key with the type of its value, or any text. */
export type Key<T> = CacheKey<T> | string;

export interface SetOptions {
  /** The value is stale once one of them is invalidated. */
  readonly tags?: readonly string[];
}

export interface SetEntry<T = unknown> extends SetOptions {
  readonly key: Key<T>;
  readonly value: T;
  /** In seconds. Default: the key's own, else 900. */
  readonly ttl?: number;
}

export interface CacheServiceDependencies {
  readonly prefix: string;
  readonly redis: Parameters<typeof scanKeys>[0];
  readonly tier: RedisTier;
  readonly values: ValueStore;
  readonly refill: Refill;
  readonly statistics: StatisticsCounter;
  readonly explain: (key: string) => Promise<Explanation>;
}

const noTags: TagVersions = new Map();
const keyCharactersMax = 1_024;
const ttlMaxSeconds = 10 * 365 * 86_400;
/** Keys that are deleted in one round trip. */
const deleteMax = 500;

export class CacheService {
  readonly #prefix: string;
  readonly #redis: CacheServiceDependencies['redis'];
  readonly #tier: RedisTier;
  readonly #values: ValueStore;
  readonly #refill: Refill;
  readonly #statistics: StatisticsCounter;
  readonly #explain: CacheServiceDependencies['explain'];

  constructor(dependencies: CacheServiceDependencies) {
    this.#prefix = dependencies.prefix;
    this.#redis = dependencies.redis;
    this.#tier = dependencies.tier;
    this.#values = dependencies.values;
    this.#refill = dependencies.refill;
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
    for (const key of keys) checkKey(key);
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
   * @param ttl in seconds; default: the key's own, else 900
   * @throws ForebayError INVALID_KEY, INVALID_VALUE, VALUE_TOO_LARGE, REDIS_UNAVAILABLE
   */
  async set<T>(key: Key<T>, value: T, ttl?: number, options: SetOptions = {}): Promise<void> {
    const ttlMs = checkedTtlMs(key, ttl);
    const tags = options.tags ? await orReadError(this.#tier.tagVersions(options.tags)) : noTags;
    const entry = await this.#values.encode(key, value, { ttlMs, graceMs: 0 }, tags);
    this.#statistics.of(key).sets += 1;
    await this.#change([key], () => this.#tier.set(key, entry.content, entry.ttlMs));
  }

  /** Each as `set`, in one round trip. */
  async mset(entries: readonly SetEntry[]): Promise<void> {
    await Promise.all(entries.map(({ key, value, ttl, ...options }) => this.set(key, value, ttl, options)));
  }

  /** False: there was none. */
  async delete(key: Key<unknown>): Promise<boolean> {
    return (await this.mdelete([key])) === 1;
  }

  /** Returns how many there were. */
  async mdelete(keys: readonly Key<unknown>[]): Promise<number> {
    for (const key of keys) checkKey(key);
    for (const key of keys) this.#statistics.of(key).deletes += 1;
    return this.#change(keys, () => this.#tier.delete(keys));
  }

  /** Keys that match a glob pattern of Redis, as they are found; some may come twice. Memory stays bounded. */
  async *scanPattern(pattern: string): AsyncGenerator<string, void, undefined> {
    checkKey(pattern);
    const start = this.#prefix.length + 1;
    try {
      for await (const keys of scanKeys(this.#redis, cacheEntryKey(this.#prefix, pattern))) {
        for (const key of keys) if (key[start] !== tagMark) yield key.slice(start);
      }
    } catch (error) {
      throw toReadError(error);
    }
  }

  /** Deletes all keys that match a glob pattern of Redis, without blocking it. Returns how many there were. */
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

  /** Makes every value with this tag stale, in one step whatever their number. */
  async invalidateTag(tag: string): Promise<void> {
    checkKey(tag);
    await orReadError(this.#tier.invalidateTag(tag));
    this.#values.forgetTag(tag);
    this.#refill.forgetAll();
  }

  /** Adds to a plain integer, which then lives on as before; of none, it makes one that does not expire. @throws ForebayError NOT_A_COUNTER */
  async increment(key: Key<number>, delta = 1): Promise<number> {
    checkKey(key);
    if (!Number.isSafeInteger(delta)) {
      throw new ForebayError('INVALID_VALUE', `${key} can't be changed by ${delta}: give a whole number.`);
    }
    this.#statistics.of(key).sets += 1;
    const sum = await this.#change([key], () => this.#tier.increment(key, delta));
    if (sum !== undefined && Number.isSafeInteger(Number(sum))) return Number(sum);
    throw new ForebayError(
      'NOT_A_COUNTER',
      `${key} holds something else than a whole number of at most 2^53. Delete it, or count under another key.`,
      { context: { key } },
    );
  }

  async decrement(key: Key<number>, delta = 1): Promise<number> {
    return this.increment(key, -delta);
  }

  /** Sets a value where there is none. False: there is one. */
  async setnx<T>(key: Key<T>, value: T, ttl?: number): Promise<boolean> {
    const ttlMs = checkedTtlMs(key, ttl);
    const entry = await this.#values.encode(key, value, { ttlMs, graceMs: 0 }, noTags);
    this.#statistics.of(key).sets += 1;
    return this.#change([key], () => this.#tier.setIfAbsent(key, entry.content, entry.ttlMs));
  }

  async exists(key: Key<unknown>): Promise<boolean> {
    return (await this.ttl(key)) !== null;
  }

  /** Seconds that are left; Infinity for a value that does not expire; null when there is none. */
  async ttl(key: Key<unknown>): Promise<number | null> {
    checkKey(key);
    const leftMs = await orReadError(this.#tier.ttlMs(key));
    return leftMs === undefined ? null : leftMs / 1_000;
  }

  /** Gives a value another life, in seconds. False: there is none. */
  async expire(key: Key<unknown>, ttl: number): Promise<boolean> {
    const ttlMs = checkedTtlMs(key, ttl);
    return this.#change([key], () => this.#tier.expire(key, ttlMs));
  }

  /** Why a read of the key is a hit, stale or a miss. @throws ForebayError INVALID_KEY, REDIS_UNAVAILABLE */
  async explain(key: Key<unknown>): Promise<Explanation> {
    checkKey(key);
    return orReadError(this.#explain(key));
  }

  getStats(): CacheStatistics {
    return this.#statistics.read();
  }

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

  /** Reads of this process that begin after a change neither share a load from before it nor find the old value in memory. */
  async #change<T>(keys: readonly string[], change: () => Promise<T>): Promise<T> {
    for (const key of keys) this.#refill.forget(key);
    try {
      return await orReadError(change());
    } finally {
      for (const key of keys) this.#values.forget(key);
    }
  }
}

/** @throws ForebayError INVALID_KEY */
export function checkKey(key: string): void {
  if (key !== '' && key.length <= keyCharactersMax && key[0] !== tagMark) return;
  throw new ForebayError(
    'INVALID_KEY',
    `"${key.slice(0, 80)}" can't be a key: it must have 1 to ${keyCharactersMax} characters and not begin with ${tagMark}.`,
  );
}

/** In ms. @throws ForebayError INVALID_KEY, INVALID_VALUE */
export function checkedTtlMs(key: string, ttl: number = ttlOf(key) ?? DEFAULT_TTL.STANDARD): number {
  checkKey(key);
  if (ttl > 0 && ttl <= ttlMaxSeconds) return Math.max(1, Math.round(ttl * 1_000));
  throw new ForebayError(
    'INVALID_VALUE',
    `${key} can't live for ${ttl} s: give seconds from 0.001 up to ten years.`,
    {
      context: { key, ttl },
    },
  );
}

async function orReadError<T>(reply: Promise<T>): Promise<T> {
  try {
    return await reply;
  } catch (error) {
    throw toReadError(error);
  }
}
