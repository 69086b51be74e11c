/**
 * The refresh worker: takes jobs that readers of computed values have added, and computes each value under a lease, before it goes stale. A
 * load that fails leaves the old value as it is, and is tried again as long as that is there.
 *
 * start: connect → take jobs. stop: take no more, finish the loads in hand, leave.
 */
import { DelayedError, type Job } from 'bullmq';
import pLimit from 'p-limit';
import type { ComputedClient } from '../client/computed-client.js';
import type { Forebay } from '../client/forebay.js';
import type { Definitions } from '../definitions/stores.js';
import { type RefreshJob, type RefreshOutcome, refreshQueueName } from '../queues/refresh-queue.js';
import { type AppWorker, type AppWorkerOptions, startAppWorker } from './app-worker.js';
import { jittered, RetryLater } from './retry.js';
import type { Service } from './service.js';
import { refuseUnknown } from './unknown-work.js';

/** Longer than a failed load stands for the process's next ones. */
const firstRetryMs = 2_500;
const retryMaxMs = 60_000;
/** A job whose store has all its loads under way comes back after so long, and makes room for other stores' jobs. */
const comeBackMs = 100;

export class RefreshService implements Service {
  readonly #options: AppWorkerOptions;
  readonly #limits: ReadonlyMap<string, ReturnType<typeof pLimit>>;
  #worker: AppWorker | undefined;

  constructor(options: AppWorkerOptions) {
    this.#options = options;
    this.#limits = new Map(
      [...options.stores.computed].map(([name, store]) => [name, pLimit(store.refreshConcurrency)]),
    );
  }

  /** @throws ForebayError REDIS_UNAVAILABLE, INVALID_CONFIG, PARTITIONS_CHANGED */
  async start(): Promise<void> {
    this.#worker = await startAppWorker<RefreshJob, RefreshOutcome>(this.#options, {
      queue: refreshQueueName,
      concurrency: this.#loadsMax(),
      processor: (app) => (job, token) => this.#process(job, token, app),
    });
  }

  async stop(deadlineMs: number): Promise<void> {
    await this.#worker?.stop(deadlineMs);
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
      const message = `No computed store is named ${store}. Deploy the workers with its definition.`;
      return refuseUnknown(job, token, message);
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
