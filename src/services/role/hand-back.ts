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
