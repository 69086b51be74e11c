/** Jobs of a release that this worker does not have: while releases change, another worker may know them. */
import { DelayedError, type Job, UnrecoverableError } from 'bullmq';

const anotherMayTakeItMs = 5_000;
/** Longer than a deploy takes. */
const patienceMs = 900_000;

/** Hands a job back for other workers; one that nobody has known for a quarter of an hour fails. @throws DelayedError, UnrecoverableError */
export async function refuseUnknown(job: Job, token: string | undefined, message: string): Promise<never> {
  if (Date.now() - job.timestamp > patienceMs) throw new UnrecoverableError(message);
  await job.moveToDelayed(Date.now() + anotherMayTakeItMs, token);
  throw new DelayedError();
}
