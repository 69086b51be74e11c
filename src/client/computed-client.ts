/** A computed store as an app holds it. */
import type { Cache } from '../cache/cache.js';
import { checkedTtlMs } from '../cache/cache-service.js';
import type { LoadMany } from '../cache/loading.js';
import type { ReadOptions } from '../cache/read-options.js';
import type { ComputedDefinition } from '../definitions/computed.js';

export class ComputedClient<Value> {
  readonly #cache: Cache;
  readonly #options: ComputedDefinition<Value>['options'];
  readonly #prisma: unknown;

  constructor(cache: Cache, definition: ComputedDefinition<Value>, prisma: unknown) {
    this.#cache = cache;
    this.#options = definition.options;
    this.#prisma = prisma;
  }

  /**
   * The value, or null when there is none: from the cache, else computed once for all callers of all processes.
   * @throws what the loader throws, when there is no value in grace; ForebayError INVALID_ID, LOAD_TIMEOUT, TOO_MANY_LOADS
   */
  async get(id: string): Promise<Value | null> {
    const key = this.#options.key(id);
    return this.#cache.reads.read(key, this.#loader(new Map([[key, id]])), this.#readOptions(key));
  }

  /** Values in the order of `ids`, null where there is none: one round trip for hits, one load for misses. @throws as `get` */
  async getMany(ids: readonly string[]): Promise<(Value | null)[]> {
    const keys = ids.map((id) => this.#options.key(id));
    const [first] = keys;
    if (first === undefined) return [];
    const idsByKey = new Map(keys.map((key, i) => [key as string, ids[i] as string]));
    return this.#cache.reads.readMany(keys, this.#loader(idsByKey), this.#readOptions(first));
  }

  /** Computes the value anew, whatever is cached. @throws as `get` */
  async refresh(id: string): Promise<Value | null> {
    const key = this.#options.key(id);
    const options = { ...this.#readOptions(key), forceRefresh: true };
    return this.#cache.reads.read(key, this.#loader(new Map([[key, id]])), options);
  }

  /** After what it is computed from has changed. @throws ForebayError REDIS_UNAVAILABLE */
  async invalidate(id: string): Promise<void> {
    await this.#cache.service.delete(this.#options.key(id));
  }

  #readOptions(key: string): ReadOptions {
    const { ttlMs, graceMs, loadTimeoutMs, tags } = this.#options;
    return {
      ttlMs: ttlMs ?? checkedTtlMs(key),
      isServedStale: true,
      ...(graceMs === undefined ? {} : { graceMs }),
      ...(loadTimeoutMs === undefined ? {} : { loadTimeoutMs }),
      ...(tags === undefined ? {} : { tags }),
    };
  }

  #loader(idsByKey: ReadonlyMap<string, string>): LoadMany<Value> {
    return async (keys, { signal }) => {
      const ids = keys.map((key) => idsByKey.get(key) as string);
      const values = await this.#options.load(ids, { prisma: this.#prisma as never, signal });
      return new Map([...values].map(([id, value]) => [this.#options.key(id), value]));
    };
  }
}
