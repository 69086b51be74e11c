/** Computed stores: values that a loader derives, such as dashboards and statistics. They are cached, and never written. */
import type { CacheKey } from './cache-key.js';

export interface ComputeContext<Prisma> {
  /** The app's or the worker's Prisma client. */
  readonly prisma: Prisma;
  /** Aborted when the load has taken too long. */
  readonly signal: AbortSignal;
}

export interface ComputedOptions<Value, Prisma> {
  /** The key of each value, e.g. `DashboardCacheKeys.overview`. */
  readonly key: (id: string) => CacheKey<Value>;
  /** How long a value is fresh, in ms. Default: as its key says, else 900,000. */
  readonly ttlMs?: number;
  /** How long after that it is served while it is computed anew in the background, in ms. Default 0. */
  readonly graceMs?: number;
  /** A load that takes longer fails, in ms. Default 10,000. */
  readonly loadTimeoutMs?: number;
  /** All values are stale once one of them is invalidated. */
  readonly tags?: readonly string[];
  /** Computes values, by id; ids without a value are left out. One query for all of them, where that can be. */
  load(ids: readonly string[], context: ComputeContext<Prisma>): Promise<ReadonlyMap<string, Value>>;
}

export interface ComputedDefinition<Value = unknown> {
  readonly kind: 'computed';
  // A method of any client: which one it is, the app's own `connect` knows.
  readonly options: ComputedOptions<Value, never>;
}

/** A store of computed values: `computed({ key: DashboardCacheKeys.overview, load: (ids, { prisma }: ComputeContext<PrismaClient>) => … })`. */
export function computed<Value, Prisma>(options: ComputedOptions<Value, Prisma>): ComputedDefinition<Value> {
  return { kind: 'computed', options: options as ComputedOptions<Value, never> };
}
