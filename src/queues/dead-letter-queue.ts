/** The dead letters, for people: the lane has the letter itself. */
import { createHash } from 'node:crypto';
import type { RedisClient } from '../connection/redis.js';
import type { Emit } from '../events.js';
import { LazyQueue } from './lazy-queue.js';

export const deadLetterQueueName = 'dead-letter';

/**
 * A dead letter as the board shows it: a job that has failed with the database's error. Its retry is a
 * replay.
 */
export interface DeadLetterJob {
  readonly lane: string;
  /** `store:id`. */
  readonly field: string;
  /** When it was refused, in µs since 1970. */
  readonly at: string;
  readonly error: { readonly state: string; readonly message: string };
  /** By field, as the lane has them; long ones are cut off. */
  readonly records: Readonly<Record<string, string>>;
}

export type DeadLetterOutcome = 'replayed' | 'gone';

/** Of a record in a job, in characters: the letter itself has it whole. */
const shownMax = 10_000;

export class DeadLetterQueue extends LazyQueue<DeadLetterJob, DeadLetterOutcome> {
  constructor(connection: RedisClient, prefix: string, emit: Emit) {
    super(
      deadLetterQueueName,
      { connection, prefix, emit },
      { removeOnComplete: { count: 1_000 }, removeOnFail: false },
    );
  }

  /** Shows a letter; once, however often it is called. */
  async show(letter: DeadLetterJob): Promise<void> {
    const records = Object.entries(letter.records).map(([field, text]) => [field, text.slice(0, shownMax)]);
    const queue = await this.open();
    await queue.add(
      `${letter.lane} ${letter.field}`,
      { ...letter, records: Object.fromEntries(records) },
      { jobId: jobIdOf(letter) },
    );
  }

  /** Stops showing a letter that is gone. */
  async hide(letter: Pick<DeadLetterJob, 'lane' | 'field' | 'at'>): Promise<void> {
    const queue = await this.open();
    await queue.remove(jobIdOf(letter));
  }
}

/** BullMQ allows no colons in ids. */
function jobIdOf({ lane, field, at }: Pick<DeadLetterJob, 'lane' | 'field' | 'at'>): string {
  return createHash('sha256').update(`${lane} ${field} ${at}`).digest('base64url');
}
