/**
 * `forebay/keyv`: a storage adapter for Keyv, and so for cache-manager and whatever else speaks Keyv: `new
 * Keyv({ store: forebayKeyv(app) })`. Values are those of `app.cache`: shared by all processes, and in memory
 * where they are read often.
 */
import { EventEmitter } from 'node:events';
import type { KeyvStoreAdapter, StoredData } from 'keyv';
import { type CacheClient, keysStartingWith, longestTtlSeconds, startingWith } from './neighbours/entries.js';

export type { CacheService } from './cache/cache-service.js';
export type { CacheClient } from './neighbours/entries.js';

/** How an adapter keeps values. */
export interface ForebayKeyvOptions {
  /** What its keys begin with in the cache, before Keyv's own namespace. Default 'keyv'. */
  readonly prefix?: string;
}

/** An adapter for Keyv. The client stays yours: Keyv's `disconnect` leaves it open. */
export function forebayKeyv(
  client: CacheClient,
  { prefix = 'keyv' }: ForebayKeyvOptions = {},
): KeyvStoreAdapter {
  return new ForebayKeyv(client, `${prefix}:`);
}

/** Values that are read in one call for an iterator. */
const pageMax = 100;

class ForebayKeyv extends EventEmitter implements KeyvStoreAdapter {
  /** Keyv iterates over the adapters of a few dialects only. */
  readonly opts = { dialect: 'redis' };
  namespace?: string;
  readonly #client: CacheClient;
  readonly #start: string;

  constructor(client: CacheClient, start: string) {
    super();
    this.#client = client;
    this.#start = start;
  }

  async get<Value>(key: string): Promise<StoredData<Value> | undefined> {
    return (await this.#cache.get<StoredData<Value>>(this.#start + key)) ?? undefined;
  }

  async getMany<Value>(keys: string[]): Promise<StoredData<Value | undefined>[]> {
    const found = await this.#cache.mget<StoredData<Value>>(keys.map((key) => this.#start + key));
    return found.map((value) => value ?? undefined);
  }

  async set(key: string, value: unknown, ttlMs?: number): Promise<void> {
    await this.#cache.set(this.#start + key, value, toSeconds(ttlMs));
  }

  async setMany(values: { key: string; value: unknown; ttl?: number }[]): Promise<void> {
    await this.#cache.mset(
      values.map(({ key, value, ttl }) => ({ key: this.#start + key, value, ttl: toSeconds(ttl) })),
    );
  }

  delete(key: string): Promise<boolean> {
    return this.#cache.delete(this.#start + key);
  }

  /** False: there was none of them. */
  async deleteMany(keys: string[]): Promise<boolean> {
    return (await this.#cache.mdelete(keys.map((key) => this.#start + key))) > 0;
  }

  /** Those of the namespace, where there is one. */
  async clear(): Promise<void> {
    await this.#cache.invalidatePattern(startingWith(this.#startOf(this.namespace)));
  }

  has(key: string): Promise<boolean> {
    return this.#cache.exists(this.#start + key);
  }

  hasMany(keys: string[]): Promise<boolean[]> {
    return Promise.all(keys.map((key) => this.has(key)));
  }

  async *iterator<Value>(
    namespace?: string,
  ): AsyncGenerator<Array<string | Awaited<Value> | undefined>, void> {
    const keys = await keysStartingWith(this.#client, this.#startOf(namespace));
    for (let i = 0; i < keys.length; i += pageMax) {
      const page = keys.slice(i, i + pageMax);
      const values = await this.#cache.mget<Awaited<Value>>(page);
      for (const [at, key] of page.entries()) {
        const value = values[at];
        // It ended since it was found.
        if (value !== null) yield [key.slice(this.#start.length), value];
      }
    }
  }

  async disconnect(): Promise<void> {
    this.removeAllListeners();
  }

  get #cache(): CacheClient['cache'] {
    return this.#client.cache;
  }

  #startOf(namespace: string | undefined): string {
    return namespace ? `${this.#start}${namespace}:` : this.#start;
  }
}

function toSeconds(ttlMs: number | undefined): number {
  return ttlMs === undefined ? longestTtlSeconds : Math.min(ttlMs / 1_000, longestTtlSeconds);
}
