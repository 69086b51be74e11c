/**
 * How large a batch may be, and how long its lane rests after it: both follow the database. An apply that
 * takes too long halves the size; one that was full and quick lets it grow by a quarter; one in between
 * leaves it, so that it settles.
 */

/** An apply takes no longer than this: its rows stay locked meanwhile, and its lane waits. */
const applyTargetMs = 250;
/** Smaller batches cost more transactions and gain nothing. */
const recordsMin = 50;
/**
 * From one batch to the next a lane takes as long as the batch took, and once more for each so many records
 * that it had, up to the store's delay. So where few writes come they are there in milliseconds; where many
 * come, or the database is busy, which lets more of them come meanwhile, they coalesce.
 */
const recordsPerRest = 100;

/** What `seal` is asked for. */
export interface BatchLimits {
  readonly recordsMax: number;
  /** How old the oldest record must be. */
  readonly delayMs: number;
}

export interface BatchBounds {
  readonly recordsMax: number;
  readonly minDelayMs: number;
  readonly delayMs: number;
}

export class BatchSize {
  readonly #bounds: { readonly min: number; readonly max: number };
  readonly #minDelayMs: number;
  readonly #delayMs: number;
  #recordsMax: number;
  #applyMs = 0;
  #size = 0;

  /** Begins at the store's own limits: `recordsMax` is the upper bound. */
  constructor({ recordsMax, minDelayMs, delayMs }: BatchBounds) {
    this.#bounds = { min: Math.min(recordsMin, recordsMax), max: recordsMax };
    this.#recordsMax = recordsMax;
    this.#minDelayMs = minDelayMs;
    this.#delayMs = delayMs;
  }

  /** Rows that come after those that they refer to do so also where those wait for a busy database. */
  get limits(): BatchLimits {
    const delayMs = this.#minDelayMs === 0 ? 0 : this.#minDelayMs + this.#intervalMs;
    return { recordsMax: this.#recordsMax, delayMs };
  }

  get #intervalMs(): number {
    const times = 1 + this.#size / recordsPerRest;
    return Math.min(Math.ceil(times * this.#applyMs), this.#delayMs);
  }

  /**
   * How long a lane rests after a batch of so many records that was sealed so many ms ago. One that was full
   * leaves others behind.
   */
  restMs(size: number, sealedMs: number): number {
    if (size >= this.#recordsMax) return 0;
    return Math.max(0, this.#intervalMs - sealedMs);
  }

  /** Learns from a batch of `size` records that took `ms`. */
  applied(size: number, ms: number): void {
    this.#applyMs = Math.ceil(ms);
    this.#size = size;
    // Of an earlier, larger limit: it tells nothing of this one, and one slow spell of many lanes must count
    // once.
    if (size > this.#recordsMax) return;
    const isFull = size === this.#recordsMax;
    if (ms > applyTargetMs) this.#set(Math.floor(this.#recordsMax / 2));
    else if (isFull && ms < applyTargetMs / 2) this.#set(Math.ceil(this.#recordsMax * 1.25));
  }

  #set(records: number): void {
    this.#recordsMax = Math.min(Math.max(records, this.#bounds.min), this.#bounds.max);
  }
}
