/** `forebay status` for people. */
import type { StandingJob } from '../queues/schedule-queue.js';
import { duration } from './duration.js';
import { table } from './table.js';

export interface Status {
  readonly schedules: readonly ScheduleStatus[];
  readonly queues: readonly QueueStatus[];
  readonly backlog: readonly BacklogStatus[];
}

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

export interface BacklogStatus {
  readonly store: string;
  readonly dirty: number;
  readonly sealed: number;
  readonly dead: number;
  /** Of the oldest that is not in the database, in ms. */
  readonly ageMs: number;
}

/** @param now to which times are related */
export function statusReport({ schedules, queues, backlog }: Status, now: Date): string {
  return [
    scheduleTable(schedules, now),
    table([['queue', 'waiting', 'active', 'delayed', 'failed'], ...queues.map(queueRow)], 1),
    backlogTable(backlog),
  ].join('\n');
}

function scheduleTable(schedules: readonly ScheduleStatus[], now: Date): string {
  if (schedules.length === 0) return 'No schedules: none is defined, or no scheduler was started yet.\n';
  const head = ['schedule', 'does', 'at', 'next run', 'last run'];
  const rows = schedules.map(({ schedule, what, cron, timeZone, next, last }) => [
    schedule,
    what,
    `${cron} ${timeZone}`,
    `in ${duration(new Date(next).getTime() - now.getTime())}`,
    last === undefined ? 'never' : lastRun(last, now),
  ]);
  return table([head, ...rows]);
}

function lastRun({ at, state, ms, reason }: RunStatus, now: Date): string {
  const ago = `${duration(now.getTime() - new Date(at).getTime())} ago`;
  const took = ms === undefined ? '' : ` in ${duration(ms)}`;
  return `${ago}: ${state}${took}${reason === undefined ? '' : `: ${reason}`}`;
}

function queueRow({ name, waiting, active, delayed, failed }: QueueStatus): string[] {
  return [name, ...[waiting, active, delayed, failed].map(String)];
}

function backlogTable(backlog: readonly BacklogStatus[]): string {
  if (backlog.length === 0) return 'No backlog: nothing was written yet.\n';
  const head = ['store', 'dirty', 'sealed', 'dead letters', 'oldest'];
  const rows = backlog.map(({ store, dirty, sealed, dead, ageMs }) => [
    store,
    ...[dirty, sealed, dead].map(String),
    dirty + sealed === 0 ? '' : duration(ageMs),
  ]);
  return table([head, ...rows], 1);
}
