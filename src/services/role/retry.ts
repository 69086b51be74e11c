/** When a job that could not be done is tried again. */
import type { FailureReason } from '../../database/database.js';
import { messageOf } from '../../errors.js';

/**
 * Waits by reason: a parent row arrives soon or with its lane; a database needs time; refused rows need a
 * person.
 */
export const retryWaits: Record<FailureReason, { readonly firstMs: number; readonly maxMs: number }> = {
  'not-yet': { firstMs: 20, maxMs: 500 },
  unavailable: { firstMs: 50, maxMs: 2_000 },
  refused: { firstMs: 1_000, maxMs: 10_000 },
};

/**
 * Ends a job that could not be done; BullMQ starts it again after `retryMs`. Its message is what the board
 * shows.
 */
export class RetryLater extends Error {
  override readonly name = 'RetryLater';
  readonly retryMs: number;

  constructor(reason: string, retryMs: number, cause: unknown) {
    super(`${reason}: ${messageOf(cause)} (next try in ${retryMs} ms)`, { cause });
    this.retryMs = retryMs;
  }
}

/** For a job that ended in any other way, e.g. because Redis was away. */
const otherRetryMs = 1_000;

export function retryMsOf(error: unknown): number {
  return error instanceof RetryLater ? error.retryMs : otherRetryMs;
}

/** Between half of it and all of it, so that lanes that failed together do not come back together. */
export function jittered(ms: number, random: () => number = Math.random): number {
  return Math.round(ms * (0.5 + 0.5 * random()));
}
