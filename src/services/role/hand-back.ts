/** Jobs that end in another way than done or failed. */
import type { Job } from 'bullmq';
import { bullmq } from '../../peers/bullmq.js';

/**
 * What a worker does not know: a store, lane or schedule of another release, or of another app. The job is
 * handed back for other workers.
 */
export class UnknownWork extends Error {
  override readonly name = 'UnknownWork';
}

/** What nobody can do, e.g. for the job is malformed: it is set aside as failed, and not tried again. */
export class ImpossibleWork extends Error {
  override readonly name = 'ImpossibleWork';
}

/** Ends a job as failed for good, without another word: what is wrong was told before. */
export class SetAside extends bullmq.UnrecoverableError {}

/** Gives the job to whichever worker takes it after `ms`. @throws DelayedError, which tells BullMQ so */
export async function handBack(job: Job, token: string | undefined, ms: number): Promise<never> {
  await job.moveToDelayed(Date.now() + ms, token);
  throw new bullmq.DelayedError();
}

/** So often at once: Redis gives it to the worker that has waited longest, which this one has not. */
const atOnceMax = 3;
const laterFirstMs = 10;
const laterMaxMs = 5_000;

/**
 * Leaves a job to workers that know what it is about: at once for some times, then ever later, for perhaps
 * there is none. By the number of times, so that no two clocks are compared. @throws what tells BullMQ so
 */
export async function leaveToOthers(job: Job, token: string | undefined): Promise<never> {
  const tries = job.attemptsStarted - atOnceMax;
  if (tries > 0) return handBack(job, token, Math.min(laterMaxMs, laterFirstMs * 2 ** (tries - 1)));
  await job.moveToWait(token);
  throw new bullmq.WaitingError();
}
