/**
 * Tells of a worker that has batches in hand and does none of them, e.g. for its transactions wait for a lock
 * on a table. While the database is away no batch is due.
 */

import { messageOf } from '../../errors.js';
import type { EventType, ForebayEvent } from '../../events.js';
import { type Duty, secondsOf } from '../../vitals/health.js';

/** A batch that a worker has in hand. */
export interface Held {
  readonly lane: string;
  readonly number: string;
  /** By `performance.now()`. */
  readonly since: number;
}

export interface BatchesDutyDependencies {
  /** The batch that has been in hand longest. */
  readonly oldestHeld: () => Held | undefined;
  /** In ms. */
  readonly now?: () => number;
}

/** Longer than a batch takes, also of a database that is slow. */
const idleMaxMs = 20_000;
/** A batch that failed is tried again within 10 s, by this worker or by another. */
const retryMaxMs = 15_000;

/** Events after which a batch is done with, or has no reason to be done. */
const done: ReadonlySet<EventType> = new Set([
  'batch.acked',
  'batch.late',
  'batch.void',
  'batch.split',
  'database.back',
]);

interface Failing extends Held {
  readonly lastAt: number;
  readonly reason: string;
}

export class BatchesDuty implements Duty {
  readonly name = 'batches';
  readonly #oldestHeld: BatchesDutyDependencies['oldestHeld'];
  readonly #now: () => number;
  #doneAt = Number.NEGATIVE_INFINITY;
  #failing: Failing | undefined;

  constructor({ oldestHeld, now = () => performance.now() }: BatchesDutyDependencies) {
    this.#oldestHeld = oldestHeld;
    this.#now = now;
  }

  told(event: ForebayEvent): void {
    // The database has answered, and a person is needed: no restart mends it.
    const isRefused = event.type === 'batch.failed' && event.reason === 'refused';
    if (isRefused || done.has(event.type)) this.#done();
    else if (event.type === 'batch.failed') this.#failed(event);
  }

  problem(): string | undefined {
    const now = this.#now();
    const held = this.#oldestHeld();
    const failing = this.#failing && now - this.#failing.lastAt <= retryMaxMs ? this.#failing : undefined;
    const dueSince = Math.min(held?.since ?? now, failing?.since ?? now);
    const idleMs = now - Math.max(dueSince, this.#doneAt);
    if (idleMs <= idleMaxMs) return undefined;
    const what = held
      ? `lane ${held.lane} has batch ${held.number} in hand for ${secondsOf(now - held.since)} s`
      : `lane ${failing?.lane} fails: ${failing?.reason}`;
    return `no batch was done for ${secondsOf(idleMs)} s; ${what}`;
  }

  #done(): void {
    this.#doneAt = this.#now();
    this.#failing = undefined;
  }

  #failed({ lane, number, error }: Extract<ForebayEvent, { type: 'batch.failed' }>): void {
    const now = this.#now();
    // It is in hand still, while this is told.
    const since = this.#failing?.since ?? this.#oldestHeld()?.since ?? now;
    this.#failing = { lane, number, since, lastAt: now, reason: messageOf(error) };
  }
}
