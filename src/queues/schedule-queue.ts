/** The schedules: for each a job that waits for its next tick; and the runs of their functions. */
import type { Job, Queue } from 'bullmq';
import type { RedisClient } from '../connection/redis.js';
import type { Emit } from '../events.js';
import { isStandingJob } from './job-shapes.js';
import { keptRuns, LazyQueue } from './lazy-queue.js';
import type { warmQueueName } from './warm-queue.js';

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

/** Those of all schedules, as they wait or are at work. */
export async function standingJobs(queue: Queue<ScheduleJob>): Promise<StandingJob[]> {
  const jobs = await queue.getJobs(['delayed', 'waiting', 'active']);
  return jobs.map(({ data }) => data).filter(isStandingJob);
}

/** A schedule's function is tried so often. */
const runAttemptsMax = 3;
const runRetryMs = 1_000;
const standingAttemptsMax = 1_000_000_000;

export class ScheduleQueue extends LazyQueue<ScheduleJob, unknown> {
  constructor(connection: RedisClient, prefix: string, emit: Emit) {
    super(scheduleQueueName, { connection, prefix, emit }, keptRuns);
  }

  /**
   * The standing job of a schedule, whichever scheduler adds it. It is never done, so it may be tried for
   * ever.
   */
  async stand(job: StandingJob, delayMs: number): Promise<void> {
    const queue = await this.open();
    await queue.add(job.schedule, job, {
      jobId: job.schedule,
      delay: delayMs,
      attempts: standingAttemptsMax,
      backoff: { type: 'fixed', delay: runRetryMs },
    });
  }

  async standing(schedule: string): Promise<Job<StandingJob> | undefined> {
    const queue = await this.open();
    return (await queue.getJob(schedule)) as Job<StandingJob> | undefined;
  }

  /**
   * Adds a run of a function, once for an id. While another of the schedule waits or runs, none is added.
   * Returns the id of the one that is there.
   */
  async run(schedule: string, id: string): Promise<string> {
    const name = `run ${schedule}`;
    const queue = await this.open();
    const job = await queue.add(
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
}
