/** Values that are too old and may still be served: at once, or in place of a load that is slow or fails. */
import type { ValueEntry } from '../entry/value-entry.js';
import type { StatisticsCounter } from '../statistics.js';
import type { ValueStore } from '../value-store.js';
import type { ReadPlan } from './read-options.js';
import type { MissingValue } from './value-port.js';

const none = Symbol('none');

export class Staleness {
  readonly #values: ValueStore;
  readonly #statistics: StatisticsCounter;

  constructor({ values, statistics }: { values: ValueStore; statistics: StatisticsCounter }) {
    this.#values = values;
    this.#statistics = statistics;
  }

  /** What a read gives that has found a stale value, or none, and whose load is under way. */
  answer({ key, found }: MissingValue, fresh: Promise<unknown>, plan: ReadPlan): Promise<unknown> {
    const stale = found.kind === 'missing' ? found.stale : undefined;
    if (stale === undefined) return fresh;
    const inTime = fresh.catch(() => none);
    return plan.isServedStale ? this.#serve(key, stale) : this.#unlessLate(key, stale, inTime, plan);
  }

  async #unlessLate(
    key: string,
    stale: ValueEntry,
    inTime: Promise<unknown>,
    { softTimeoutMs }: ReadPlan,
  ): Promise<unknown> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, softTimeoutMs, none);
    });
    const value = await Promise.race([inTime, late]);
    clearTimeout(timer);
    return value === none ? this.#serve(key, stale) : value;
  }

  async #serve(key: string, stale: ValueEntry): Promise<unknown> {
    const counts = this.#statistics.of(key);
    counts.staleHits += 1;
    counts.hits += 1;
    counts.misses -= 1;
    return this.#values.decode(stale);
  }
}
