/** The write-behind queue: its jobs are wake-ups of lanes, and carry no record. */
import type { RedisClient } from '../connection/redis.js';
import type { Emit } from '../events.js';
import { keptLatest, LazyQueue } from './lazy-queue.js';
import type { WakeUps } from './wake-ups.js';

export const writeBehindQueueName = 'write-behind';

export interface WakeUp {
  /** The lane to flush, e.g. `tasks/3`. */
  readonly lane: string;
  /** Somebody waits for the lane; it has a job of its own besides. */
  readonly isHurry?: true;
}

/** What a flush did, as the board shows it. */
export interface FlushSummary {
  readonly batches: number;
  readonly rows: number;
  /** Batches that had been applied before, by a worker that then died or was late. */
  readonly skipped: number;
  /** Records that the database refused, and that became dead letters. */
  readonly refused: number;
  readonly ms: number;
}

/** After so many tries a job is given up; the lane is not: the sweep gives it a new job. */
const attemptsMax = 1_000;

export class WriteBehindQueue extends LazyQueue<WakeUp, FlushSummary> implements WakeUps {
  constructor(connection: RedisClient, prefix: string, emit: Emit) {
    super(
      writeBehindQueueName,
      { connection, prefix, emit },
      {
        attempts: attemptsMax,
        backoff: { type: 'custom' },
        ...keptLatest,
      },
    );
  }

  /** @param id of the job: one that was added under it before is not added again. Default: a new one */
  async wake(lane: string, delayMs: number, id?: string): Promise<void> {
    const queue = await this.open();
    await queue.add(
      `flush ${lane}`,
      { lane },
      { delay: delayMs, ...(id === undefined ? {} : { jobId: id }) },
    );
  }

  /** At most one such job of a lane waits or runs, however many wait for it. */
  async hurry(lane: string): Promise<void> {
    const name = `hurry ${lane}`;
    const queue = await this.open();
    await queue.add(name, { lane, isHurry: true }, { deduplication: { id: name } });
  }

  /** Of the jobs that workers have in hand. */
  async lanesAtWork(): Promise<string[]> {
    const queue = await this.open();
    return (await queue.getActive()).map(({ data }) => data.lane);
  }

  /** How many jobs wait for a worker. */
  async waiting(): Promise<number> {
    const queue = await this.open();
    return queue.getJobCountByTypes('waiting');
  }
}
