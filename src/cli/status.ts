/** `forebay status`: what is scheduled, what waits in the queues, and what is not in the database yet. */
import type { Queue } from 'bullmq';
import { type Config, readConfig } from '../config.js';
import { Places } from '../operations/places.js';
import { readBacklog, readQueue, readSchedules } from '../operations/status.js';
import { deadLetterQueueName } from '../queues/dead-letter-queue.js';
import { closeQueues, LazyQueue } from '../queues/lazy-queue.js';
import { refreshQueueName } from '../queues/refresh-queue.js';
import { scheduleQueueName } from '../queues/schedule-queue.js';
import { warmQueueName } from '../queues/warm-queue.js';
import { writeBehindQueueName } from '../queues/write-behind-queue.js';
import { type Status, statusReport } from './status-report.js';
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
    const { lanes } = connections;
    const place = { connection: connections.queue, prefix, emit: () => undefined };
    const lazy = queueNames.map((name) => new LazyQueue<unknown, unknown>(name, place, {}));
    resources.own('queues', lazy, closeQueues);
    const opened = await Promise.all(lazy.map((queue) => queue.open()));
    const queues = new Map(opened.map((queue): [string, Queue] => [queue.name, queue]));
    const backlog = await readBacklog(lanes, prefix, await Places.read(lanes, prefix));
    const found: Status = {
      schedules: await readSchedules(queues.get(scheduleQueueName) as Queue, queues),
      queues: await Promise.all([...queues.values()].map(readQueue)),
      backlog: backlog.map(({ store, dirty, sealed, dead, ageMs }) => ({
        store,
        dirty,
        sealed,
        dead,
        ageMs,
      })),
    };
    say(isJson ? `${JSON.stringify(found, null, 2)}\n` : statusReport(found, new Date()));
  });
}
