/** `forebay status` for people. */
import { duration } from '../operations/duration.js';
import type { BacklogStatus, QueueStatus, RunStatus, ScheduleStatus } from '../operations/status.js';
import { table } from './table.js';

export interface Status {
  readonly schedules: readonly ScheduleStatus[];
  readonly queues: readonly QueueStatus[];
  readonly backlog: readonly Omit<BacklogStatus, 'waiting' | 'lanes'>[];
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

function backlogTable(backlog: Status['backlog']): string {
  if (backlog.length === 0) return 'No backlog: nothing was written yet.\n';
  const head = ['store', 'dirty', 'sealed', 'dead letters', 'oldest'];
  const rows = backlog.map(({ store, dirty, sealed, dead, ageMs }) => [
    store,
    ...[dirty, sealed, dead].map(String),
    dirty + sealed === 0 ? '' : duration(ageMs),
  ]);
  return table([head, ...rows], 1);
}
