/**
 * What the loads of a kind of store are to `LeasedLoads`: how its entries are looked at, loaded, filled and
 * released.
 */

import type { CacheCounts } from '../../cache-statistics.js';
import type { OnRedisAway } from '../../definitions/record.js';
import type { LoadContext } from './loading.js';

/** What a look at a missed entry found, and took: a lease that was free. */
export type Look<Value, Seen> =
  /** The caller loads, and may fill. */
  | { readonly kind: 'lease'; readonly token: string; readonly seen: Seen }
  /** Somebody else does, for `waitMs` at most. */
  | { readonly kind: 'wait'; readonly waitMs: number; readonly seen: Seen }
  /** It is there by now; undefined: too old, so look again. */
  | { readonly kind: 'value'; readonly value: Value | undefined | Promise<Value | undefined> }
  /** Redis answers and takes no writes: the caller loads, and nothing may be filled. */
  | { readonly kind: 'refused'; readonly seen: Seen }
  /** Redis did not answer. */
  | { readonly kind: 'away'; readonly error: unknown };

/** An entry that is to be loaded. */
export interface Claim<Seen> {
  readonly key: string;
  /** Of the lease; none: nothing may be filled. */
  readonly token: string | undefined;
  /** What the look told for the load; undefined while Redis is away: nobody knows what is pending. */
  readonly seen: Seen | undefined;
}

export interface Loaded<Value> {
  readonly value: Value;
  /** Whether it is new enough also for a read that began after the load, as it found the lease standing. */
  readonly isProven: boolean;
}

export interface Lease {
  readonly key: string;
  readonly token: string;
}

export type Filled<L> = Lease & { readonly loaded: L };

/**
 * What came of a fill. `revoked`: by a write, or another load. `unleased`: Redis did not answer, or takes no
 * writes, so nothing was to be filled. `failed`: the cache did not take it.
 */
export type Fill =
  | { readonly kind: 'filled' | 'revoked' | 'unleased' }
  | { readonly kind: 'failed'; readonly error: unknown };

export interface Port<Value, Seen = unknown, L extends Loaded<Value> = Loaded<Value>> {
  readonly loadTimeoutMs: number;
  /** Longer than a load may take. */
  readonly leaseMs: number;
  readonly onRedisAway: OnRedisAway;
  /** Whether a lease that stands proves that nothing was written since it was granted. */
  readonly isLeaseProof: boolean;
  /** What failures and messages call the entry. */
  nameOf(key: string): string;
  /** The counts that a read of the key adds to. */
  countsOf(key: string): { -readonly [K in keyof CacheCounts]: CacheCounts[K] };
  /** In the order of the keys, each as soon as Redis has answered. */
  look(keys: readonly string[]): readonly Promise<Look<Value, Seen>>[];
  /** Looks again for leases that may have ended: one that stands holds for `leaseMs` from now on. */
  renew(leases: readonly Lease[]): readonly Promise<Look<Value, Seen>>[];
  /** By key, for each of them. */
  load(claims: readonly Claim<Seen>[], context: LoadContext): Promise<ReadonlyMap<string, L>>;
  /** In their order. One that is rejected fails its read. */
  fill(loads: readonly Filled<L>[]): readonly Promise<Fill>[];
  /** Gives leases back, as nothing was loaded. Does not throw. */
  release(leases: readonly Lease[]): Promise<void>;
}
