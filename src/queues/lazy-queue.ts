/**
 * Queues as they are all kept: under one prefix, on a connection that is there already. Jobs are wake-ups and
 * progress: the truth is elsewhere.
 */
import type { DefaultJobOptions, Queue } from 'bullmq';
import type { RedisClient } from '../connection/redis.js';
import type { Emit } from '../events.js';
import { queuePrefix } from '../keys.js';

export interface QueuePlace {
  /** Connected already. */
  readonly connection: RedisClient;
  readonly prefix: string;
  readonly emit: Emit;
}

/** So long a finished run's id can't be used again. */
const runsKeptSeconds = 86_400;

/** For queues whose jobs' ids must not be used twice. */
export const keptRuns = {
  removeOnComplete: { age: runsKeptSeconds, count: 10_000 },
  removeOnFail: { age: runsKeptSeconds, count: 10_000 },
};

/** For queues whose finished jobs are for people to look at. */
export const keptLatest = { removeOnComplete: { count: 1_000 }, removeOnFail: { count: 1_000 } };

/**
 * A queue that is opened when it is first needed: BullMQ is loaded then, so that an app that sends no jobs
 * does without.
 */
export class LazyQueue<Data, Result> {
  readonly #name: string;
  readonly #place: QueuePlace;
  readonly #defaultJobOptions: DefaultJobOptions;
  #opening: Promise<Queue<Data, Result>> | undefined;

  constructor(name: string, place: QueuePlace, defaultJobOptions: DefaultJobOptions) {
    this.#name = name;
    this.#place = place;
    this.#defaultJobOptions = defaultJobOptions;
  }

  /** The queue itself. */
  open(): Promise<Queue<Data, Result>> {
    this.#opening ??= this.#open();
    return this.#opening;
  }

  async close(): Promise<void> {
    await (await this.#opening)?.close();
  }

  async #open(): Promise<Queue<Data, Result>> {
    const { connection, prefix, emit } = this.#place;
    const { bullmq } = await import('../peers/bullmq.js');
    const queue = new bullmq.Queue<Data, Result>(this.#name, {
      connection,
      prefix: queuePrefix(prefix),
      skipWaitingForReady: true,
      defaultJobOptions: this.#defaultJobOptions,
    });
    queue.on('error', (error) => emit({ type: 'redis.error', connection: 'queue', error }));
    return queue;
  }
}

/** Queues that share a connection leave it open. */
export async function closeQueues(queues: readonly { close(): Promise<void> }[]): Promise<void> {
  await Promise.all(queues.map((queue) => queue.close()));
}
