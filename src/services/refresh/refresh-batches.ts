/**
 * The refreshes of one store that a worker has in hand: so many loads at once as the store allows, and each
 * for all that came while the ones before it were under way. The busier the store, the fewer loads for each
 * value.
 */
import type { ComputedClient } from '../../client/stores/computed-client.js';
import type { RefreshJob } from '../../queues/refresh-job.js';
import type { RefreshOutcome } from '../../queues/refresh-queue.js';

export interface RefreshBatchesOptions {
  readonly client: Pick<ComputedClient<unknown>, 'computeSuccessors'>;
  /** Loads at once. */
  readonly loadsMax: number;
}

/** Values of one load. */
const batchMax = 25;

/** Jobs of a store that a worker has in hand at once. */
export function jobsMaxOf(loadsMax: number): number {
  return loadsMax * batchMax;
}

interface Waiting {
  readonly job: RefreshJob;
  /** It has failed before: others must not fail with it again. */
  readonly isAlone: boolean;
  resolve(outcome: RefreshOutcome): void;
  reject(error: unknown): void;
}

export class RefreshBatches {
  readonly #options: RefreshBatchesOptions;
  #waiting: Waiting[] = [];
  #loads = 0;
  /** Waiting, and being computed. */
  #inHand = 0;

  constructor(options: RefreshBatchesOptions) {
    this.#options = options;
  }

  /** With more, jobs of other stores would find no room in the worker. */
  get isFull(): boolean {
    return this.#inHand >= jobsMaxOf(this.#options.loadsMax);
  }

  /** @throws what the loader throws */
  run(job: RefreshJob, { isAlone }: { isAlone: boolean }): Promise<RefreshOutcome> {
    this.#inHand += 1;
    const outcome = new Promise<RefreshOutcome>((resolve, reject) => {
      this.#waiting.push({ job, isAlone, resolve, reject });
      this.#next();
    });
    return outcome.finally(() => {
      this.#inHand -= 1;
    });
  }

  #next(): void {
    if (this.#loads >= this.#options.loadsMax || this.#waiting.length === 0) return;
    const batch = this.#take();
    this.#loads += 1;
    void this.#compute(batch).finally(() => {
      this.#loads -= 1;
      this.#next();
    });
  }

  /** The one that has waited longest, and those that can be computed with it. */
  #take(): Waiting[] {
    const [first] = this.#waiting as [Waiting];
    const batch = new Map([[first.job.id, first]]);
    for (const one of first.isAlone ? [] : this.#waiting) {
      const isWithFirst = !one.isAlone && one.job.ttlMs === first.job.ttlMs && !batch.has(one.job.id);
      if (isWithFirst && batch.size < batchMax) batch.set(one.job.id, one);
    }
    this.#waiting = this.#waiting.filter((one) => batch.get(one.job.id) !== one);
    return [...batch.values()];
  }

  async #compute(batch: readonly Waiting[]): Promise<void> {
    const { client } = this.#options;
    try {
      const outcomes = await client.computeSuccessors(
        batch.map(({ job }) => job),
        batch[0]?.job.ttlMs,
      );
      for (const [i, { resolve, reject }] of batch.entries()) {
        const outcome = outcomes[i];
        if (typeof outcome === 'string') resolve(outcome);
        else reject(outcome?.error);
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
