/**
 * The dead letters on the board: each is a job that has failed with the database's error, and whose retry
 * replays the letter. The lanes have the letters themselves: a queue that has lost its jobs is filled again,
 * and jobs of letters that are gone are removed.
 */
import type { Job } from 'bullmq';
import type { Lane, Lanes } from '../../buffer/lane.js';
import { groupForCalls, occupiedLanes } from '../../buffer/occupied-lanes.js';
import type { WriteBuffer } from '../../buffer/write-buffer.js';
import { isCluster } from '../../connection/client.js';
import type { RedisClient } from '../../connection/redis.js';
import { shownLetter } from '../../definitions/private-fields.js';
import type { Emit } from '../../events.js';
import {
  type DeadLetterJob,
  type DeadLetterOutcome,
  type DeadLetterQueue,
  deadLetterQueueName,
} from '../../queues/dead-letter-queue.js';
import { deadLetterJobShape } from '../../queues/job-shapes.js';
import type { WriteBehindQueue } from '../../queues/write-behind-queue.js';
import type { Resources } from '../../resources.js';
import { every } from '../role/every.js';
import { SetAside, UnknownWork } from '../role/hand-back.js';
import { takeJobs } from '../role/take-jobs.js';

export interface DeadLettersDependencies {
  readonly lanes: Lanes;
  readonly buffer: WriteBuffer;
  /** For the lanes. */
  readonly redis: RedisClient;
  readonly queue: DeadLetterQueue;
  readonly wakeUps: WriteBehindQueue;
  /** For the jobs. */
  readonly connection: RedisClient;
  readonly prefix: string;
  readonly emit: Emit;
}

const compareEveryMs = 60_000;
/** There a look at the lanes is a command for each. */
const compareClusterEveryMs = 600_000;
const pageSize = 100;
const jobsMax = 8;
/** Replayed twice, a letter is gone the second time. Nobody waits for those of a worker that died. */
const lockMs = 30_000;

export class DeadLetters {
  readonly #dependencies: DeadLettersDependencies;

  constructor(dependencies: DeadLettersDependencies) {
    this.#dependencies = dependencies;
  }

  async start(parts: Resources): Promise<void> {
    const { connection, prefix, emit, redis } = this.#dependencies;
    await takeJobs<DeadLetterJob, DeadLetterOutcome>(parts, {
      queue: deadLetterQueueName,
      shape: deadLetterJobShape,
      connection,
      prefix,
      emit,
      concurrency: jobsMax,
      lockMs,
      process: (job) => this.#process(job),
    });
    const everyMs = isCluster(redis) ? compareClusterEveryMs : compareEveryMs;
    every(parts, 'comparison of dead letters', everyMs, () => this.#compare());
  }

  /**
   * A job fails the first time, with the database's error: so the board shows it, and offers to try it again.
   */
  async #process(job: Job<DeadLetterJob, DeadLetterOutcome>): Promise<DeadLetterOutcome> {
    const { lanes, buffer, wakeUps } = this.#dependencies;
    const { state, message } = job.data.error;
    if (job.attemptsMade === 0) throw new SetAside(state === '' ? message : `${state}: ${message}`);
    const lane = lanes.named(job.data.lane);
    if (!lane) throw new UnknownWork(`No store is defined for lane ${job.data.lane}.`);
    const outcome = await buffer.letters.replay(lane, job.data);
    if (outcome === 'wake') await wakeUps.wake(lane.name, lane.group.minDelayMs);
    return outcome === 'gone' ? 'gone' : 'replayed';
  }

  async #compare(): Promise<void> {
    try {
      await this.#showAll();
      await this.#hideGone();
    } catch (error) {
      this.#dependencies.emit({ type: 'dead-letter.not-compared', error });
    }
  }

  async #showAll(): Promise<void> {
    const { lanes, redis } = this.#dependencies;
    for (const group of groupForCalls(redis, lanes.all)) {
      await this.#showThose(await occupiedLanes(redis, group, ({ dead }) => [dead]));
    }
  }

  async #showThose(lanes: readonly Lane[]): Promise<void> {
    const { buffer, queue } = this.#dependencies;
    for (const lane of lanes) {
      for (let offset = 0; ; offset += pageSize) {
        const letters = await buffer.letters.list(lane, { offset, count: pageSize });
        for (const letter of letters) await queue.show(shownLetter(letter, lane.group));
        if (letters.length < pageSize) break;
      }
    }
  }

  async #hideGone(): Promise<void> {
    const { lanes, buffer, queue } = this.#dependencies;
    for (let start = 0; ; start += pageSize) {
      const jobs = await (await queue.open()).getFailed(start, start + pageSize - 1);
      for (const { data } of jobs) {
        if (!deadLetterJobShape.safeParse(data).success) continue;
        const lane = lanes.named(data.lane);
        const letter = lane && (await buffer.letters.get(lane, data.field));
        const isGone = lane ? letter?.at !== data.at : lanes.isOther(data.lane);
        if (isGone) await queue.hide(data);
      }
      if (jobs.length < pageSize) return;
    }
  }
}
