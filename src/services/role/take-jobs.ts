/**
 * The one place where roles take jobs from a queue: how jobs are locked and tried again, and what becomes of
 * those that this worker can't do.
 */
import type { Job, Worker } from 'bullmq';
import { LRUCache } from 'lru-cache';
import type { ZodType } from 'zod';
import { inTime } from '../../connection/deadline.js';
import type { RedisClient } from '../../connection/redis.js';
import type { Emit } from '../../events.js';
import { queuePrefix } from '../../keys.js';
import { bullmq } from '../../peers/bullmq.js';
import { z } from '../../peers/zod.js';
import type { Resources } from '../../resources.js';
import { ImpossibleWork, leaveToOthers, SetAside, UnknownWork } from './hand-back.js';
import { JobsDuty } from './jobs-duty.js';
import { RetryLater, retryMsOf } from './retry.js';

export interface JobsOptions<Data, Result> {
  readonly queue: string;
  /** For this worker alone. */
  readonly connection: RedisClient;
  readonly prefix: string;
  readonly emit: Emit;
  /** Jobs that are done at once. */
  readonly concurrency: number;
  /** What a job carries. One that carries anything else is set aside. */
  readonly shape: ZodType;
  /** A dead worker's job is taken by another after about this long, in ms. Default: 10,000. */
  readonly lockMs?: number;
  /**
   * @throws UnknownWork, ImpossibleWork, RetryLater, or anything else: then it is tried again as the queue
   * says
   */
  readonly process: (job: Job<Data, Result>, token: string | undefined) => Promise<Result>;
}

const lockDefaultMs = 10_000;
/** Every job can be done any number of times, and goes on where a dead worker stopped. */
const stallsMax = 1_000_000;
/** So long a call waits for a job; a job ends it at once. */
const waitForJobSeconds = 14;
/** So long a job is handed back that no worker knows: longer than a deploy takes. */
const patienceMs = 900_000;
const reasonsToldMax = 1_000;
/** For a worker whose connection was cut. */
const cutDeadlineMs = 500;

/**
 * Takes jobs until the parts are stopped: then no more, and those in hand are finished. Resolves when it is
 * at work.
 * @returns whether it takes them
 */
export async function takeJobs<Data, Result>(
  parts: Resources,
  options: JobsOptions<Data, Result>,
): Promise<JobsDuty> {
  const { queue, connection, prefix, emit, concurrency, lockMs = lockDefaultMs } = options;
  const desk = new JobDesk(options);
  const worker = new bullmq.Worker<Data, Result>(queue, (job, token) => desk.process(job, token), {
    connection,
    prefix: queuePrefix(prefix),
    concurrency,
    autorun: false,
    lockDuration: lockMs,
    stalledInterval: lockMs,
    drainDelay: waitForJobSeconds,
    maxStalledCount: stallsMax,
    settings: { backoffStrategy: (_attempts, _type, error) => retryMsOf(error) },
  });
  const tell = (error: Error): void => emit({ type: 'redis.error', connection: 'worker', error });
  worker.on('error', tell);
  worker.on('failed', (job, error) => desk.failed(job, error));
  parts.own(`jobs of ${queue}`, worker, (_, ms) => leave(worker, options.connection, { desk, ms }));
  await worker.waitUntilReady();
  worker.run().catch(tell);
  return new JobsDuty({ queue, concurrency, desk, waiting: () => waitingJobs(worker, connection) });
}

async function waitingJobs(worker: Worker, connection: RedisClient): Promise<number> {
  const [isPaused, waiting, prioritized] = await Promise.all([
    connection.hexists(worker.toKey('meta'), 'paused'),
    connection.llen(worker.toKey('wait')),
    connection.zcard(worker.toKey('prioritized')),
  ]);
  return isPaused ? 0 : waiting + prioritized;
}

/** BullMQ waits for a Redis that is away; cut off from it, it ends. */
async function leave(
  worker: Worker,
  connection: RedisClient,
  { desk, ms }: { desk: { readonly hasJobs: boolean }; ms: number },
): Promise<void> {
  const { hasJobs } = desk;
  const isWorthWaiting = hasJobs || connection.status === 'ready';
  const closing = worker.close();
  const isClosed = await inTime(closing, isWorthWaiting ? Math.max(0, ms - cutDeadlineMs) : 0).then(
    () => true,
    () => false,
  );
  if (isClosed) return;
  connection.disconnect();
  await inTime(closing, cutDeadlineMs);
  if (hasJobs) throw new Error('jobs were still in hand; other workers take them over');
}

class JobDesk<Data, Result> {
  readonly #options: JobsOptions<Data, Result>;
  readonly #told = new LRUCache<string, true>({ max: reasonsToldMax });
  #inHand = 0;
  #taken = 0;

  constructor(options: JobsOptions<Data, Result>) {
    this.#options = options;
  }

  get hasJobs(): boolean {
    return this.#inHand > 0;
  }

  get inHand(): number {
    return this.#inHand;
  }

  /** So far. */
  get taken(): number {
    return this.#taken;
  }

  async process(job: Job<Data, Result>, token: string | undefined): Promise<Result> {
    this.#inHand += 1;
    this.#taken += 1;
    this.#tellWait(job);
    try {
      this.#checkShape(job);
      return await this.#options.process(job, token);
    } catch (error) {
      if (error instanceof ImpossibleWork) return this.#setAside(job, error.message);
      if (error instanceof UnknownWork) return await this.#handBack(job, token, error.message);
      throw error;
    } finally {
      this.#inHand -= 1;
    }
  }

  failed(job: Job<Data, Result> | undefined, error: Error): void {
    if (error instanceof RetryLater || error instanceof SetAside) return;
    this.#options.emit({ type: 'job.failed', job: job?.name ?? '', error });
  }

  /** Only the first time: what is tried again has waited for its time. */
  #tellWait({ attemptsStarted, timestamp, processedOn = timestamp, opts: { delay = 0 } }: Job): void {
    if (attemptsStarted > 1) return;
    const { queue, emit } = this.#options;
    emit({ type: 'job.taken', queue, waitMs: Math.max(0, processedOn - timestamp - delay) });
  }

  #checkShape({ name, data }: Job): void {
    const { error } = this.#options.shape.safeParse(data);
    if (error) throw new ImpossibleWork(`The job "${name}" is malformed: ${z.prettifyError(error)}`);
  }

  async #handBack(job: Job, token: string | undefined, reason: string): Promise<never> {
    if (Date.now() - job.timestamp > patienceMs) return this.#setAside(job, reason);
    this.#tell(job, reason, false);
    return leaveToOthers(job, token);
  }

  #setAside(job: Job, reason: string): never {
    this.#tell(job, reason, true);
    throw new SetAside(reason);
  }

  #tell({ name }: Job, reason: string, isSetAside: boolean): void {
    const told = `${isSetAside} ${reason}`;
    if (this.#told.has(told)) return;
    this.#told.set(told, true);
    const { queue, emit } = this.#options;
    emit({ type: 'job.unknown', queue, job: name, isSetAside, reason });
  }
}
