/**
 * The refresh worker: takes jobs that readers of computed values have added, and computes each value under a lease, before it goes stale. A
 * load that fails leaves the old value as it is, and is tried again as long as that is there.
 *
 * start: connect → take jobs. stop: take no more, finish the loads in hand, leave.
 */
import { DelayedError, type Job, UnrecoverableError, Worker } from 'bullmq';
import pLimit from 'p-limit';
import type { ComputedClient } from '../client/computed-client.js';
import { connect, type Forebay } from '../client/forebay.js';
import type { Config } from '../config.js';
import { closeConnections, openConnections } from '../connection/redis.js';
import type { Database } from '../database/database.js';
import type { Definitions, Stores } from '../definitions/stores.js';
import type { Emit } from '../events.js';
import { queuePrefix } from '../keys.js';
import { type RefreshJob, type RefreshOutcome, refreshQueueName } from '../queues.js';
import { jobLock } from './job-lock.js';
import { jittered, RetryLater, retryMsOf } from './retry.js';
import { type Service, withinDeadline } from './service.js';

export interface RefreshServiceOptions {
  readonly stores: Stores;
  readonly prisma: Database;
  readonly config: Pick<Config, 'prefix' | 'redis' | 'queueRedis'>;
  readonly emit: Emit;
}

/** Longer than a failed load stands for the process's next ones. */
const firstRetryMs = 2_500;
const retryMaxMs = 60_000;
/** A job whose store has all its loads under way comes back after so long, and makes room for other stores' jobs. */
const comeBackMs = 100;
const disconnectDeadlineMs = 500;

/** What there is while the service is at work. */
interface Running {
  readonly app: Forebay<Definitions>;
  readonly worker: Worker<RefreshJob, RefreshOutcome>;
  disconnect(): Promise<void>;
}

export class RefreshService implements Service {
  readonly #options: RefreshServiceOptions;
  readonly #limits: ReadonlyMap<string, ReturnType<typeof pLimit>>;
  #running: Running | undefined;

  constructor(options: RefreshServiceOptions) {
    this.#options = options;
    this.#limits = new Map(
      [...options.stores.computed].map(([name, store]) => [name, pLimit(store.refreshConcurrency)]),
    );
  }

  /** @throws ForebayError REDIS_UNAVAILABLE, INVALID_CONFIG, PARTITIONS_CHANGED */
  async start(): Promise<void> {
    const { stores, prisma, config, emit } = this.#options;
    const app = await connect(stores, { prisma, config, cache: { l1: false }, onEvent: emit });
    try {
      const connections = await openConnections({ jobs: [config.queueRedis, 'worker'] }, emit);
      const worker = new Worker<RefreshJob, RefreshOutcome>(
        refreshQueueName,
        (job, token) => this.#process(job, token, app),
        {
          connection: connections.jobs,
          prefix: queuePrefix(config.prefix),
          concurrency: this.#loadsMax(),
          ...jobLock,
          settings: { backoffStrategy: (_attempts, _type, error) => retryMsOf(error) },
        },
      );
      worker.on('error', (error) => emit({ type: 'redis.error', connection: 'worker', error }));
      await worker.waitUntilReady();
      const disconnect = () => closeConnections(connections, disconnectDeadlineMs);
      this.#running = { app, worker, disconnect };
    } catch (error) {
      await app.close();
      throw error;
    }
  }

  async stop(deadlineMs: number): Promise<void> {
    if (!this.#running) return;
    const { app, worker, disconnect } = this.#running;
    await withinDeadline(worker.close(), deadlineMs);
    await disconnect();
    await withinDeadline(app.close(), disconnectDeadlineMs);
  }

  /** One store's loads leave room for those of the others. */
  #loadsMax(): number {
    const all = [...this.#options.stores.computed.values()];
    return Math.max(
      1,
      all.reduce((sum, { refreshConcurrency }) => sum + refreshConcurrency, 0),
    );
  }

  async #process(
    job: Job<RefreshJob, RefreshOutcome>,
    token: string | undefined,
    app: Forebay<Definitions>,
  ): Promise<RefreshOutcome> {
    const { store, id, seen, ttlMs } = job.data;
    const client = app.stores[store] as ComputedClient<unknown> | undefined;
    const limit = this.#limits.get(store);
    if (client === undefined || limit === undefined) {
      throw new UnrecoverableError(
        `No computed store is named ${store}. Deploy the workers with its definition.`,
      );
    }
    if (limit.activeCount >= limit.concurrency) {
      await job.moveToDelayed(Date.now() + comeBackMs, token);
      throw new DelayedError();
    }
    try {
      return await limit(() => client.computeSuccessor(id, seen, ttlMs));
    } catch (error) {
      throw this.#toRetry(job, error);
    }
  }

  #toRetry({ data: { store, id }, attemptsMade }: Job<RefreshJob>, error: unknown): RetryLater {
    const retryMs = jittered(Math.min(firstRetryMs * 2 ** attemptsMade, retryMaxMs));
    this.#options.emit({ type: 'refresh.failed', store, id, attempt: attemptsMade + 1, retryMs, error });
    return new RetryLater('the load failed', retryMs, error);
  }
}
