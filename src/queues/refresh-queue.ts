/** The refresh queue: values that were read in the last part of their life, to be computed anew. */
import type { RedisClient } from '../connection/redis.js';
import type { Emit } from '../events.js';
import { keptLatest, LazyQueue } from './lazy-queue.js';
import type { RefreshJob } from './refresh-job.js';

export const refreshQueueName = 'refresh';

/**
 * `fresh`: somebody has computed it meanwhile. `gone`: it was deleted, or has expired. `overtaken`: something
 * newer came during the load.
 */
export type RefreshOutcome = 'computed' | 'absent' | 'overtaken' | 'fresh' | 'gone';

/** A load that fails is tried again as long as the old value is there: that ends sooner than its tries. */
const refreshAttemptsMax = 10_000;
/** BullMQ's lowest priority is its largest number. */
const priorityMax = 2_097_151;

export class RefreshQueue extends LazyQueue<RefreshJob, RefreshOutcome> {
  constructor(connection: RedisClient, prefix: string, emit: Emit) {
    super(
      refreshQueueName,
      { connection, prefix, emit },
      {
        attempts: refreshAttemptsMax,
        backoff: { type: 'custom' },
        ...keptLatest,
      },
    );
  }

  /** At most one job for a value, whoever asks. @param urgencyMs the smaller, the sooner */
  async add(job: RefreshJob, urgencyMs: number): Promise<void> {
    const priority = Math.min(priorityMax, Math.max(1, Math.round(urgencyMs)));
    const queue = await this.open();
    await queue.add(`${job.store} ${job.id}`, job, { jobId: job.seen, priority });
  }

  /** How many jobs wait for a worker, or for their next try. */
  async waiting(): Promise<number> {
    const queue = await this.open();
    return queue.getJobCountByTypes('waiting', 'prioritized', 'delayed');
  }
}
