/** A computed store as an app holds it. */
import type { Cache } from '../../cache/cache.js';
import type { Key } from '../../cache/cache-service.js';
import { checkedLifeMs, checkedTtlMs, checkKey, checkRefreshWhen } from '../../cache/checks.js';
import type { LoadMany } from '../../cache/reading/loading.js';
import type { ReadOptions } from '../../cache/reading/read-options.js';
import type { RecomputeFailure, RecomputeOutcome } from '../../cache/reading/recompute.js';
import type { DueValue, RefreshAhead } from '../../cache/reading/refresh-ahead.js';
import type { Hottest } from '../../cache/redis/hottest.js';
import { toReadError } from '../../connection/redis.js';
import { partsOf } from '../../definitions/cache-key.js';
import type { ComputedStore, RefreshWhen } from '../../definitions/computed.js';
import { ForebayError } from '../../errors.js';
import { checkList, checkNumber, notGiven } from '../../given.js';
import type { ReadSample } from '../reading/read-sample.js';
import type { RefreshRequests } from '../reading/refresh-requests.js';

export interface ComputedClientDependencies {
  readonly cache: Cache;
  readonly prisma: unknown;
  readonly requests: RefreshRequests;
  readonly hottest: Pick<Hottest, 'top'>;
  /** Of a store whose hottest values are warmed. */
  readonly sample: Pick<ReadSample, 'count'> | undefined;
}

/** A warmed value that stays fresh for less than this share of its life is computed anew. */
const warmUntilShare = 0.5;
/** More than any store has counted. */
const idsMax = 10_000_000;

/** What came of values that were to be warmed. */
export interface WarmCounts {
  /** They were missing or old, and are computed now. */
  readonly computed: number;
  /** They were fresh already. */
  readonly fresh: number;
  /** Ids without a value. */
  readonly absent: number;
  /** Why the others could not be computed, or not be cached. */
  readonly failures: readonly { readonly id: string; readonly error: unknown }[];
}

/** Whose values a call is about, and what it wants else than the store. */
interface Call {
  readonly idOf: (key: string) => string;
  readonly when?: RefreshWhen;
  readonly ttlMs?: number | undefined;
}

/** A computed store as an app holds it: `app.stores.<its name>`. */
export class ComputedClient<Value> {
  readonly #cache: Cache;
  readonly #store: ComputedStore;
  readonly #prisma: unknown;
  readonly #requests: RefreshRequests;
  readonly #hottest: ComputedClientDependencies['hottest'];
  readonly #sample: ComputedClientDependencies['sample'];

  /** @internal */
  constructor(
    { cache, prisma, requests, hottest, sample }: ComputedClientDependencies,
    store: ComputedStore,
  ) {
    this.#hottest = hottest;
    this.#cache = cache;
    this.#store = store;
    this.#prisma = prisma;
    this.#requests = requests;
    this.#sample = sample;
  }

  /**
   * The value, or null when there is none: from the cache, else computed once for all callers of all
   * processes. With the store's option `refresh`, a read in the last part of its fresh life has a worker
   * compute it anew.
   * @throws what the loader throws, when there is no value in grace; ForebayError INVALID_ID, LOAD_TIMEOUT,
   * TOO_MANY_LOADS
   */
  get(id: string): Promise<Value | null> {
    try {
      const key = this.#keyOf(id);
      this.#sample?.count(id);
      const hit = this.#cache.reads.fromMemory<Value>(key);
      if (hit === undefined) return this.#read(key, { idOf: () => id });
      const when = this.#store.refreshWhen;
      const due = when && this.#cache.reads.dueOf(hit, when, this.#ttlMs(key));
      if (due) this.#request(id, due);
      return Promise.resolve(hit.value);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Values in the order of `ids`, null where there is none: one round trip for hits, one load for misses.
   * @throws as `get`
   */
  async getMany(ids: readonly string[]): Promise<(Value | null)[]> {
    checkList('Ids', ids);
    const keys = ids.map((id) => this.#keyOf(id));
    const [first] = keys;
    if (first === undefined) return [];
    if (this.#sample) for (const id of ids) this.#sample.count(id);
    const call = callFor(keys, ids);
    return this.#cache.reads.readMany(keys, this.#loader(call), this.#readOptions(first, call));
  }

  /** Computes the value anew, whatever is cached. @throws as `get` */
  async refresh(id: string): Promise<Value | null> {
    const key = this.#keyOf(id);
    const call = { idOf: () => id };
    const options = { ...this.#readOptions(key, call), forceRefresh: true };
    return this.#cache.reads.read(key, this.#loader(call), options);
  }

  /** After what it is computed from has changed. @throws ForebayError REDIS_UNAVAILABLE */
  async invalidate(id: string): Promise<void> {
    await this.#cache.service.delete(this.#keyOf(id));
  }

  /**
   * Computes values before they are read: those that are missing, or in the second half of their fresh life,
   * with one load. A value that something newer overtakes meanwhile counts as fresh.
   * @param ttlMs their fresh life; default: as of other values of the store
   * @throws ForebayError INVALID_ID, INVALID_VALUE, REDIS_UNAVAILABLE
   */
  async warm(ids: readonly string[], ttlMs?: number): Promise<WarmCounts> {
    checkList('Ids', ids);
    const different = [...new Set(ids)];
    const keys = different.map((id) => this.#keyOf(id));
    const [first] = keys;
    if (first === undefined) return { computed: 0, fresh: 0, absent: 0, failures: [] };
    const call = callFor(keys, different);
    if (ttlMs !== undefined) checkedLifeMs(first, ttlMs);
    const options = this.#readOptions(first, { ...call, ttlMs });
    const freshForMs = options.ttlMs * warmUntilShare;
    const { failures, ...counts } = await this.#cache.recompute
      .missingOf(keys, freshForMs, this.#loader(call), options)
      .catch(throwReadError);
    return { ...counts, failures: failures.map(({ key, error }) => ({ id: call.idOf(key), error })) };
  }

  /**
   * Ids that apps have read most, lately: of a store with `warm: { list: 'hottest' }`. The hottest first.
   * @throws ForebayError INVALID_VALUE, REDIS_UNAVAILABLE
   */
  async hottest(max: number): Promise<string[]> {
    checkNumber('The most ids', max, [0, idsMax]);
    try {
      return await this.#hottest.top(this.#store.name, Math.floor(max));
    } catch (error) {
      throw toReadError(error);
    }
  }

  /**
   * @internal For refresh workers: computes the values that take the place of those that reads found due,
   * with one load. What came of each, in their order. Ids must differ.
   * @param due with the ids of those values, as `seen`
   * @throws ForebayError REDIS_UNAVAILABLE
   */
  async computeSuccessors(
    due: readonly { readonly id: string; readonly seen: string }[],
    ttlMs?: number,
  ): Promise<(RecomputeOutcome | RecomputeFailure)[]> {
    const values = due.map(({ id, seen }) => ({ key: this.#keyOf(id), seen }));
    const [first] = values;
    if (first === undefined) return [];
    // Whoever asked for it wants to know of the next one too what its load took.
    const call: Call = {
      ...callFor(
        values.map(({ key }) => key),
        due.map(({ id }) => id),
      ),
      ttlMs,
      when: this.#store.refreshWhen ?? 'xfetch',
    };
    return this.#cache.recompute
      .successorsOf(values, this.#loader(call), this.#readOptions(first.key, call))
      .catch(throwReadError);
  }

  /**
   * For the pattern `refreshAhead`: as `get`, with a threshold and a life of the caller's.
   * @throws ForebayError INVALID_KEY when the key is not of this store, INVALID_VALUE
   */
  async getAhead(key: Key<Value>, when: RefreshWhen, ttlMs?: number): Promise<Value | null> {
    const id = this.#idOf(key);
    checkRefreshWhen(key, when);
    if (ttlMs !== undefined) checkedLifeMs(key, ttlMs);
    this.#sample?.count(id);
    return this.#read(key, { idOf: () => id, when, ttlMs });
  }

  #read(key: Key<Value>, call: Call): Promise<Value | null> {
    return this.#cache.reads.read(key, this.#loader(call), this.#readOptions(key, call));
  }

  #keyOf(id: string): Key<Value> {
    const key: Key<Value> = this.#store.options.key(id);
    checkKey(key);
    return key;
  }

  #idOf(key: string): string {
    const id = partsOf(key).ids.join(':');
    if (this.#keyOf(id) === key) return id;
    throw new ForebayError('INVALID_KEY', `${key} is no key of store "${this.#store.name}".`, {
      context: { key, store: this.#store.name },
    });
  }

  #readOptions(key: string, call: Call): ReadOptions {
    const { graceMs, loadTimeoutMs, tags } = this.#store.options;
    const when = call.when ?? this.#store.refreshWhen;
    return {
      ttlMs: call.ttlMs ?? this.#ttlMs(key),
      isServedStale: true,
      ...(graceMs === undefined ? {} : { graceMs }),
      ...(loadTimeoutMs === undefined ? {} : { loadTimeoutMs }),
      ...(tags === undefined ? {} : { tags }),
      ...(when === undefined ? {} : { ahead: this.#ahead(when, call) }),
    };
  }

  #ttlMs(key: string): number {
    return this.#store.options.ttlMs ?? checkedTtlMs(key);
  }

  #ahead(when: RefreshWhen, { idOf, ttlMs }: Call): RefreshAhead {
    return { when, refresh: (key, due) => this.#request(idOf(key), due, ttlMs) };
  }

  #request(id: string, due: DueValue, ttlMs?: number): void {
    this.#requests.add({ store: this.#store.name, id, seen: due.head.id, ...(ttlMs && { ttlMs }) }, due);
  }

  #loader({ idOf }: Call): LoadMany<Value> {
    return async (keys, { signal }) => {
      const values = await this.#store.options.load(keys.map(idOf), {
        prisma: this.#prisma as never,
        signal,
      });
      // Whatever class of Map it is.
      if (typeof values?.get !== 'function')
        throw notGiven(`What the load of store "${this.#store.name}" gives`, 'a Map by id', values);
      return new Map([...values].map(([id, value]) => [this.#keyOf(id), value as Value]));
    };
  }
}

/** What loaders throw is among the outcomes: what is left is Redis's. */
function throwReadError(error: unknown): never {
  throw toReadError(error);
}

function callFor(keys: readonly string[], ids: readonly string[]): Call {
  const idsByKey = new Map(keys.map((key, i) => [key, ids[i] as string]));
  return { idOf: (key) => idsByKey.get(key) as string };
}
