/**
 * Asks refresh workers for values that are due: a job for each value, whichever processes ask for it. Nothing
 * is lost when a job is: a value that nobody has refreshed is computed by its readers once it is stale.
 */
import { LRUCache } from 'lru-cache';
import type { DueValue } from '../../cache/reading/refresh-ahead.js';
import type { Emit } from '../../events.js';
import type { RefreshJob } from '../../queues/refresh-job.js';

/** Values that were asked for lately: their next reads cost no call. */
const askedMax = 10_000;
/** With so many jobs waiting there are too few workers, or none: further ones would come too late. */
const waitingMax = 10_000;
const countEveryMs = 1_000;
/** Jobs on their way to the queue: while its Redis hangs, further ones are asked for by later reads. */
const underWayMax = 1_000;

/** The refresh queue. */
export interface RefreshPlace {
  add(job: RefreshJob, urgencyMs: number): Promise<void>;
  waiting(): Promise<number>;
}

export interface RefreshRequestsDependencies {
  /** Undefined: nobody can be asked, and readers compute what is stale. */
  readonly queue: RefreshPlace | undefined;
  readonly emit: Emit;
}

export class RefreshRequests {
  readonly #queue: RefreshPlace | undefined;
  readonly #emit: Emit;
  readonly #asked = new LRUCache<string, true>({ max: askedMax });
  #countedAtMs = Number.NEGATIVE_INFINITY;
  #isCrowded = false;
  #underWay = 0;

  constructor({ queue, emit }: RefreshRequestsDependencies) {
    this.#queue = queue;
    this.#emit = emit;
  }

  /** Returns at once. What goes wrong is told as an event. */
  add(job: RefreshJob, due: DueValue): void {
    if (!this.#queue || this.#asked.has(job.seen) || this.#underWay >= underWayMax) return;
    this.#asked.set(job.seen, true);
    void this.#send(this.#queue, job, urgencyMs(due));
  }

  async #send(queue: RefreshPlace, job: RefreshJob, urgency: number): Promise<void> {
    this.#underWay += 1;
    try {
      await this.#count(queue);
      if (!this.#isCrowded) await queue.add(job, urgency);
    } catch (error) {
      this.#emit({ type: 'refresh.not-asked', store: job.store, id: job.id, error });
    } finally {
      this.#underWay -= 1;
    }
  }

  /** Once in a while: a count is a round trip. */
  async #count(queue: RefreshPlace): Promise<void> {
    if (Date.now() - this.#countedAtMs < countEveryMs) return;
    this.#countedAtMs = Date.now();
    const isCrowded = (await queue.waiting()) >= waitingMax;
    if (isCrowded && !this.#isCrowded) this.#emit({ type: 'refresh.crowded', waiting: waitingMax });
    this.#isCrowded = isCrowded;
  }
}

/** What is stale soonest and read most comes first: the time that is left, shared among the reads it had. */
function urgencyMs({ freshForMs, reads }: DueValue): number {
  return freshForMs / reads;
}
