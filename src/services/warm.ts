/**
 * The warm worker: takes runs of warming, one at a time, and computes their stores' values before anybody asks for them. Where a run has come to stands in its job:
 * when the worker dies or is stopped, another goes on with the next page.
 *
 * start: connect → take runs. stop: finish the page in hand, hand the run back, leave.
 */
import { DelayedError, type Job, UnrecoverableError, Worker } from 'bullmq';
import type { ComputedClient } from '../client/computed-client.js';
import { connect, type Forebay } from '../client/forebay.js';
import type { Config } from '../config.js';
import { closeConnections, openConnections } from '../connection/redis.js';
import type { Database } from '../database/database.js';
import type { ComputedStore } from '../definitions/computed.js';
import type { Definitions, Stores } from '../definitions/stores.js';
import type { Emit } from '../events.js';
import { queuePrefix } from '../keys.js';
import { type WarmJob, type WarmProgress, type WarmSummary, warmQueueName } from '../queues.js';
import { jobLock } from './job-lock.js';
import { nowAndThen } from './now-and-then.js';
import { jittered, RetryLater, retryMsOf } from './retry.js';
import { type Service, withinDeadline } from './service.js';
import { WarmRun } from './warm-run.js';

export interface WarmServiceOptions {
  readonly stores: Stores;
  readonly prisma: Database;
  readonly config: Pick<Config, 'prefix' | 'redis' | 'queueRedis'>;
  readonly emit: Emit;
}

const firstRetryMs = 1_000;
const retryMaxMs = 60_000;
const disconnectDeadlineMs = 500;

/** What there is while the service is at work. */
interface Running {
  readonly app: Forebay<Definitions>;
  readonly worker: Worker<WarmJob, WarmSummary>;
  disconnect(): Promise<void>;
}

export class WarmService implements Service {
  readonly #options: WarmServiceOptions;
  readonly #stopping = new AbortController();
  #running: Running | undefined;

  constructor(options: WarmServiceOptions) {
    this.#options = options;
  }

  /** @throws ForebayError REDIS_UNAVAILABLE, INVALID_CONFIG, PARTITIONS_CHANGED */
  async start(): Promise<void> {
    const { stores, prisma, config, emit } = this.#options;
    const app = await connect(stores, { prisma, config, cache: { l1: false }, onEvent: emit });
    try {
      const connections = await openConnections({ jobs: [config.queueRedis, 'worker'] }, emit);
      const worker = new Worker<WarmJob, WarmSummary>(
        warmQueueName,
        (job, token) => this.#process(job, token, app),
        {
          connection: connections.jobs,
          prefix: queuePrefix(config.prefix),
          ...jobLock,
          settings: { backoffStrategy: (_attempts, _type, error) => retryMsOf(error) },
        },
      );
      worker.on('error', (error) => emit({ type: 'redis.error', connection: 'worker', error }));
      worker.on('failed', (job, error) => emit({ type: 'job.failed', job: job?.name ?? '', error }));
      await worker.waitUntilReady();
      const disconnect = () => closeConnections(connections, disconnectDeadlineMs);
      this.#running = { app, worker, disconnect };
    } catch (error) {
      await app.close();
      throw error;
    }
  }

  async stop(deadlineMs: number): Promise<void> {
    this.#stopping.abort();
    if (!this.#running) return;
    const { app, worker, disconnect } = this.#running;
    await withinDeadline(worker.close(), deadlineMs);
    await disconnect();
    await withinDeadline(app.close(), disconnectDeadlineMs);
  }

  async #process(
    job: Job<WarmJob, WarmSummary>,
    token: string | undefined,
    app: Forebay<Definitions>,
  ): Promise<WarmSummary> {
    const run = this.#runOf(job.data.store, app);
    const report = nowAndThen((progress: WarmProgress) => job.updateProgress({ ...progress }));
    const end = await run
      .run(job.data.done, {
        signal: this.#stopping.signal,
        onPage: async (done) => {
          await job.updateData({ ...job.data, done });
          await report(done);
        },
      })
      .catch((error: unknown) => {
        throw new RetryLater('the run stopped', retryMsAfter(job.attemptsMade), error);
      });
    if (end === undefined) {
      await job.moveToDelayed(Date.now(), token);
      throw new DelayedError();
    }
    await job.updateProgress({ ...end });
    const { after: _, ...summary } = end;
    return summary;
  }

  #runOf(name: string, app: Forebay<Definitions>): WarmRun {
    const { stores, prisma, emit } = this.#options;
    const store = stores.computed.get(name);
    if (store?.warm === undefined) {
      throw new UnrecoverableError(
        `Store ${name} has nothing to be warmed. Give it the option "warm", and deploy the workers with its definition.`,
      );
    }
    const client = app.stores[name] as ComputedClient<unknown>;
    return new WarmRun({ store: store as ComputedStore & { warm: object }, client, prisma, emit });
  }
}

function retryMsAfter(attempts: number): number {
  return jittered(Math.min(firstRetryMs * 2 ** attempts, retryMaxMs));
}
