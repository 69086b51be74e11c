/**
 * The warm worker: takes runs of warming, one at a time, and computes their stores' values before anybody asks for them. Where a run has come to stands in its job:
 * when the worker dies or is stopped, another goes on with the next page.
 *
 * start: connect → take runs. stop: finish the page in hand, hand the run back, leave.
 */
import { DelayedError, type Job } from 'bullmq';
import type { Forebay } from '../../app/connect.js';
import type { ComputedClient } from '../../client/stores/computed-client.js';
import type { ComputedStore } from '../../definitions/computed.js';
import type { Definitions } from '../../definitions/stores.js';
import { type WarmJob, type WarmProgress, type WarmSummary, warmQueueName } from '../../queues/warm-queue.js';
import { type AppWorker, type AppWorkerOptions, startAppWorker } from '../role/app-worker.js';
import { nowAndThen } from '../role/now-and-then.js';
import { jittered, RetryLater } from '../role/retry.js';
import type { Service } from '../role/service.js';
import { refuseUnknown } from '../role/unknown-work.js';
import { WarmRun } from './warm-run.js';

const firstRetryMs = 1_000;
const retryMaxMs = 60_000;

/** Computes values before they are read, page by page. */
export class WarmService implements Service {
  readonly #options: AppWorkerOptions;
  readonly #stopping = new AbortController();
  #worker: AppWorker | undefined;

  constructor(options: AppWorkerOptions) {
    this.#options = options;
  }

  /** Begins to work. @throws ForebayError REDIS_UNAVAILABLE, INVALID_CONFIG, PARTITIONS_CHANGED */
  async start(): Promise<void> {
    this.#worker = await startAppWorker<WarmJob, WarmSummary>(this.#options, {
      queue: warmQueueName,
      concurrency: 1,
      processor: (app) => (job, token) => this.#process(job, token, app),
    });
  }

  /** Ends it: what is in hand may take `deadlineMs`. */
  async stop(deadlineMs: number): Promise<void> {
    this.#stopping.abort();
    await this.#worker?.stop(deadlineMs);
  }

  async #process(
    job: Job<WarmJob, WarmSummary>,
    token: string | undefined,
    app: Forebay<Definitions>,
  ): Promise<WarmSummary> {
    const run = this.#runOf(job.data.store, app);
    if (run === undefined) return refuseUnknown(job, token, unknownStore(job.data.store));
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
        const retryMs = retryMsAfter(job.attemptsMade);
        this.#options.emit({ type: 'warm.stopped', store: job.data.store, retryMs, error });
        throw new RetryLater('the run stopped', retryMs, error);
      });
    if (end === undefined) {
      await job.moveToDelayed(Date.now(), token);
      throw new DelayedError();
    }
    await job.updateProgress({ ...end });
    const { after: _, ...summary } = end;
    return summary;
  }

  /** Undefined: a store of another release, or one that has nothing to be warmed. */
  #runOf(name: string, app: Forebay<Definitions>): WarmRun | undefined {
    const { stores, prisma, emit } = this.#options;
    const store = stores.computed.get(name);
    if (store?.warm === undefined) return undefined;
    const client = app.stores[name] as ComputedClient<unknown>;
    return new WarmRun({ store: store as ComputedStore & { warm: object }, client, prisma, emit });
  }
}

function unknownStore(name: string): string {
  return `Store ${name} has nothing to be warmed. Give it the option "warm", and deploy the workers with its definition.`;
}

function retryMsAfter(attempts: number): number {
  return jittered(Math.min(firstRetryMs * 2 ** attempts, retryMaxMs));
}
