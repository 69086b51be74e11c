/**
 * How large a batch may be, and how long its records wait for others: both follow the database. An apply that
 * takes too long halves the size; one that was full and quick lets it grow by a quarter; one in between
 * leaves it, so that it settles.
 */

/** An apply takes no longer than this: its rows stay locked meanwhile, and its lane waits. */
const applyTargetMs = 250;
/** Smaller batches cost more transactions and gain nothing. */
const recordsMin = 50;
/** A slow database makes records wait for others, but not for long. */
const delayTimesMax = 10;
const slowDelayMaxMs = 2_000;

/** What `seal` is asked for. */
export interface BatchLimits {
  readonly recordsMax: number;
  readonly delayMs: number;
}

export class BatchSize {
  readonly #bounds: { readonly min: number; readonly max: number };
  readonly #delayMs: number;
  #recordsMax: number;
  #applyMs = 0;

  /** Begins at the store's own limits: `recordsMax` is the upper bound, `delayMs` the lower one. */
  constructor({ recordsMax, delayMs }: BatchLimits) {
    this.#bounds = { min: Math.min(recordsMin, recordsMax), max: recordsMax };
    this.#recordsMax = recordsMax;
    this.#delayMs = delayMs;
  }

  get limits(): BatchLimits {
    const slowMs = Math.min(this.#applyMs, delayTimesMax * this.#delayMs, slowDelayMaxMs);
    return { recordsMax: this.#recordsMax, delayMs: Math.max(this.#delayMs, slowMs) };
  }

  /** Learns from a batch of `size` records that took `ms`. */
  applied(size: number, ms: number): void {
    this.#applyMs = Math.ceil(ms);
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
