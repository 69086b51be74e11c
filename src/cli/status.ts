/** `forebay status`: what is scheduled, what waits in the queues, and what is not in the database yet. */
import type { Queue } from 'bullmq';
import { Pauses } from '../buffer/pauses.js';
import { Places } from '../operations/places.js';
import { readBacklog, readQueue, readSchedules } from '../operations/status.js';
import { pause } from '../pause.js';
import { deadLetterQueueName } from '../queues/dead-letter-queue.js';
import { closeQueues, LazyQueue } from '../queues/lazy-queue.js';
import { refreshQueueName } from '../queues/refresh-queue.js';
import { scheduleQueueName } from '../queues/schedule-queue.js';
import { warmQueueName } from '../queues/warm-queue.js';
import { writeBehindQueueName } from '../queues/write-behind-queue.js';
import type { Io } from './command.js';
import { type Status, statusReport } from './status-report.js';
import { withConnections } from './with-connections.js';

const queueNames = [
  writeBehindQueueName,
  refreshQueueName,
  warmQueueName,
  scheduleQueueName,
  deadLetterQueueName,
];

/** How often `--watch` looks. */
const watchEveryMs = 2_000;

interface StatusOptions {
  readonly isJson: boolean;
}

/** @throws ForebayError INVALID_CONFIG, REDIS_UNAVAILABLE */
export async function status(io: Io, { isJson }: StatusOptions): Promise<void> {
  await withStatus(io, async (read) => {
    const found = await read();
    io.out.write(isJson ? `${JSON.stringify(found, null, 2)}\n` : statusReport(found, new Date()));
  });
}

/**
 * Again and again, until Ctrl-C: on a terminal in the same place, elsewhere one below the other. @throws as
 * `status`
 */
export async function watchStatus(io: Io, { isJson }: StatusOptions): Promise<void> {
  await withStatus(io, async (read) => {
    while (!io.signal.aborted) {
      const [found, now] = [await read(), new Date()];
      const text = `${now.toISOString()}\n\n${statusReport(found, now)}`;
      if (isJson) io.out.write(`${JSON.stringify({ at: now, ...found })}\n`);
      else io.out.write(io.out.isTTY ? `${clearScreen}${text}` : `${text}\n`);
      await pause(watchEveryMs, io.signal);
    }
  });
}

const clearScreen = '\x1b[2J\x1b[H';

async function withStatus(io: Io, use: (read: () => Promise<Status>) => Promise<void>): Promise<void> {
  const { prefix, redis, queueRedis } = io.config();
  const plan = { lanes: [redis, 'reads'], queue: [queueRedis, 'queue'] } as const;
  await withConnections(plan, async ({ lanes, queue }, resources) => {
    const place = { connection: queue, prefix, emit: () => undefined };
    const lazy = queueNames.map((name) => new LazyQueue(name, place, {}));
    resources.own('queues', lazy, closeQueues);
    const open = await Promise.all(lazy.map((one) => one.open()));
    const queues = new Map(open.map((one): [string, Queue] => [one.name, one]));
    await use(async () => {
      const paused = await new Pauses(lanes, prefix).groups();
      const backlog = await readBacklog(lanes, prefix, await Places.read(lanes, prefix));
      return {
        schedules: await readSchedules(queues.get(scheduleQueueName) as Queue, queues),
        queues: await Promise.all([...queues.values()].map(readQueue)),
        backlog: backlog.map(({ store, dirty, sealed, dead, ageMs }) => ({
          store,
          dirty,
          sealed,
          dead,
          ageMs,
          isPaused: paused.has(store),
        })),
      };
    });
  });
}
