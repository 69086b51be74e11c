/** `forebay status`: what is scheduled, what waits in the queues, and what is not in the database yet. */
import type { Queue } from 'bullmq';
import { lanePlaces } from '../buffer/lane.js';
import { readPartitions } from '../buffer/partitions.js';
import { WriteBuffer } from '../buffer/write-buffer.js';
import { type Config, readConfig } from '../config.js';
import type { RedisClient } from '../connection/redis.js';
import { deadLetterQueueName } from '../queues/dead-letter-queue.js';
import { closeQueues, LazyQueue } from '../queues/lazy-queue.js';
import { refreshQueueName } from '../queues/refresh-queue.js';
import { type LastRun, scheduleQueueName, standingJobs } from '../queues/schedule-queue.js';
import { warmQueueName } from '../queues/warm-queue.js';
import { writeBehindQueueName } from '../queues/write-behind-queue.js';
import {
  type BacklogStatus,
  type QueueStatus,
  type RunStatus,
  type ScheduleStatus,
  type Status,
  statusReport,
} from './status-report.js';
import { withConnections } from './with-connections.js';

const queueNames = [
  writeBehindQueueName,
  refreshQueueName,
  warmQueueName,
  scheduleQueueName,
  deadLetterQueueName,
];

/** @throws ForebayError INVALID_CONFIG, REDIS_UNAVAILABLE */
export async function status(
  say: (text: string) => void,
  { isJson }: { isJson: boolean },
  config: Config = readConfig(),
): Promise<void> {
  const { prefix, redis, queueRedis } = config;
  const plan = { lanes: [redis, 'reads'], queue: [queueRedis, 'queue'] } as const;
  await withConnections(plan, async (connections, resources) => {
    const place = { connection: connections.queue, prefix, emit: () => undefined };
    const lazy = queueNames.map((name) => new LazyQueue(name, place, {}));
    resources.own('queues', lazy, closeQueues);
    const queues = await Promise.all(lazy.map((queue) => queue.open()));
    const found: Status = {
      schedules: await readSchedules(queues),
      queues: await Promise.all(queues.map(readQueue)),
      backlog: await readBacklog(connections.lanes, prefix),
    };
    say(isJson ? `${JSON.stringify(found, null, 2)}\n` : statusReport(found, new Date()));
  });
}

async function readSchedules(queues: readonly Queue[]): Promise<ScheduleStatus[]> {
  const queueOf = (name: string): Queue => queues.find((queue) => queue.name === name) as Queue;
  const standing = await standingJobs(queueOf(scheduleQueueName));
  const schedules = standing.map(async ({ last, ...schedule }): Promise<ScheduleStatus> => {
    return last === undefined ? schedule : { ...schedule, last: await readRun(queueOf(last.queue), last) };
  });
  return (await Promise.all(schedules)).sort((a, b) => a.schedule.localeCompare(b.schedule));
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

async function readQueue(queue: Queue): Promise<QueueStatus> {
  const counts = await queue.getJobCounts('waiting', 'prioritized', 'active', 'delayed', 'failed');
  const { waiting = 0, prioritized = 0, active = 0, delayed = 0, failed = 0 } = counts;
  return { name: queue.name, waiting: waiting + prioritized, active, delayed, failed };
}

async function readBacklog(redis: RedisClient, prefix: string): Promise<BacklogStatus[]> {
  const buffer = new WriteBuffer(redis, prefix);
  const stores = [...(await readPartitions(redis, prefix))].map(async ([store, partitions]) => {
    const lanes = lanePlaces(prefix, store, partitions);
    const states = await Promise.all(lanes.map((lane) => buffer.inspect(lane)));
    const sum = (name: 'dirty' | 'sealed' | 'dead'): number =>
      states.reduce((total, state) => total + state[name], 0);
    return {
      store,
      dirty: sum('dirty'),
      sealed: sum('sealed'),
      dead: sum('dead'),
      ageMs: Math.round(Math.max(0, ...states.map((state) => state.ageMs))),
    };
  });
  return (await Promise.all(stores)).sort((a, b) => a.store.localeCompare(b.store));
}
