/** A BullMQ worker whose jobs are done with a connected app: what refresh and warm workers have in common. */
import { type Processor, Worker } from 'bullmq';
import { connect, type Forebay } from '../../app/connect.js';
import type { Config } from '../../config.js';
import { closeConnections, openConnections } from '../../connection/redis.js';
import type { Database } from '../../database/database.js';
import type { Definitions, Stores } from '../../definitions/stores.js';
import type { Emit } from '../../events.js';
import { queuePrefix } from '../../keys.js';
import { jobLock } from './job-lock.js';
import { RetryLater, retryMsOf } from './retry.js';
import { withinDeadline } from './service.js';

/** What refresh and warm workers need. */
export interface AppWorkerOptions {
  /** What `defineStores` gave; the same as the apps'. */
  readonly stores: Stores;
  /** The worker's Prisma client. It stays the caller's: `stop` leaves it open. */
  readonly prisma: Database;
  /** What `readConfig` gave. */
  readonly config: Pick<Config, 'prefix' | 'redis' | 'queueRedis'>;
  /** Told of everything that happens: `logEvents(logger)`. */
  readonly emit: Emit;
}

export interface AppWorkerJobs<Data, Result> {
  readonly queue: string;
  /** Jobs that are done at once. */
  readonly concurrency: number;
  readonly processor: (app: Forebay<Definitions>) => Processor<Data, Result>;
}

export interface AppWorker {
  /** Takes no more jobs, waits for those in hand, and disconnects. */
  stop(deadlineMs: number): Promise<void>;
}

const disconnectDeadlineMs = 500;

/** @throws ForebayError REDIS_UNAVAILABLE, INVALID_CONFIG, PARTITIONS_CHANGED */
export async function startAppWorker<Data, Result>(
  { stores, prisma, config, emit }: AppWorkerOptions,
  { queue, concurrency, processor }: AppWorkerJobs<Data, Result>,
): Promise<AppWorker> {
  const connections = await openConnections({ jobs: [config.queueRedis, 'worker'] }, emit);
  const disconnect = () => closeConnections(connections, disconnectDeadlineMs);
  try {
    // Memory is for readers.
    const app = await connect(stores, { prisma, config, cache: { l1: false }, onEvent: emit });
    const worker = new Worker<Data, Result>(queue, processor(app), {
      connection: connections.jobs,
      prefix: queuePrefix(config.prefix),
      concurrency,
      ...jobLock,
      settings: { backoffStrategy: (_attempts, _type, error) => retryMsOf(error) },
    });
    worker.on('error', (error) => emit({ type: 'redis.error', connection: 'worker', error }));
    worker.on('failed', (job, error) => {
      if (!(error instanceof RetryLater)) emit({ type: 'job.failed', job: job?.name ?? '', error });
    });
    return {
      async stop(deadlineMs) {
        await withinDeadline(worker.close(), deadlineMs);
        await disconnect();
        await withinDeadline(app.close(), disconnectDeadlineMs);
      },
    };
  } catch (error) {
    await disconnect();
    throw error;
  }
}
