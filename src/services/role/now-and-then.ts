/** Progress of a job, told no faster than the board asks. */

const everyMs = 1_000;

/** Calls `report` once a second at most. */
export function nowAndThen<T>(report: (progress: T) => Promise<void>): (progress: T) => Promise<void> {
  let reportedAt = Date.now();
  return async (progress) => {
    if (Date.now() - reportedAt < everyMs) return;
    reportedAt = Date.now();
    await report(progress);
  };
}
