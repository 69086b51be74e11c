/**
 * Computes values before they are missed, for nobody who waits: those in the last part of their life, and
 * those to be warmed.
 */
import { ForebayError } from '../../errors.js';
import type { Emit } from '../../events.js';
import { parseEntryContent, type ValueEntry } from '../entry/value-entry.js';
import type { Tier } from '../redis/redis-tier.js';
import { seenOf, type ValueStore } from '../value-store.js';
import type { LeasedLoads } from './leased-loads.js';
import type { Outcome } from './load-task.js';
import type { Loading, LoadMany } from './loading.js';
import { type ReadOptions, toPlan } from './read-options.js';
import { type MissingValue, toMissed, ValuePort, type ValuePortParts } from './value-port.js';

export interface RecomputeDependencies {
  readonly parts: ValuePortParts;
  readonly loads: LeasedLoads<unknown>;
  readonly loading: Loading;
}

/**
 * `fresh`: another value has taken the place of the one that was seen. `gone`: there is none, so nobody is
 * served by a new one.
 */
export type RecomputeOutcome = 'computed' | 'absent' | 'overtaken' | 'fresh' | 'gone';

/** Why there is none: the load failed, or Redis did not keep its value. */
export interface RecomputeFailure {
  readonly error: unknown;
}

type Renewal = 'computed' | 'absent' | 'overtaken' | RecomputeFailure;

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
  readonly #parts: ValuePortParts;
  readonly #tier: Tier;
  readonly #values: ValueStore;
  readonly #loads: LeasedLoads<unknown>;
  readonly #loading: Loading;
  readonly #emit: Emit;
  readonly #underWay = new Set<string>();

  constructor({ parts, loads, loading }: RecomputeDependencies) {
    this.#parts = parts;
    this.#tier = parts.tier;
    this.#values = parts.values;
    this.#emit = parts.emit;
    this.#loads = loads;
    this.#loading = loading;
  }

  /**
   * Computes the values that take the place of those with the ids `seen`: one look at all of them, and one
   * load. What came of each, in their order; one whose load failed stays as it is. Keys must differ.
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
      ({ key, seen }): MissingValue => ({ key, found: { kind: 'missing', seen: { id: seen } } }),
    );
    const renewals = await this.#renew(missing, load, options);
    return outcomes.map((outcome) => outcome ?? (renewals.shift() as Renewal));
  }

  async #renew<T>(
    missing: readonly MissingValue[],
    load: LoadMany<T>,
    options: ReadOptions,
  ): Promise<Renewal[]> {
    if (missing.length === 0) return [];
    const port = new ValuePort(this.#parts, missing, load, toPlan(options));
    const results = await this.#loads.renew(missing.map(toMissed), port);
    return results.map((result, i) => toRenewal((missing[i] as MissingValue).key, result));
  }

  /**
   * The same in the background of a read, once at a time for a key. A load that failed is counted, and not
   * repeated at once.
   */
  inBackground<T>(key: string, seen: string, load: LoadMany<T>, options: ReadOptions): void {
    if (this.#underWay.has(key) || this.#loading.failureOf(key) !== undefined) return;
    this.#underWay.add(key);
    this.successorsOf([{ key, seen }], load, options)
      .catch((error: unknown) => this.#emit({ type: 'cache.failed', key, error }))
      .finally(() => this.#underWay.delete(key));
  }

  /**
   * Computes those values that are missing, stale, or fresh for less than `freshForMs`: one look at all of
   * them, and one load. Keys must differ.
   * @throws what Redis throws
   */
  async missingOf<T>(
    keys: readonly string[],
    freshForMs: number,
    load: LoadMany<T>,
    options: ReadOptions,
  ): Promise<RecomputeCounts> {
    const contents = await this.#tier.getMany(keys);
    const missing: MissingValue[] = [];
    for (const [i, key] of keys.entries()) {
      const entry = parseEntryContent(contents[i] ?? null).value;
      if (entry !== undefined && (await this.#staysFresh(key, entry, freshForMs))) continue;
      missing.push({
        key,
        found: { kind: 'missing', seen: entry === undefined ? 'nothing' : seenOf(entry) },
      });
    }
    const renewals = await this.#renew(missing, load, options);
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

function toRenewal(key: string, result: PromiseSettledResult<Outcome<unknown>>): Renewal {
  if (result.status === 'rejected') return { error: result.reason as unknown };
  const { value, fill } = result.value;
  if (fill?.kind === 'failed') return { error: fill.error };
  if (fill?.kind === 'unleased') return { error: unleased(key) };
  if (fill?.kind === 'revoked') return 'overtaken';
  return value === null ? 'absent' : 'computed';
}

function counted(
  fresh: number,
  missing: readonly MissingValue[],
  renewals: readonly Renewal[],
): RecomputeCounts {
  const count = (kind: Renewal): number => renewals.filter((one) => one === kind).length;
  const failures = renewals.flatMap((one, i) =>
    typeof one === 'object' ? [{ key: (missing[i] as MissingValue).key, error: one.error }] : [],
  );
  return {
    computed: count('computed'),
    fresh: fresh + count('overtaken'),
    absent: count('absent'),
    failures,
  };
}

function unleased(key: string): ForebayError {
  return new ForebayError(
    'REDIS_UNAVAILABLE',
    `${key} was computed, but Redis did not answer. Try again later.`,
    { retryable: true, context: { key } },
  );
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
