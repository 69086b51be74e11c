/**
 * The refresh worker: takes jobs that readers of computed values have added, and computes the values under
 * leases, before they go stale. A load that fails leaves the old value as it is, and is tried again as long
 * as that is there.
 *
 * start: connect → take jobs. stop: take no more, finish the loads in hand, leave.
 */
import type { Job } from 'bullmq';
import type { Forebay } from '../../app/connect.js';
import type { ComputedClient } from '../../client/stores/computed-client.js';
import type { Definitions } from '../../definitions/stores.js';
import { isForebayError, messageOf } from '../../errors.js';
import { refreshJobShape } from '../../queues/job-shapes.js';
import type { RefreshJob } from '../../queues/refresh-job.js';
import { type RefreshOutcome, refreshQueueName } from '../../queues/refresh-queue.js';
import { type AppJobs, AppRole } from '../role/app-role.js';
import { handBack, ImpossibleWork, UnknownWork } from '../role/hand-back.js';
import { jittered, RetryLater } from '../role/retry.js';
import { jobsMaxOf, RefreshBatches } from './refresh-batches.js';

/** Longer than a failed load stands for the process's next ones. */
const firstRetryMs = 2_500;
const retryMaxMs = 60_000;
/**
 * A job whose store has its share of the worker comes back after so long, and makes room for other stores'
 * jobs.
 */
const comeBackMs = 100;

/** Computes values that reads found due, before they go stale. */
export class RefreshService extends AppRole<RefreshJob, RefreshOutcome> {
  readonly #batches = new Map<string, RefreshBatches>();

  /** @internal */
  protected jobs(): AppJobs<RefreshJob, RefreshOutcome> {
    const stores = [...this.options.stores.computed.values()];
    const jobs = stores.reduce((sum, { refreshConcurrency }) => sum + jobsMaxOf(refreshConcurrency), 0);
    return {
      queue: refreshQueueName,
      shape: refreshJobShape,
      concurrency: Math.max(1, jobs),
      process: async (job, { app, token }) => {
        const batches = this.#batchesOf(job.data.store, app);
        if (batches.isFull) return handBack(job, token, comeBackMs);
        try {
          return await batches.run(job.data, { isAlone: job.attemptsMade > 0 });
        } catch (error) {
          throw this.#toRetry(job, error);
        }
      },
    };
  }

  /** @throws UnknownWork */
  #batchesOf(name: string, app: Forebay<Definitions>): RefreshBatches {
    const store = this.options.stores.computed.get(name);
    if (store === undefined)
      throw new UnknownWork(`No computed store is named ${name}. Deploy the workers with its definition.`);
    let batches = this.#batches.get(name);
    if (batches === undefined) {
      const client = app.stores[name] as ComputedClient<unknown>;
      batches = new RefreshBatches({ client, loadsMax: store.refreshConcurrency });
      this.#batches.set(name, batches);
    }
    return batches;
  }

  #toRetry({ data: { store, id }, attemptsMade }: Job<RefreshJob>, error: unknown): Error {
    const isOfOthers = attemptsMade === 0; // of its batch, perhaps
    if (!isOfOthers && isNoId(error)) return new ImpossibleWork(messageOf(error));
    const retryMs = jittered(Math.min(firstRetryMs * 2 ** attemptsMade, retryMaxMs));
    this.options.emit({ type: 'refresh.failed', store, id, attempt: attemptsMade + 1, retryMs, error });
    return new RetryLater('the load failed', retryMs, error);
  }
}

function isNoId(error: unknown): boolean {
  return isForebayError(error, 'INVALID_ID') || isForebayError(error, 'INVALID_KEY');
}
