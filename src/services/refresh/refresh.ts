/**
 * The refresh worker: takes jobs that readers of computed values have added, and computes the values under leases, before they go stale. A
 * load that fails leaves the old value as it is, and is tried again as long as that is there.
 *
 * start: connect → take jobs. stop: take no more, finish the loads in hand, leave.
 */
import { DelayedError, type Job } from 'bullmq';
import type { Forebay } from '../../app/connect.js';
import type { ComputedClient } from '../../client/stores/computed-client.js';
import type { Definitions } from '../../definitions/stores.js';
import { type RefreshJob, type RefreshOutcome, refreshQueueName } from '../../queues/refresh-queue.js';
import { type AppWorker, type AppWorkerOptions, startAppWorker } from '../role/app-worker.js';
import { jittered, RetryLater } from '../role/retry.js';
import type { Service } from '../role/service.js';
import { refuseUnknown } from '../role/unknown-work.js';
import { jobsMaxOf, RefreshBatches } from './refresh-batches.js';

/** Longer than a failed load stands for the process's next ones. */
const firstRetryMs = 2_500;
const retryMaxMs = 60_000;
/** A job whose store has its share of the worker comes back after so long, and makes room for other stores' jobs. */
const comeBackMs = 100;

/** Computes values that reads found due, before they go stale. */
export class RefreshService implements Service {
  readonly #options: AppWorkerOptions;
  readonly #batches = new Map<string, RefreshBatches>();
  #worker: AppWorker | undefined;

  constructor(options: AppWorkerOptions) {
    this.#options = options;
  }

  /** Begins to work. @throws ForebayError REDIS_UNAVAILABLE, INVALID_CONFIG, PARTITIONS_CHANGED */
  async start(): Promise<void> {
    const stores = [...this.#options.stores.computed.values()];
    const jobs = stores.reduce((sum, { refreshConcurrency }) => sum + jobsMaxOf(refreshConcurrency), 0);
    this.#worker = await startAppWorker<RefreshJob, RefreshOutcome>(this.#options, {
      queue: refreshQueueName,
      concurrency: Math.max(1, jobs),
      processor: (app) => (job, token) => this.#process(job, token, app),
    });
  }

  /** Ends it: what is in hand may take `deadlineMs`. */
  async stop(deadlineMs: number): Promise<void> {
    await this.#worker?.stop(deadlineMs);
  }

  async #process(
    job: Job<RefreshJob, RefreshOutcome>,
    token: string | undefined,
    app: Forebay<Definitions>,
  ): Promise<RefreshOutcome> {
    const batches = this.#batchesOf(job.data.store, app);
    if (batches === undefined) {
      const message = `No computed store is named ${job.data.store}. Deploy the workers with its definition.`;
      return refuseUnknown(job, token, message);
    }
    if (batches.isFull) {
      await job.moveToDelayed(Date.now() + comeBackMs, token);
      throw new DelayedError();
    }
    try {
      return await batches.run(job.data, { isAlone: job.attemptsMade > 0 });
    } catch (error) {
      throw this.#toRetry(job, error);
    }
  }

  #batchesOf(name: string, app: Forebay<Definitions>): RefreshBatches | undefined {
    const store = this.#options.stores.computed.get(name);
    if (store === undefined) return undefined;
    let batches = this.#batches.get(name);
    if (batches === undefined) {
      const client = app.stores[name] as ComputedClient<unknown>;
      batches = new RefreshBatches({ client, loadsMax: store.refreshConcurrency });
      this.#batches.set(name, batches);
    }
    return batches;
  }

  #toRetry({ data: { store, id }, attemptsMade }: Job<RefreshJob>, error: unknown): RetryLater {
    const retryMs = jittered(Math.min(firstRetryMs * 2 ** attemptsMade, retryMaxMs));
    this.#options.emit({ type: 'refresh.failed', store, id, attempt: attemptsMade + 1, retryMs, error });
    return new RetryLater('the load failed', retryMs, error);
  }
}
