/** How a value is read through the cache. The patterns are settings of these. */
import type { RefreshAhead } from './refresh-ahead.js';

export interface ReadOptions {
  /**
   * How long a value is fresh, in ms; up to a tenth shorter by chance, so that values made together don't go
   * stale together.
   */
  readonly ttlMs: number;
  /** How long after that it may be served in place of one that is slow or can't be had, in ms. Default 0. */
  readonly graceMs?: number;
  /**
   * Serve the stale value at once, and load in the background. Default: load, and serve it when that fails.
   */
  readonly isServedStale?: boolean;
  /** How long `null` is believed, in ms; 0: not at all. Default: `ttlMs`, a minute at most. */
  readonly absentTtlMs?: number;
  /** The value is stale once one of them is invalidated. */
  readonly tags?: readonly string[];
  /**
   * With a stale value at hand, a load may take so long before that is served, in ms. Default:
   * `loadTimeoutMs`.
   */
  readonly softTimeoutMs?: number;
  /** A load that takes longer fails, in ms. Default 10,000. The lease lasts a second longer. */
  readonly loadTimeoutMs?: number;
  /** Has a value computed anew while it is fresh still. */
  readonly ahead?: RefreshAhead;
  /** How long a value may be kept in memory, in ms. Default: as long as it is fresh. */
  readonly memoryTtlMs?: number;
  /** Loads whatever is cached. */
  readonly forceRefresh?: boolean;
  /** Ends this caller's wait; a load that others may share goes on. */
  readonly signal?: AbortSignal;
}

export interface ReadPlan {
  readonly ttlMs: number;
  readonly graceMs: number;
  readonly isServedStale: boolean;
  readonly absentTtlMs: number;
  readonly tags: readonly string[];
  readonly softTimeoutMs: number;
  readonly loadTimeoutMs: number;
  readonly leaseMs: number;
  readonly isForced: boolean;
  /** Whether an entry tells what its load took. */
  readonly isRefreshedAhead: boolean;
}

const absentTtlMaxMs = 60_000;
const loadTimeoutMs = 10_000;
const leaseMarginMs = 1_000;
const noTags: readonly string[] = [];

export function toPlan(options: ReadOptions): ReadPlan {
  const timeoutMs = options.loadTimeoutMs ?? loadTimeoutMs;
  return {
    ttlMs: options.ttlMs,
    graceMs: options.graceMs ?? 0,
    isServedStale: options.isServedStale ?? false,
    absentTtlMs: options.absentTtlMs ?? Math.min(options.ttlMs, absentTtlMaxMs),
    tags: options.tags ?? noTags,
    softTimeoutMs: options.softTimeoutMs ?? timeoutMs,
    loadTimeoutMs: timeoutMs,
    leaseMs: timeoutMs + leaseMarginMs,
    isForced: options.forceRefresh ?? false,
    isRefreshedAhead: options.ahead !== undefined,
  };
}
