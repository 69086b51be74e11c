/**
 * The write-behind worker: takes wake-up jobs, and flushes their lanes to the database. It also sweeps: finds lanes that
 * have unpersisted records and nobody at work on them.
 *
 * start: check the database → take jobs, renew marks, sweep. stop: take no more, finish the batches in hand, hand the
 * unfinished lanes back, leave.
 */
import { type Job, Worker } from 'bullmq';
import pLimit from 'p-limit';
import { type Lane, Lanes } from '../../buffer/lane.js';
import { checkPartitions } from '../../buffer/partitions.js';
import { WriteBuffer } from '../../buffer/write-buffer.js';
import type { Config } from '../../config.js';
import { closeConnections, openConnections, type RedisClient } from '../../connection/redis.js';
import { checkServer } from '../../connection/server-check.js';
import type { Database } from '../../database/database.js';
import { createPersister, type Persister } from '../../database/persister.js';
import { checkLedger } from '../../database/table.js';
import type { LaneGroup, Stores } from '../../definitions/stores.js';
import type { Emit } from '../../events.js';
import { queuePrefix } from '../../keys.js';
import { DeadLetterQueue } from '../../queues/dead-letter-queue.js';
import {
  type FlushSummary,
  type WakeUp,
  WriteBehindQueue,
  writeBehindQueueName,
} from '../../queues/write-behind-queue.js';
import { jobLock } from '../role/job-lock.js';
import { nowAndThen } from '../role/now-and-then.js';
import { RetryLater, retryMsOf } from '../role/retry.js';
import { type Service, withinDeadline } from '../role/service.js';
import { BatchSize } from './batch-size.js';
import { BatchSplit } from './batch-split.js';
import { DatabaseBreaker } from './database-breaker.js';
import { DeadLetters } from './dead-letters.js';
import { LaneFlush } from './lane-flush.js';
import { LaneMarksRenewal } from './lane-marks.js';
import { LedgerWatch } from './ledger-watch.js';
import { Sweep } from './sweep.js';

/** What a write-behind worker needs. */
export interface WriteBehindOptions {
  /** What `defineStores` gave; the same as the apps'. */
  readonly stores: Stores;
  /** The worker's Prisma client. It stays the caller's: `stop` leaves it open. */
  readonly prisma: Database;
  /** What `readConfig` gave. */
  readonly config: Pick<Config, 'prefix' | 'redis' | 'queueRedis' | 'worker'>;
  /** Told of everything that happens: `logEvents(logger)`. */
  readonly emit: Emit;
}

const disconnectDeadlineMs = 500;

/** What there is while the service is at work. */
interface Running {
  readonly worker: Worker<WakeUp, FlushSummary>;
  readonly queue: WriteBehindQueue;
  readonly deadLetters: DeadLetters;
  readonly deadLetterQueue: DeadLetterQueue;
  readonly marks: LaneMarksRenewal;
  readonly sweep: Sweep;
  disconnect(): Promise<void>;
}

/** Carries accepted writes to the database. */
export class WriteBehindService implements Service {
  readonly #options: WriteBehindOptions;
  readonly #lanes: Lanes;
  readonly #stopping = new AbortController();
  #running: Running | undefined;

  constructor(options: WriteBehindOptions) {
    this.#options = options;
    this.#lanes = new Lanes(options.stores, options.config.prefix);
  }

  /** Begins to work. @throws ForebayError REDIS_UNAVAILABLE, INVALID_CONFIG, PARTITIONS_CHANGED, DATABASE_NOT_READY */
  async start(): Promise<void> {
    const { config, emit } = this.#options;
    const connections = await openConnections(
      {
        lanes: [config.redis, 'worker'],
        queue: [config.queueRedis, 'queue'],
        jobs: [config.queueRedis, 'worker'],
      },
      emit,
    );
    const disconnect = () => closeConnections(connections, disconnectDeadlineMs);
    try {
      this.#running = await this.#run(connections, disconnect);
    } catch (error) {
      this.#stopping.abort();
      await disconnect();
      throw error;
    }
  }

  /** Ends it: what is in hand may take `deadlineMs`. */
  async stop(deadlineMs: number): Promise<void> {
    this.#stopping.abort();
    if (!this.#running) return;
    const { worker, queue, deadLetters, deadLetterQueue, marks, sweep, disconnect } = this.#running;
    sweep.stop();
    await withinDeadline(Promise.all([worker.close(), deadLetters.stop()]), deadlineMs);
    marks.stop();
    await withinDeadline(Promise.all([queue.close(), deadLetterQueue.close()]), 1_000);
    await disconnect();
  }

  async #run(
    connections: { lanes: RedisClient; queue: RedisClient; jobs: RedisClient },
    disconnect: () => Promise<void>,
  ): Promise<Running> {
    const { stores, prisma, config, emit } = this.#options;
    const buffer = new WriteBuffer(connections.lanes, config.prefix);
    await checkServer(connections.lanes, emit);
    await checkPartitions(connections.lanes, stores, config.prefix, buffer);
    await checkLedger(prisma);
    const persisters = await createPersisters(stores, prisma);
    const marks = new LaneMarksRenewal(buffer, emit);
    const queue = new WriteBehindQueue(connections.queue, config.prefix, emit);
    const deadLetterQueue = new DeadLetterQueue(connections.queue, config.prefix, emit);
    const deadLetters = new DeadLetters({
      lanes: this.#lanes,
      buffer,
      queue: deadLetterQueue,
      wakeUps: queue,
      connection: connections.jobs,
      prefix: config.prefix,
      emit,
    });
    const breaker = this.#createBreaker();
    const ledger = this.#createLedgerWatch(buffer, breaker);
    await ledger.start(connections.lanes);
    const sizes = createSizes(stores);
    const shared = {
      buffer,
      database: prisma,
      persisterOf: (lane: Lane) => persisters.get(lane.group) as Persister,
      prefix: config.prefix,
      emit,
      breaker,
    };
    const split = new BatchSplit({ ...shared, deadLetters: deadLetterQueue });
    const sizeOf = (lane: Lane) => sizes.get(lane.group) as BatchSize;
    const flush = new LaneFlush({ ...shared, sizeOf, ledger, marks, split });
    const { signal } = this.#stopping;
    const sweep = new Sweep({
      lanes: this.#lanes,
      buffer,
      queue,
      flush: async (lane) => void (await flush.run(lane, { signal, onProgress: async () => undefined })),
      emit,
    });
    const worker = this.#createWorker(connections.jobs, flush, queue);
    await worker.waitUntilReady();
    marks.start();
    sweep.start();
    await deadLetters.start();
    return { worker, queue, deadLetters, deadLetterQueue, marks, sweep, disconnect };
  }

  #createBreaker(): DatabaseBreaker {
    const { prisma, config, emit } = this.#options;
    return new DatabaseBreaker({
      probe: () => prisma.$queryRawUnsafe('SELECT 1'),
      emit,
      limit: pLimit(config.worker.connections),
      signal: this.#stopping.signal,
    });
  }

  #createLedgerWatch(buffer: WriteBuffer, breaker: DatabaseBreaker): LedgerWatch {
    const { prisma, config, emit } = this.#options;
    return new LedgerWatch({
      lanes: this.#lanes,
      buffer,
      database: prisma,
      breaker,
      prefix: config.prefix,
      emit,
      signal: this.#stopping.signal,
    });
  }

  #createWorker(
    connection: RedisClient,
    flush: LaneFlush,
    queue: WriteBehindQueue,
  ): Worker<WakeUp, FlushSummary> {
    const { config, emit } = this.#options;
    const worker = new Worker<WakeUp, FlushSummary>(
      writeBehindQueueName,
      (job) => this.#process(job, flush, queue),
      {
        connection,
        prefix: queuePrefix(config.prefix),
        concurrency: config.worker.lanes,
        ...jobLock,
        settings: { backoffStrategy: (_attempts, _type, error) => retryMsOf(error) },
      },
    );
    worker.on('error', (error) => emit({ type: 'redis.error', connection: 'worker', error }));
    worker.on('failed', (job, error) => {
      if (!(error instanceof RetryLater)) emit({ type: 'job.failed', job: job?.name ?? '', error });
    });
    return worker;
  }

  async #process(
    job: Job<WakeUp, FlushSummary>,
    flush: LaneFlush,
    queue: WriteBehindQueue,
  ): Promise<FlushSummary> {
    const lane = this.#lanes.named(job.data.lane);
    if (!lane)
      throw new Error(
        `No store is defined for lane ${job.data.lane}. Deploy the workers with its definition.`,
      );
    const { againInMs, ...summary } = await flush.run(lane, {
      signal: this.#stopping.signal,
      onProgress: nowAndThen((progress: FlushSummary) => job.updateProgress({ ...progress })),
    });
    if (againInMs !== undefined && !job.data.isHurry) await this.#handBack(lane, againInMs, queue);
    return summary;
  }

  /** The lane keeps its mark; if the job can't be added, the sweep wakes the lane. */
  async #handBack(lane: Lane, againInMs: number, queue: WriteBehindQueue): Promise<void> {
    try {
      await queue.wake(lane.name, againInMs);
    } catch (error) {
      this.#options.emit({ type: 'wake.failed', lane: lane.name, error });
    }
  }
}

function createSizes(stores: Stores): Map<LaneGroup, BatchSize> {
  return new Map(
    stores.groups.map((group) => [
      group,
      new BatchSize({ recordsMax: group.batchRecordsMax, delayMs: group.delayMs }),
    ]),
  );
}

async function createPersisters(stores: Stores, prisma: Database): Promise<Map<LaneGroup, Persister>> {
  const persisters = new Map<LaneGroup, Persister>();
  for (const group of stores.groups) persisters.set(group, await createPersister(group, prisma));
  return persisters;
}
