/** The queues: their names, what their jobs carry, and how they are kept. Jobs are wake-ups: the lane is the truth. */

import { createHash } from 'node:crypto';
import { type Job, Queue } from 'bullmq';
import type { RedisClient } from './connection/redis.js';
import type { Emit } from './events.js';
import { queuePrefix } from './keys.js';

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

export class WriteBehindQueue {
  readonly queue: Queue<WakeUp, FlushSummary>;

  /** `connection` must be connected already. */
  constructor(connection: RedisClient, prefix: string, emit: Emit) {
    this.queue = new Queue<WakeUp, FlushSummary>(writeBehindQueueName, {
      connection,
      prefix: queuePrefix(prefix),
      skipWaitingForReady: true,
      defaultJobOptions: {
        attempts: attemptsMax,
        backoff: { type: 'custom' },
        removeOnComplete: { count: 1_000 },
        removeOnFail: { count: 1_000 },
      },
    });
    this.queue.on('error', (error) => emit({ type: 'redis.error', connection: 'queue', error }));
  }

  async wake(lane: string, delayMs: number): Promise<void> {
    await this.queue.add(`flush ${lane}`, { lane }, { delay: delayMs });
  }

  /** At most one such job of a lane waits or runs, however many wait for it. */
  async hurry(lane: string): Promise<void> {
    const name = `hurry ${lane}`;
    await this.queue.add(name, { lane, isHurry: true }, { deduplication: { id: name } });
  }

  /** How many jobs wait for a worker. */
  async waiting(): Promise<number> {
    return this.queue.getJobCountByTypes('waiting');
  }

  async close(): Promise<void> {
    await this.queue.close();
  }
}

export const refreshQueueName = 'refresh';

/** A value that was read in the last part of its fresh life, to be computed anew. */
export interface RefreshJob {
  readonly store: string;
  readonly id: string;
  /** The value's id: once another has taken its place, there is nothing left to do. */
  readonly seen: string;
  /** Life of the new one, where it is not the store's own. */
  readonly ttlMs?: number;
}

/** `fresh`: somebody has computed it meanwhile. `gone`: it was deleted, or has expired. `overtaken`: something newer came during the load. */
export type RefreshOutcome = 'computed' | 'absent' | 'overtaken' | 'fresh' | 'gone';

/** A load that fails is tried again as long as the old value is there: that ends sooner than its tries. */
const refreshAttemptsMax = 10_000;
/** BullMQ's lowest priority is its largest number. */
const priorityMax = 2_097_151;

export class RefreshQueue {
  readonly queue: Queue<RefreshJob, RefreshOutcome>;

  /** `connection` must be connected already. */
  constructor(connection: RedisClient, prefix: string, emit: Emit) {
    this.queue = new Queue<RefreshJob, RefreshOutcome>(refreshQueueName, {
      connection,
      prefix: queuePrefix(prefix),
      skipWaitingForReady: true,
      defaultJobOptions: {
        attempts: refreshAttemptsMax,
        backoff: { type: 'custom' },
        removeOnComplete: { count: 1_000 },
        removeOnFail: { count: 1_000 },
      },
    });
    this.queue.on('error', (error) => emit({ type: 'redis.error', connection: 'queue', error }));
  }

  /** At most one job for a value, whoever asks. @param urgencyMs the smaller, the sooner */
  async add(job: RefreshJob, urgencyMs: number): Promise<void> {
    const priority = Math.min(priorityMax, Math.max(1, Math.round(urgencyMs)));
    await this.queue.add(`${job.store} ${job.id}`, job, { jobId: job.seen, priority });
  }

  /** How many jobs wait for a worker, or for their next try. */
  async waiting(): Promise<number> {
    return this.queue.getJobCountByTypes('waiting', 'prioritized', 'delayed');
  }

  async close(): Promise<void> {
    await this.queue.close();
  }
}

export const warmQueueName = 'warm';

/** A run of warming: a store's values, page by page. */
export interface WarmJob {
  readonly store: string;
  /** Where the run has come to: a worker that takes it over goes on there. */
  readonly done?: WarmProgress;
}

export interface WarmProgress {
  readonly store: string;
  /** Values computed. */
  readonly warmed: number;
  /** Values that were fresh already. */
  readonly fresh: number;
  /** Ids that have no value. */
  readonly absent: number;
  /** Ids whose page could not be loaded. */
  readonly failed: number;
  readonly pages: number;
  /** Most values that the run warms; at its end, how many there were. */
  readonly max: number;
  readonly ms: number;
  /** The last id of the last page. */
  readonly after?: string;
  /** Why pages failed, at most ten. */
  readonly errors: readonly string[];
}

export type WarmSummary = Omit<WarmProgress, 'after'>;

const warmAttemptsMax = 10;
/** So long a finished run's id can't be used again. */
const runsKeptSeconds = 86_400;

export class WarmQueue {
  readonly queue: Queue<WarmJob, WarmSummary>;

  /** `connection` must be connected already. */
  constructor(connection: RedisClient, prefix: string, emit: Emit) {
    this.queue = new Queue<WarmJob, WarmSummary>(warmQueueName, {
      connection,
      prefix: queuePrefix(prefix),
      skipWaitingForReady: true,
      defaultJobOptions: {
        attempts: warmAttemptsMax,
        backoff: { type: 'custom' },
        removeOnComplete: { age: runsKeptSeconds, count: 10_000 },
        removeOnFail: { age: runsKeptSeconds, count: 10_000 },
      },
    });
    this.queue.on('error', (error) => emit({ type: 'redis.error', connection: 'queue', error }));
  }

  /**
   * Adds a run. At most one of a store waits or runs: while there is one, that is returned, and nothing is added.
   * @param id of the job: a run that was added under it before is not added again. Default: a new one
   */
  async add(store: string, id?: string): Promise<Job<WarmJob, WarmSummary>> {
    return this.queue.add(
      `warm ${store}`,
      { store },
      { deduplication: { id: `warm ${store}` }, ...(id === undefined ? {} : { jobId: id }) },
    );
  }

  async close(): Promise<void> {
    await this.queue.close();
  }
}

export const scheduleQueueName = 'schedules';

/** A schedule as the board shows it: a job that waits for its next tick. Promoting it is a run by hand. */
export interface StandingJob {
  readonly schedule: string;
  readonly cron: string;
  readonly timeZone: string;
  /** What it does, in words. */
  readonly what: string;
  /** The next tick: an ISO 8601 date and time. */
  readonly next: string;
  readonly last?: LastRun;
}

/** The run that a tick, or somebody, asked for. */
export interface LastRun {
  readonly at: string;
  readonly queue: typeof warmQueueName | typeof scheduleQueueName;
  readonly job: string;
}

/** A run of a schedule's function. */
export interface FunctionJob {
  readonly schedule: string;
  readonly run: string;
}

export type ScheduleJob = StandingJob | FunctionJob;

export function isStandingJob(job: ScheduleJob): job is StandingJob {
  return 'next' in job;
}

/** A schedule's function is tried so often. */
const runAttemptsMax = 3;
const runRetryMs = 1_000;
const standingAttemptsMax = 1_000_000_000;

export class ScheduleQueue {
  readonly queue: Queue<ScheduleJob>;

  /** `connection` must be connected already. */
  constructor(connection: RedisClient, prefix: string, emit: Emit) {
    this.queue = new Queue<ScheduleJob>(scheduleQueueName, {
      connection,
      prefix: queuePrefix(prefix),
      skipWaitingForReady: true,
      defaultJobOptions: {
        removeOnComplete: { age: runsKeptSeconds, count: 10_000 },
        removeOnFail: { age: runsKeptSeconds, count: 10_000 },
      },
    });
    this.queue.on('error', (error) => emit({ type: 'redis.error', connection: 'queue', error }));
  }

  /** The standing job of a schedule, whichever scheduler adds it. It is never done, so it may be tried for ever. */
  async stand(job: StandingJob, delayMs: number): Promise<void> {
    await this.queue.add(job.schedule, job, {
      jobId: job.schedule,
      delay: delayMs,
      attempts: standingAttemptsMax,
      backoff: { type: 'fixed', delay: runRetryMs },
    });
  }

  async standing(schedule: string): Promise<Job<StandingJob> | undefined> {
    return (await this.queue.getJob(schedule)) as Job<StandingJob> | undefined;
  }

  /** Adds a run of a function, once for an id. While another of the schedule waits or runs, none is added. Returns the id of the one that is there. */
  async run(schedule: string, id: string): Promise<string> {
    const name = `run ${schedule}`;
    const job = await this.queue.add(
      name,
      { schedule, run: id },
      {
        jobId: id,
        deduplication: { id: name },
        attempts: runAttemptsMax,
        backoff: { type: 'exponential', delay: runRetryMs },
      },
    );
    return job.id as string;
  }

  async close(): Promise<void> {
    await this.queue.close();
  }
}

export const deadLetterQueueName = 'dead-letter';

/** A dead letter as the board shows it: a job that has failed with the database's error. Its retry is a replay. */
export interface DeadLetterJob {
  readonly lane: string;
  /** `store:id`. */
  readonly field: string;
  /** When it was refused, in µs since 1970. */
  readonly at: string;
  readonly error: { readonly state: string; readonly message: string };
  /** By field, as the lane has them; long ones are cut off. */
  readonly records: Readonly<Record<string, string>>;
}

export type DeadLetterOutcome = 'replayed' | 'gone';

/** Of a record in a job, in characters: the letter itself has it whole. */
const shownMax = 10_000;

export class DeadLetterQueue {
  readonly queue: Queue<DeadLetterJob, DeadLetterOutcome>;

  /** `connection` must be connected already. */
  constructor(connection: RedisClient, prefix: string, emit: Emit) {
    this.queue = new Queue<DeadLetterJob, DeadLetterOutcome>(deadLetterQueueName, {
      connection,
      prefix: queuePrefix(prefix),
      skipWaitingForReady: true,
      defaultJobOptions: { removeOnComplete: { count: 1_000 }, removeOnFail: false },
    });
    this.queue.on('error', (error) => emit({ type: 'redis.error', connection: 'queue', error }));
  }

  /** Shows a letter; once, however often it is called. */
  async show(letter: DeadLetterJob): Promise<void> {
    const records = Object.entries(letter.records).map(([field, text]) => [field, text.slice(0, shownMax)]);
    await this.queue.add(
      `${letter.lane} ${letter.field}`,
      { ...letter, records: Object.fromEntries(records) },
      { jobId: jobIdOf(letter) },
    );
  }

  /** Stops showing a letter that is gone. */
  async hide(letter: Pick<DeadLetterJob, 'lane' | 'field' | 'at'>): Promise<void> {
    await this.queue.remove(jobIdOf(letter));
  }

  async close(): Promise<void> {
    await this.queue.close();
  }
}

/** BullMQ allows no colons in ids. */
function jobIdOf({ lane, field, at }: Pick<DeadLetterJob, 'lane' | 'field' | 'at'>): string {
  return createHash('sha256').update(`${lane} ${field} ${at}`).digest('base64url');
}
