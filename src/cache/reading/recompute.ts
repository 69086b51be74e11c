/** Computes values before they are missed, for nobody who waits: those in the last part of their life, and those to be warmed. */
import { ForebayError } from '../../errors.js';
import type { Emit } from '../../events.js';
import { parseEntryContent, type ValueEntry } from '../entry/value-entry.js';
import type { RedisTier } from '../redis/redis-tier.js';
import { seenOf, type ValueStore } from '../value-store.js';
import type { Loading, LoadMany } from './loading.js';
import { type ReadOptions, toPlan } from './read-options.js';
import type { Missing, Refill, Renewal } from './refill.js';

export interface RecomputeDependencies {
  readonly tier: RedisTier;
  readonly values: ValueStore;
  readonly refill: Refill;
  readonly loading: Loading;
  readonly emit: Emit;
}

/** `fresh`: another value has taken the place of the one that was seen. `gone`: there is none, so nobody is served by a new one. */
export type RecomputeOutcome = 'computed' | 'absent' | 'overtaken' | 'fresh' | 'gone';

/** Why there is none: the load failed, or Redis did not keep its value. */
export interface RecomputeFailure {
  readonly error: unknown;
}

/** A value that a read found due. */
export interface SeenValue {
  readonly key: string;
  /** The value's id. */
  readonly seen: string;
}

/** How many of some values came to which end. */
export interface RecomputeCounts {
  readonly computed: number;
  readonly fresh: number;
  readonly absent: number;
  /** Why the others could not be computed, or not be cached. */
  readonly failures: readonly { readonly key: string; readonly error: unknown }[];
}

export class Recompute {
  readonly #tier: RedisTier;
  readonly #values: ValueStore;
  readonly #refill: Refill;
  readonly #loading: Loading;
  readonly #emit: Emit;
  readonly #underWay = new Set<string>();

  constructor(dependencies: RecomputeDependencies) {
    this.#tier = dependencies.tier;
    this.#values = dependencies.values;
    this.#refill = dependencies.refill;
    this.#loading = dependencies.loading;
    this.#emit = dependencies.emit;
  }

  /**
   * Computes the values that take the place of those with the ids `seen`: one look at all of them, and one load. What came of each, in their order; one whose load
   * failed stays as it is. Keys must differ.
   * @throws what Redis throws
   */
  async successorsOf<T>(
    values: readonly SeenValue[],
    load: LoadMany<T>,
    options: ReadOptions,
  ): Promise<(RecomputeOutcome | RecomputeFailure)[]> {
    const contents = await this.#tier.getMany(values.map(({ key }) => key));
    const outcomes = values.map(({ seen }, i) => lookOutcome(seen, contents[i] ?? null));
    const due = values.filter((_, i) => outcomes[i] === undefined);
    const missing = due.map(
      ({ key, seen }): Missing => ({ key, found: { kind: 'missing', seen: { id: seen } } }),
    );
    const renewals = missing.length === 0 ? [] : await this.#refill.renew(missing, load, toPlan(options));
    return outcomes.map((outcome) => outcome ?? toOutcome(renewals.shift() as Renewal));
  }

  /** The same in the background of a read, once at a time for a key. A load that failed is counted, and not repeated at once. */
  inBackground<T>(key: string, seen: string, load: LoadMany<T>, options: ReadOptions): void {
    if (this.#underWay.has(key) || this.#loading.failureOf(key) !== undefined) return;
    this.#underWay.add(key);
    this.successorsOf([{ key, seen }], load, options)
      .catch((error: unknown) => this.#emit({ type: 'cache.failed', key, error }))
      .finally(() => this.#underWay.delete(key));
  }

  /**
   * Computes those values that are missing, stale, or fresh for less than `freshForMs`: one look at all of them, and one load. Keys must differ.
   * @throws what Redis throws
   */
  async missingOf<T>(
    keys: readonly string[],
    freshForMs: number,
    load: LoadMany<T>,
    options: ReadOptions,
  ): Promise<RecomputeCounts> {
    const contents = await this.#tier.getMany(keys);
    const missing: Missing[] = [];
    for (const [i, key] of keys.entries()) {
      const entry = parseEntryContent(contents[i] ?? null).value;
      if (entry !== undefined && (await this.#staysFresh(key, entry, freshForMs))) continue;
      missing.push({
        key,
        found: { kind: 'missing', seen: entry === undefined ? 'nothing' : seenOf(entry) },
      });
    }
    const renewals = missing.length === 0 ? [] : await this.#refill.renew(missing, load, toPlan(options));
    return counted(keys.length - missing.length, missing, renewals);
  }

  async #staysFresh(key: string, entry: ValueEntry, freshForMs: number): Promise<boolean> {
    if (this.#values.freshForMs(entry) < freshForMs) return false;
    const found = await this.#values.evaluate(key, entry);
    // Without an answer about its tags nothing can be filled either.
    if (found.kind === 'unknown') throw unknownFreshness(key, found.error);
    return found.kind === 'fresh';
  }
}

/** What the look at an entry says already. */
function lookOutcome(seen: string, content: string | null): 'gone' | 'fresh' | undefined {
  const entry = parseEntryContent(content).value;
  if (entry === undefined) return 'gone';
  return entry.id === seen ? undefined : 'fresh';
}

function toOutcome(renewal: Renewal): RecomputeOutcome | RecomputeFailure {
  return renewal.kind === 'failed' ? { error: renewal.error } : renewal.kind;
}

function counted(fresh: number, missing: readonly Missing[], renewals: readonly Renewal[]): RecomputeCounts {
  const count = (kind: Renewal['kind']): number => renewals.filter((one) => one.kind === kind).length;
  const failures = renewals.flatMap((one, i) =>
    one.kind === 'failed' ? [{ key: (missing[i] as Missing).key, error: one.error }] : [],
  );
  return {
    computed: count('computed'),
    fresh: fresh + count('overtaken'),
    absent: count('absent'),
    failures,
  };
}

function unknownFreshness(key: string, cause: unknown): ForebayError {
  return new ForebayError(
    'REDIS_UNAVAILABLE',
    `Redis did not say whether ${key} is fresh. Try again later.`,
    {
      retryable: true,
      cause,
    },
  );
}
