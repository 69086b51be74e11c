/**
 * The one way in which values are read: from the cache, else loaded under a lease. README.md has the steps.
 */
import type { RefreshWhen } from '../../definitions/computed.js';
import type { ValueHead } from '../entry/value-entry.js';
import type { StatisticsCounter } from '../statistics.js';
import type { Found, ValueStore } from '../value-store.js';
import type { LeasedLoads } from './leased-loads.js';
import type { LoadMany } from './loading.js';
import { type ReadOptions, type ReadPlan, toPlan } from './read-options.js';
import { type DueValue, isRefreshDue, type RefreshAhead } from './refresh-ahead.js';
import type { Staleness } from './staleness.js';
import { type MissingValue, toMissed, ValuePort, type ValuePortParts } from './value-port.js';

export interface ReadThroughDependencies {
  readonly parts: ValuePortParts;
  readonly loads: LeasedLoads<unknown>;
  readonly staleness: Staleness;
}

/** A fresh value that was found. */
export interface Hit {
  readonly head: ValueHead;
  /** How often it was read in this process's memory. */
  readonly reads?: number;
}

export class ReadThrough {
  readonly #parts: ValuePortParts;
  readonly #values: ValueStore;
  readonly #statistics: StatisticsCounter;
  readonly #loads: LeasedLoads<unknown>;
  readonly #staleness: Staleness;

  constructor({ parts, loads, staleness }: ReadThroughDependencies) {
    this.#parts = parts;
    this.#values = parts.values;
    this.#statistics = parts.statistics;
    this.#loads = loads;
    this.#staleness = staleness;
  }

  /**
   * @throws what the loader throws, when there is no stale value to serve; ForebayError LOAD_TIMEOUT,
   * TOO_MANY_LOADS, INVALID_VALUE, VALUE_TOO_LARGE; the signal's reason
   */
  read<T>(key: string, load: LoadMany<T>, options: ReadOptions): Promise<T | null> {
    if (options.forceRefresh || options.signal !== undefined) return this.#readWith(key, load, options);
    const hit = this.#values.hit(key);
    if (hit !== undefined) {
      if (options.ahead !== undefined) this.#lookAhead(key, hit, options.ahead, options.ttlMs);
      return Promise.resolve(hit.value as T | null);
    }
    return this.#values
      .look(key, options.memoryTtlMs)
      .then((found) => this.#answer({ key, found }, load, options));
  }

  /** The value, when it is in this process's memory: at once. It counts as a hit. */
  fromMemory<T>(key: string): (Hit & { readonly value: T | null }) | undefined {
    return this.#values.hit(key) as (Hit & { value: T | null }) | undefined;
  }

  async #readWith<T>(key: string, load: LoadMany<T>, options: ReadOptions): Promise<T | null> {
    const { forceRefresh, signal, ...rest } = options;
    signal?.throwIfAborted();
    const read = forceRefresh
      ? this.#answer({ key, found: { kind: 'missing', seen: 'anything' } }, load, options)
      : this.read(key, load, rest);
    return signal === undefined ? read : untilAborted(Promise.resolve(read), signal);
  }

  #answer<T>(
    { key, found }: { key: string; found: Found },
    load: LoadMany<T>,
    options: ReadOptions,
  ): T | null | Promise<T | null> {
    const counts = this.#statistics.of(key);
    if (found.kind === 'fresh') {
      counts.hits += 1;
      if (options.ahead !== undefined) this.#lookAhead(key, found, options.ahead, options.ttlMs);
      return found.value as T | null;
    }
    counts.misses += 1;
    const [value] = this.#load([{ key, found }], load, toPlan(options)) as [Promise<T | null>];
    return value;
  }

  #load<T>(missing: readonly MissingValue[], load: LoadMany<T>, plan: ReadPlan): Promise<T | null>[] {
    const port = new ValuePort(this.#parts, missing, load, plan);
    const fresh = this.#loads.read(missing.map(toMissed), port, plan);
    return missing.map((one, i) =>
      this.#staleness.answer(one, fresh[i] as Promise<unknown>, plan),
    ) as Promise<T | null>[];
  }

  /** What a hit finds due to be computed anew. */
  dueOf({ head, reads = 1 }: Hit, when: RefreshWhen, ttlMs: number): DueValue | undefined {
    const freshForMs = this.#values.freshForMs(head);
    const isDue = isRefreshDue(when, { freshForMs, ttlMs, loadMs: head.loadMs });
    return isDue ? { head, freshForMs, reads } : undefined;
  }

  #lookAhead(key: string, hit: Hit, { when, refresh }: RefreshAhead, ttlMs: number): void {
    const due = this.dueOf(hit, when, ttlMs);
    if (due !== undefined) refresh(key, due);
  }

  /**
   * Values in the order of `keys`, null where there is none: one round trip for hits, one load for misses.
   * @throws as `read`
   */
  async readMany<T>(keys: readonly string[], load: LoadMany<T>, options: ReadOptions): Promise<(T | null)[]> {
    options.signal?.throwIfAborted();
    const plan = toPlan(options);
    const values = new Map<string, T | null>();
    const missing = await this.#takeHits(new Set(keys), values, options);
    const loading = Promise.all(this.#load(missing, load, plan));
    const loaded = await (options.signal === undefined ? loading : untilAborted(loading, options.signal));
    missing.forEach(({ key }, i) => {
      values.set(key, loaded[i] as T | null);
    });
    return keys.map((key) => values.get(key) ?? null);
  }

  /** Puts what is cached into `values`, and returns the others. */
  async #takeHits<T>(
    keys: ReadonlySet<string>,
    values: Map<string, T | null>,
    options: ReadOptions,
  ): Promise<MissingValue[]> {
    if (options.forceRefresh)
      return [...keys].map((key) => ({ key, found: { kind: 'missing', seen: 'anything' } }));
    for (const key of keys) {
      const hit = this.#values.hit(key);
      if (hit === undefined) continue;
      if (options.ahead !== undefined) this.#lookAhead(key, hit, options.ahead, options.ttlMs);
      values.set(key, hit.value as T | null);
    }
    const far = [...keys].filter((key) => !values.has(key));
    const found = await this.#values.lookMany(far);
    return far.flatMap((key, i): MissingValue[] => {
      const one = found[i] as Found;
      const counts = this.#statistics.of(key);
      if (one.kind !== 'fresh') {
        counts.misses += 1;
        return [{ key, found: one }];
      }
      counts.hits += 1;
      if (options.ahead !== undefined) this.#lookAhead(key, one, options.ahead, options.ttlMs);
      values.set(key, one.value as T | null);
      return [];
    });
  }
}

function untilAborted<T>(value: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    value.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
