/** What the cache did, counted for each namespace: what a key has before its first colon. */

import type { CacheCounts, CacheStatistics } from '../cache-statistics.js';
import type { Emit } from '../events.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * Beyond so many namespaces, the others are counted together: keys without a structure would be a namespace
 * each.
 */
const namespacesMax = 1_000;
const otherNamespaces = 'other';

export class StatisticsCounter {
  readonly #counts = new Map<string, Mutable<CacheCounts>>();
  #latencyCount = 0;
  #latencySumMs = 0;
  #latencyMaxMs = 0;

  /** The counts of a key's namespace, to be added to. */
  of(key: string): Mutable<CacheCounts> {
    const colon = key.indexOf(':');
    const namespace = colon === -1 ? key : key.slice(0, colon);
    return this.#counts.get(namespace) ?? this.#begin(namespace);
  }

  /** A call to Redis that took so long. */
  took(ms: number): void {
    this.#latencyCount += 1;
    this.#latencySumMs += ms;
    if (ms > this.#latencyMaxMs) this.#latencyMaxMs = ms;
  }

  read(): CacheStatistics {
    const total = sum([...this.#counts.values()]);
    const { hits, misses, sets, deletes } = total;
    return {
      ...total,
      operations: hits + misses + sets + deletes,
      hitRate: hitRate(total),
      latency: {
        count: this.#latencyCount,
        meanMs: this.#latencyCount === 0 ? 0 : this.#latencySumMs / this.#latencyCount,
        maxMs: this.#latencyMaxMs,
      },
      byNamespace: Object.fromEntries(
        [...this.#counts].map(([name, counts]) => [name, { ...counts, hitRate: hitRate(counts) }]),
      ),
    };
  }

  reset(): void {
    this.#counts.clear();
    this.#latencyCount = 0;
    this.#latencySumMs = 0;
    this.#latencyMaxMs = 0;
  }

  #begin(namespace: string): Mutable<CacheCounts> {
    const name = this.#counts.size < namespacesMax ? namespace : otherNamespaces;
    const counts = this.#counts.get(name) ?? noCounts();
    this.#counts.set(name, counts);
    return counts;
  }
}

/**
 * Tells `cache.statistics` at intervals in which something was counted, and once more when it is stopped.
 * Returns what stops it.
 */
export function tellStatistics(counter: StatisticsCounter, emit: Emit, everyMs: number): () => void {
  let told = 0;
  const tell = (): void => {
    const statistics = counter.read();
    const count = statistics.operations + statistics.loads + statistics.errors;
    if (count !== told) emit({ type: 'cache.statistics', statistics });
    told = count;
  };
  const timer = setInterval(tell, everyMs);
  timer.unref();
  return () => {
    clearInterval(timer);
    tell();
  };
}

function noCounts(): Mutable<CacheCounts> {
  return {
    hits: 0,
    l1Hits: 0,
    staleHits: 0,
    misses: 0,
    waits: 0,
    loads: 0,
    loadFailures: 0,
    sets: 0,
    deletes: 0,
    errors: 0,
  };
}

function sum(all: readonly CacheCounts[]): CacheCounts {
  const total = noCounts();
  for (const counts of all) {
    for (const name of Object.keys(total) as (keyof CacheCounts)[]) total[name] += counts[name];
  }
  return total;
}

function hitRate({ hits, misses }: CacheCounts): number {
  return hits + misses === 0 ? 0 : hits / (hits + misses);
}
