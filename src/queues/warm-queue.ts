/** The warm queue: runs of warming. */
import type { Job } from 'bullmq';
import type { RedisClient } from '../connection/redis.js';
import type { Emit } from '../events.js';
import { keptRuns, LazyQueue } from './lazy-queue.js';

export const warmQueueName = 'warm';

/** A run of warming: a store's values, page by page. */
export interface WarmJob {
  /** Its computed store, by name. */
  readonly store: string;
  /** Where the run has come to: a worker that takes it over goes on there. */
  readonly done?: WarmProgress;
}

/** How far a run has come. */
export interface WarmProgress {
  /** Its computed store, by name. */
  readonly store: string;
  /** Values computed. */
  readonly warmed: number;
  /** Values that were fresh already. */
  readonly fresh: number;
  /** Ids that have no value. */
  readonly absent: number;
  /** Ids whose page could not be loaded. */
  readonly failed: number;
  /** Pages done. */
  readonly pages: number;
  /** Most values that the run warms; at its end, how many there were. */
  readonly max: number;
  /** What it has taken so far, in ms. */
  readonly ms: number;
  /** The last id of the last page. */
  readonly after?: string;
  /** Why pages failed, at most ten. */
  readonly errors: readonly string[];
}

/** What a run has done. */
export type WarmSummary = Omit<WarmProgress, 'after'>;

const warmAttemptsMax = 10;

export class WarmQueue extends LazyQueue<WarmJob, WarmSummary> {
  constructor(connection: RedisClient, prefix: string, emit: Emit) {
    super(
      warmQueueName,
      { connection, prefix, emit },
      {
        attempts: warmAttemptsMax,
        backoff: { type: 'custom' },
        ...keptRuns,
      },
    );
  }

  /**
   * Adds a run. At most one of a store waits or runs: while there is one, that is returned, and nothing is
   * added.
   * @param id of the job: a run that was added under it before is not added again. Default: a new one
   */
  async add(store: string, id?: string): Promise<Job<WarmJob, WarmSummary>> {
    const queue = await this.open();
    return queue.add(
      `warm ${store}`,
      { store },
      { deduplication: { id: `warm ${store}` }, ...(id === undefined ? {} : { jobId: id }) },
    );
  }
}
