/** The standing jobs of schedules: one for each, which waits for the next tick. */
import type { Job } from 'bullmq';
import type { Emit } from '../../events.js';
import { bullmq } from '../../peers/bullmq.js';
import { isStandingJob } from '../../queues/job-shapes.js';
import type { LastRun, ScheduleQueue, StandingJob } from '../../queues/schedule-queue.js';
import type { CronTasks } from './cron-tasks.js';
import type { ScheduleRuns } from './schedule-runs.js';
import type { Schedule, Schedules } from './schedules.js';

export interface StandingJobsDependencies {
  readonly queue: ScheduleQueue;
  readonly tasks: CronTasks;
  readonly runs: ScheduleRuns;
  readonly emit: Emit;
}

/** Clocks of machines differ; a job that comes earlier than this before its tick was promoted by hand. */
const earlyMs = 5_000;
/** A tick that nobody has seen to for so long was missed. */
const missedAfterMs = 10_000;
/**
 * A schedule of a newer release is for its schedulers, to which its job comes as it is: with the tick that it
 * is due for.
 */
const handOnMs = 1_000;
/** Of a schedule that will have no further tick. */
const neverMs = 365 * 86_400_000;

export class StandingJobs {
  readonly #queue: ScheduleQueue;
  readonly #tasks: CronTasks;
  readonly #runs: ScheduleRuns;
  readonly #emit: Emit;

  constructor({ queue, tasks, runs, emit }: StandingJobsDependencies) {
    this.#queue = queue;
    this.#tasks = tasks;
    this.#runs = runs;
    this.#emit = emit;
  }

  /**
   * Adds those that are not there, adapts those whose schedule has changed, and removes those whose schedule
   * is gone.
   */
  async ensure(schedules: Schedules): Promise<void> {
    for (const job of await (await this.#queue.open()).getDelayed()) {
      if (isStandingJob(job.data) && !schedules.has(job.data.schedule)) await job.remove();
    }
    for (const schedule of schedules.values()) await this.ensureOne(schedule);
  }

  /** Also at each tick: the queue may have lost it. */
  async ensureOne(schedule: Schedule): Promise<void> {
    const job = await this.#soundJob(schedule.name);
    const planned = this.#planned(schedule, job?.data.last);
    if (job === undefined) return this.#queue.stand(planned, delayUntil(planned));
    const { cron, timeZone, what } = job.data;
    if (cron === planned.cron && timeZone === planned.timeZone && what === planned.what) return;
    await job.updateData(planned);
    // One that another scheduler has in hand is planned anew at its end.
    if (await job.isDelayed()) await job.changeDelay(delayUntil(planned));
  }

  /** One that is malformed, or was set aside, would keep its schedule from ever having another. */
  async #soundJob(schedule: string): Promise<Job<StandingJob> | undefined> {
    const job = await this.#queue.standing(schedule);
    if (job === undefined || (isStandingJob(job.data) && job.finishedOn === undefined)) return job;
    // One that a scheduler has in hand is set aside first.
    if (await job.isActive()) return job;
    await job.remove();
    return undefined;
  }

  /**
   * Does what a standing job is due for, and sends it back to wait. A process that dies in the middle leaves
   * it to another, which adds the same run.
   * @throws DelayedError always
   */
  async process(
    job: Job<StandingJob>,
    schedule: Schedule | undefined,
    token: string | undefined,
  ): Promise<never> {
    if (schedule === undefined) return handOn(job, Date.now() + handOnMs, token);
    const last = await this.#runDue(schedule, new Date(job.data.next));
    const planned = this.#planned(schedule, last ?? job.data.last);
    await job.updateData(planned);
    return handOn(job, Date.now() + delayUntil(planned), token);
  }

  /** Undefined: the tick was missed, and is not to be caught up. */
  async #runDue(schedule: Schedule, tick: Date): Promise<LastRun | undefined> {
    const lateMs = Date.now() - tick.getTime();
    if (lateMs < -earlyMs) return this.#runs.addByHand(schedule, new Date());
    if (lateMs < missedAfterMs) return this.#runs.addForTick(schedule, tick);
    const { name, missed } = schedule;
    this.#emit({
      type: 'schedule.missed',
      schedule: name,
      tick: tick.toISOString(),
      isRun: missed === 'run',
    });
    return missed === 'run' ? this.#runs.addForTick(schedule, tick) : undefined;
  }

  #planned({ name, cron, timeZone, what }: Schedule, last: LastRun | undefined): StandingJob {
    const next = this.#tasks.nextTick(name) ?? new Date(Date.now() + neverMs);
    return {
      schedule: name,
      cron,
      timeZone,
      what: 'warm' in what ? `warm ${what.warm}` : 'a function',
      next: next.toISOString(),
      ...(last && { last }),
    };
  }
}

async function handOn(job: Job<StandingJob>, at: number, token: string | undefined): Promise<never> {
  await job.moveToDelayed(at, token);
  throw new bullmq.DelayedError();
}

function delayUntil({ next }: StandingJob): number {
  return Math.max(0, new Date(next).getTime() - Date.now());
}
