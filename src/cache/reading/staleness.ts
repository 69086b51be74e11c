/** Values that are too old and may still be served: at once, or in place of a load that is slow or fails. */
import type { ValueEntry } from '../entry/value-entry.js';
import type { StatisticsCounter } from '../statistics.js';
import type { ValueStore } from '../value-store.js';
import type { ReadPlan } from './read-options.js';
import type { MissingValue } from './value-port.js';

type Counts = ReturnType<StatisticsCounter['of']>;

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
    // Those that have counted the miss just now: by the time that it is served, they may have been reset.
    const counts = this.#statistics.of(key);
    return plan.isServedStale ? this.#serve(counts, stale) : this.#unlessLate(counts, stale, inTime, plan);
  }

  async #unlessLate(
    counts: Counts,
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
    return value === none ? this.#serve(counts, stale) : value;
  }

  async #serve(counts: Counts, stale: ValueEntry): Promise<unknown> {
    counts.staleHits += 1;
    counts.hits += 1;
    counts.misses -= 1;
    return this.#values.decode(stale);
  }
}
