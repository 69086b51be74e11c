/** The one way in which values are read: from the cache, else loaded under a lease. README.md has the steps. */
import type { LoadMany } from './loading.js';
import { type ReadOptions, type ReadPlan, toPlan } from './read-options.js';
import type { Missing, Refill } from './refill.js';
import type { StatisticsCounter } from './statistics.js';
import type { Found, ValueStore } from './value-store.js';

export interface ReadThroughDependencies {
  readonly values: ValueStore;
  readonly refill: Refill;
  readonly statistics: StatisticsCounter;
}

export class ReadThrough {
  readonly #values: ValueStore;
  readonly #refill: Refill;
  readonly #statistics: StatisticsCounter;

  constructor(dependencies: ReadThroughDependencies) {
    this.#values = dependencies.values;
    this.#refill = dependencies.refill;
    this.#statistics = dependencies.statistics;
  }

  /**
   * @throws what the loader throws, when there is no stale value to serve; ForebayError LOAD_TIMEOUT, TOO_MANY_LOADS, INVALID_VALUE,
   * VALUE_TOO_LARGE; the signal's reason
   */
  async read<T>(key: string, load: LoadMany<T>, options: ReadOptions): Promise<T | null> {
    options.signal?.throwIfAborted();
    const hit = options.forceRefresh ? undefined : this.#values.hit(key);
    if (hit !== undefined) return hit.value as T | null;
    const plan = toPlan(options);
    const found = await this.#look(key, plan);
    if (found.kind === 'fresh') return found.value as T | null;
    const [value] = this.#refill.start([{ key, found }], load, plan) as [Promise<T | null>];
    return options.signal === undefined ? value : untilAborted(value, options.signal);
  }

  /** Values in the order of `keys`, null where there is none: one round trip for hits, one load for misses. @throws as `read` */
  async readMany<T>(keys: readonly string[], load: LoadMany<T>, options: ReadOptions): Promise<(T | null)[]> {
    options.signal?.throwIfAborted();
    const plan = toPlan(options);
    const different = [...new Set(keys)];
    const found = await Promise.all(different.map((key) => this.#look(key, plan)));
    const missing = different.flatMap((key, i): Missing[] => {
      const one = found[i] as Found;
      return one.kind === 'fresh' ? [] : [{ key, found: one }];
    });
    const loaded = Promise.all(this.#refill.start(missing, load, plan));
    const values = await (options.signal === undefined ? loaded : untilAborted(loaded, options.signal));
    const byKey = new Map(missing.map(({ key }, i) => [key, values[i] as T | null]));
    different.forEach((key, i) => {
      const one = found[i] as Found;
      if (one.kind === 'fresh') byKey.set(key, one.value as T | null);
    });
    return keys.map((key) => byKey.get(key) ?? null);
  }

  async #look(key: string, plan: ReadPlan): Promise<Found> {
    const hit = plan.isForced ? undefined : this.#values.hit(key);
    if (hit !== undefined) return { kind: 'fresh', value: hit.value };
    const counts = this.#statistics.of(key);
    const found: Found = plan.isForced ? { kind: 'missing', seen: 'anything' } : await this.#values.look(key);
    if (found.kind === 'fresh') counts.hits += 1;
    else counts.misses += 1;
    return found;
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
