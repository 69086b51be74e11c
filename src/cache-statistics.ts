/** What a cache counts. */

/** What the cache has counted. */
export interface CacheCounts {
  /** Reads answered with a cached value; `l1Hits` and `staleHits` are among them. */
  readonly hits: number;
  /** Hits in this process's memory. */
  readonly l1Hits: number;
  /** Reads answered with a value in its grace. */
  readonly staleHits: number;
  /** Reads that found no value, or one that could not be served. */
  readonly misses: number;
  /** Of the misses, those that waited for what somebody else loads. */
  readonly waits: number;
  /** Values that loaders were called for. */
  readonly loads: number;
  /** Loads that failed, or took too long. */
  readonly loadFailures: number;
  /** Values that were set, written or counted. */
  readonly sets: number;
  /** Values that were deleted by their keys. */
  readonly deletes: number;
  /** Calls that Redis did not answer. */
  readonly errors: number;
}

/** What the cache of this process has counted since its start or the last reset. */
export interface CacheStatistics extends CacheCounts {
  /** Reads, sets and deletes together. */
  readonly operations: number;
  /** Hits as a share of all reads, from 0 to 1; 0 without reads. */
  readonly hitRate: number;
  /** Of calls to Redis, in ms. */
  readonly latency: { readonly count: number; readonly meanMs: number; readonly maxMs: number };
  /** The same for each namespace: what stands before the first colon of a key. */
  readonly byNamespace: Readonly<Record<string, CacheCounts & { readonly hitRate: number }>>;
}
