/** What is scheduled, what waits in the queues, and what is not in the database yet. */
import type { Queue } from 'bullmq';
import type { LaneState } from '../buffer/lane-state.js';
import { WriteBuffer } from '../buffer/write-buffer.js';
import type { RedisClient } from '../connection/redis.js';
import { type LastRun, type StandingJob, standingJobs } from '../queues/schedule-queue.js';
import type { Places } from './places.js';

export interface ScheduleStatus extends Omit<StandingJob, 'last'> {
  readonly last?: RunStatus;
}

export interface RunStatus {
  /** When it was due, or asked for. */
  readonly at: string;
  readonly job: string;
  /**
   * BullMQ's word: `completed`, `failed`, `active`, `waiting`, `delayed` …; `unknown` once the job is gone.
   */
  readonly state: string;
  /** What it took, in ms. */
  readonly ms?: number;
  /** Why it failed. */
  readonly reason?: string;
}

export interface QueueStatus {
  readonly name: string;
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  readonly failed: number;
}

export interface LaneStatus {
  readonly lane: string;
  readonly state: LaneState;
}

export interface BacklogStatus {
  readonly store: string;
  readonly dirty: number;
  readonly sealed: number;
  readonly dead: number;
  /** Records that wait for others' rows, or their tenant's turn; they are dirty too. */
  readonly waiting: number;
  /** Of the oldest that is not in the database, in ms. */
  readonly ageMs: number;
  readonly lanes: readonly LaneStatus[];
}

/** @param runs the queues whose jobs schedules add, by name */
export async function readSchedules(
  schedules: Queue,
  runs: ReadonlyMap<string, Queue>,
): Promise<ScheduleStatus[]> {
  const standing = await standingJobs(schedules);
  const all = standing.map(async ({ last, ...schedule }): Promise<ScheduleStatus> => {
    const queue = last && runs.get(last.queue);
    return queue === undefined ? schedule : { ...schedule, last: await readRun(queue, last as LastRun) };
  });
  return (await Promise.all(all)).sort((a, b) => a.schedule.localeCompare(b.schedule));
}

async function readRun(queue: Queue, { at, job: id }: LastRun): Promise<RunStatus> {
  const job = await queue.getJob(id);
  if (job === undefined) return { at, job: id, state: 'unknown' };
  const ms = job.finishedOn && job.processedOn && job.finishedOn - job.processedOn;
  return {
    at,
    job: id,
    state: await job.getState(),
    ...(ms === undefined ? {} : { ms }),
    ...(job.failedReason && { reason: job.failedReason }),
  };
}

export async function readQueue(queue: Queue): Promise<QueueStatus> {
  const counts = await queue.getJobCounts('waiting', 'prioritized', 'active', 'delayed', 'failed');
  const { waiting = 0, prioritized = 0, active = 0, delayed = 0, failed = 0 } = counts;
  return { name: queue.name, waiting: waiting + prioritized, active, delayed, failed };
}

/** A call for each lane. @throws what Redis throws */
export async function readBacklog(
  redis: RedisClient,
  prefix: string,
  places: Places,
): Promise<BacklogStatus[]> {
  const buffer = new WriteBuffer(redis, prefix);
  return Promise.all(
    places.groups.map(async (store): Promise<BacklogStatus> => {
      const lanes = await Promise.all(
        places.lanesOf(store).map(async (lane) => ({ lane: lane.name, state: await buffer.inspect(lane) })),
      );
      return { store, ...sumOf(lanes), lanes };
    }),
  );
}

/** What waits for others' rows is no lag, also while it is sealed to be tried again. */
export function ageOf({ dirty, sealed, waiting, ageMs }: LaneState): number {
  return dirty + sealed > waiting ? ageMs : 0;
}

function sumOf(lanes: readonly LaneStatus[]): Omit<BacklogStatus, 'store' | 'lanes'> {
  const sum = (name: 'dirty' | 'sealed' | 'dead' | 'waiting'): number =>
    lanes.reduce((total, { state }) => total + state[name], 0);
  const ageMs = Math.round(Math.max(0, ...lanes.map(({ state }) => ageOf(state))));
  return { dirty: sum('dirty'), sealed: sum('sealed'), dead: sum('dead'), waiting: sum('waiting'), ageMs };
}
