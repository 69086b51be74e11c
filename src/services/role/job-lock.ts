/** How workers hold their jobs. */

/**
 * A dead worker's job is taken by another after about this long, and any number of times: every job can be done twice, and goes on where
 * the dead one stopped.
 */
const jobLockMs = 10_000;

/** For BullMQ's workers. */
export const jobLock = {
  lockDuration: jobLockMs,
  stalledInterval: jobLockMs,
  maxStalledCount: 1_000_000,
} as const;
