/**
 * Cached values that a read missed: claimed, loaded with the caller's loader, and filled. Made for each read
 * that misses some.
 */
import type { CacheCounts } from '../../cache-statistics.js';
import type { Emit } from '../../events.js';
import { tagMark } from '../../keys.js';
import type { TagVersions, ValueEntry } from '../entry/value-entry.js';
import type { Tier } from '../redis/redis-tier.js';
import type { StatisticsCounter } from '../statistics.js';
import type { NotFresh, ValueStore } from '../value-store.js';
import type { Missed } from './load-task.js';
import type { LoadContext, LoadMany } from './loading.js';
import type { Claim, Fill, Filled, Lease, Loaded, Look, Port } from './port.js';
import type { ReadPlan } from './read-options.js';

/** Values that were written behind and may not be in the database yet. */
export type PendingOf = (keys: readonly string[]) => Promise<ReadonlyMap<string, unknown>>;

export interface ValuePortParts {
  readonly tier: Tier;
  readonly values: ValueStore;
  readonly statistics: StatisticsCounter;
  readonly pendingOf: PendingOf;
  readonly emit: Emit;
}

/** A key whose value is missing, and what the look at it found. */
export interface MissingValue {
  readonly key: string;
  readonly found: NotFresh;
}

export function toMissed({ key, found }: MissingValue): Missed {
  return found.kind === 'unknown' ? { key, away: found } : { key, lease: found.lease };
}

/** A value that was loaded, null when there is none, and what is to be kept with it. */
interface LoadedValue extends Loaded<unknown> {
  /** None: Redis did not tell them, so it must not be filled. */
  readonly tags: TagVersions | undefined;
  readonly loadMs: number;
}

const noTags: TagVersions = new Map();
const nothingSeen = {};

export class ValuePort implements Port<unknown, object, LoadedValue> {
  readonly onRedisAway = 'load';
  readonly #parts: ValuePortParts;
  readonly #load: LoadMany<unknown>;
  readonly #plan: ReadPlan;
  /** What was found of each key so far: too old, or nothing. */
  readonly #found: Map<string, NotFresh>;

  constructor(
    parts: ValuePortParts,
    missing: readonly MissingValue[],
    load: LoadMany<unknown>,
    plan: ReadPlan,
  ) {
    this.#parts = parts;
    this.#load = load;
    this.#plan = plan;
    this.#found = new Map(missing.map(({ key, found }) => [key, found]));
  }

  get loadTimeoutMs(): number {
    return this.#plan.loadTimeoutMs;
  }

  get leaseMs(): number {
    return this.#plan.leaseMs;
  }

  /** A lease outlives an invalidation of a tag. */
  get isLeaseProof(): boolean {
    return this.#plan.tags.length === 0;
  }

  nameOf(key: string): string {
    return key;
  }

  countsOf(key: string): { -readonly [K in keyof CacheCounts]: CacheCounts[K] } {
    return this.#parts.statistics.of(key);
  }

  look(keys: readonly string[]): Promise<Look<unknown, object>>[] {
    return keys.map((key) => this.#claim(key));
  }

  renew(leases: readonly Lease[]): Promise<Look<unknown, object>>[] {
    return leases.map(({ key, token }) => this.#claim(key, token));
  }

  async #claim(key: string, token?: string): Promise<Look<unknown, object>> {
    const found = this.#found.get(key) as NotFresh;
    if (found.kind === 'unknown') return { kind: 'away', error: found.error };
    try {
      const claim = await this.#parts.tier.claim(key, found.seen, this.#plan.leaseMs, token);
      return claim.kind === 'value'
        ? { kind: 'value', value: this.#open(key, claim.entry) }
        : { ...claim, seen: nothingSeen };
    } catch (error) {
      this.countsOf(key).errors += 1;
      this.#parts.emit({ type: 'cache.failed', key, error });
      return { kind: 'away', error };
    }
  }

  async #open(key: string, entry: ValueEntry): Promise<unknown> {
    const found = await this.#parts.values.evaluate(key, entry);
    // To `undefined`, the loads would look again.
    if (found.kind === 'fresh') return found.value ?? null;
    this.#found.set(key, found);
    return undefined;
  }

  async load(claims: readonly Claim<object>[], context: LoadContext): Promise<Map<string, LoadedValue>> {
    const isAway = claims.some(({ seen }) => seen === undefined);
    const keys = claims.map(({ key }) => key);
    // [FC-TAG-BEFORE] An invalidation during the load must make the value stale.
    const tags = await this.#tagVersions();
    const startedAt = performance.now();
    const values = isAway ? await this.#load(keys, context) : await this.#loadUnlessPending(keys, context);
    const loadMs = performance.now() - startedAt;
    return new Map(
      keys.map((key) => [key, { value: values.get(key) ?? null, isProven: true, tags, loadMs }]),
    );
  }

  async #tagVersions(): Promise<TagVersions | undefined> {
    const { tags } = this.#plan;
    if (tags.length === 0) return noTags;
    try {
      return await this.#parts.tier.tagVersions(tags);
    } catch (error) {
      this.#parts.emit({ type: 'cache.failed', key: tags.map((tag) => tagMark + tag).join(', '), error });
      return undefined;
    }
  }

  /** What is pending is newer than what the database has. */
  async #loadUnlessPending(
    keys: readonly string[],
    context: LoadContext,
  ): Promise<ReadonlyMap<string, unknown>> {
    const pending = await this.#parts.pendingOf(keys);
    if (pending.size === 0) return this.#load(keys, context);
    const others = keys.filter((key) => !pending.has(key));
    return others.length === 0 ? pending : new Map([...(await this.#load(others, context)), ...pending]);
  }

  fill(loads: readonly Filled<LoadedValue>[]): Promise<Fill>[] {
    return loads.map((one) => this.#fill(one));
  }

  async #fill({ key, token, loaded }: Filled<LoadedValue>): Promise<Fill> {
    const { value, tags, loadMs } = loaded;
    if (tags === undefined) return { kind: 'unleased' };
    const ttlMs = value === null ? this.#plan.absentTtlMs : this.#plan.ttlMs;
    if (ttlMs === 0) {
      await this.#release({ key, token }, { isRestored: false });
      return { kind: 'filled' };
    }
    const graceMs = value === null ? 0 : this.#plan.graceMs;
    const life = { ttlMs, graceMs, ...(this.#plan.isRefreshedAhead && value !== null ? { loadMs } : {}) };
    const entry = await this.#parts.values.tryEncode(key, value, life, tags);
    if ('error' in entry) {
      await this.#release({ key, token }, { isRestored: false });
      return { kind: 'failed', error: entry.error };
    }
    try {
      const isFilled = await this.#parts.tier.fill(key, token, entry.content, entry.ttlMs);
      this.#parts.values.forget(key);
      return { kind: isFilled ? 'filled' : 'revoked' };
    } catch (error) {
      // The read has its value; a later one loads again.
      this.#parts.emit({ type: 'cache.failed', key, error });
      return { kind: 'failed', error };
    }
  }

  async release(leases: readonly Lease[]): Promise<void> {
    await Promise.all(leases.map((lease) => this.#release(lease, { isRestored: true })));
  }

  async #release({ key, token }: Lease, covered: { isRestored: boolean }): Promise<void> {
    try {
      await this.#parts.tier.release(key, token, covered);
    } catch (error) {
      // The lease ends by itself.
      this.#parts.emit({ type: 'cache.failed', key, error });
    }
  }
}
