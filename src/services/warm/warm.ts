/**
 * The warm worker: takes runs of warming, one at a time, and computes their stores' values before anybody
 * asks for them. Where a run has come to stands in its job: when the worker dies or is stopped, another goes
 * on with the next page.
 *
 * start: connect → take runs. stop: finish the page in hand, hand the run back, leave.
 */
import type { Job } from 'bullmq';
import type { Forebay } from '../../app/connect.js';
import type { ComputedClient } from '../../client/stores/computed-client.js';
import type { ComputedStore } from '../../definitions/computed.js';
import type { Definitions } from '../../definitions/stores.js';
import { warmJobShape } from '../../queues/job-shapes.js';
import { type WarmJob, type WarmProgress, type WarmSummary, warmQueueName } from '../../queues/warm-queue.js';
import { type AppJobs, AppRole } from '../role/app-role.js';
import { handBack, UnknownWork } from '../role/hand-back.js';
import { nowAndThen } from '../role/now-and-then.js';
import { jittered, RetryLater } from '../role/retry.js';
import { WarmRun } from './warm-run.js';

const firstRetryMs = 1_000;
const retryMaxMs = 60_000;

/** Computes values before they are read, page by page. */
export class WarmService extends AppRole<WarmJob, WarmSummary> {
  /** @internal */
  protected jobs(): AppJobs<WarmJob, WarmSummary> {
    return {
      queue: warmQueueName,
      shape: warmJobShape,
      concurrency: 1,
      process: async (job, { app, token, signal }) => {
        const run = this.#runOf(job.data.store, app);
        const report = nowAndThen((progress: WarmProgress) => job.updateProgress({ ...progress }));
        const onPage = async (done: WarmProgress): Promise<void> => {
          await job.updateData({ ...job.data, done });
          await report(done);
        };
        const end = await run.run(job.data.done, { signal, onPage }).catch((error: unknown) => {
          throw this.#toRetry(job, error);
        });
        if (end === undefined) return handBack(job, token, 0);
        await job.updateProgress({ ...end });
        const { after: _, ...summary } = end;
        return summary;
      },
    };
  }

  #toRetry({ data: { store }, attemptsMade }: Job<WarmJob>, error: unknown): RetryLater {
    const retryMs = jittered(Math.min(firstRetryMs * 2 ** attemptsMade, retryMaxMs));
    this.options.emit({ type: 'warm.stopped', store, retryMs, error });
    return new RetryLater('the run stopped', retryMs, error);
  }

  /** @throws UnknownWork: a store of another release, or one that has nothing to be warmed */
  #runOf(name: string, app: Forebay<Definitions>): WarmRun {
    const { stores, prisma, emit } = this.options;
    const store = stores.computed.get(name);
    if (store?.warm === undefined) throw new UnknownWork(unknownStore(name));
    const client = app.stores[name] as ComputedClient<unknown>;
    return new WarmRun({ store: store as ComputedStore & { warm: object }, client, prisma, emit });
  }
}

function unknownStore(name: string): string {
  return `Store ${name} has nothing to be warmed. Give it the option "warm", and deploy the workers with its definition.`;
}
