/**
 * The write-behind worker: takes wake-up jobs, and flushes their lanes to the database. It also sweeps: finds
 * lanes that have unpersisted records and nobody at work on them.
 *
 * start: check the database → take jobs, renew marks, sweep. stop: take no more, finish the batches in hand,
 * hand the unfinished lanes back, leave.
 */
import type { Job } from 'bullmq';
import pLimit from 'p-limit';
import { readBacklog } from '../../buffer/backlog.js';
import type { Lane, Lanes } from '../../buffer/lane.js';
import { followLanes } from '../../buffer/lane-follower.js';
import { openLanes } from '../../buffer/layouts.js';
import { Pauses } from '../../buffer/pauses.js';
import { WriteBuffer } from '../../buffer/write-buffer.js';
import type { Config } from '../../config.js';
import { testRedisConnection } from '../../connection/health.js';
import type { RedisClient } from '../../connection/redis.js';
import { checkServer } from '../../connection/server-check.js';
import type { Database } from '../../database/database.js';
import { createPersister, type Persister } from '../../database/persister.js';
import { checkLedger } from '../../database/table.js';
import { checkTables } from '../../database/table-check.js';
import type { LaneGroup, Stores } from '../../definitions/stores.js';
import type { Emit } from '../../events.js';
import { DeadLetterQueue } from '../../queues/dead-letter-queue.js';
import { wakeUpShape } from '../../queues/job-shapes.js';
import { closeQueues } from '../../queues/lazy-queue.js';
import {
  type FlushSummary,
  type WakeUp,
  WriteBehindQueue,
  writeBehindQueueName,
} from '../../queues/write-behind-queue.js';
import type { Resources } from '../../resources.js';
import type { Trace } from '../../trace.js';
import type { Check } from '../../vitals/health.js';
import { databaseNeed, redisNeed } from '../../vitals/needs.js';
import { checkWorker } from '../role/check-worker.js';
import { UnknownWork } from '../role/hand-back.js';
import { startHeartbeat } from '../role/heartbeat.js';
import { nowAndThen } from '../role/now-and-then.js';
import { Role } from '../role/service.js';
import { takeJobs } from '../role/take-jobs.js';
import { BatchSize } from './batch-size.js';
import { BatchSplit } from './batch-split.js';
import { BatchesDuty } from './batches-duty.js';
import { DatabaseBreaker } from './database-breaker.js';
import { DeadLetters, type DeadLettersDependencies } from './dead-letters.js';
import { FlushTally } from './flush-tally.js';
import { FollowedLanes } from './followed-lanes.js';
import { LaneFlush } from './lane-flush.js';
import { LaneLooks } from './lane-looks.js';
import { LaneMarksRenewal } from './lane-marks.js';
import { LedgerWatch } from './ledger-watch.js';
import { PausedGroups } from './paused-groups.js';
import { Sweep, type SweepDependencies } from './sweep.js';
import { tracedDatabase } from './traced-database.js';
import { hearWakeUpCalls } from './wake-up-calls.js';

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
  /** Spans of flushes: `openTelemetry()` of `forebay/tracing`. Default: none. */
  readonly trace?: Trace;
}

/** What jobs and the sweep work with. */
interface Flushing {
  readonly lanes: Lanes;
  readonly followed: FollowedLanes;
  readonly flush: LaneFlush;
  readonly queue: WriteBehindQueue;
  readonly signal: AbortSignal;
}

/** The sweep finds a dead worker's lanes, and gives them new jobs. */
const lockMs = 30_000;

/** Carries accepted writes to the database. */
export class WriteBehindService extends Role {
  readonly #options: WriteBehindOptions;

  /**
   * `start` @throws ForebayError REDIS_UNAVAILABLE, INVALID_CONFIG, DATABASE_NOT_READY,
   * INVALID_DEFINITION
   */
  constructor(options: WriteBehindOptions) {
    super(checkWorker(options));
    this.#options = { ...options, emit: this.emit };
  }

  /** @internal */
  protected async open(parts: Resources, signal: AbortSignal): Promise<void> {
    const { prisma, config, emit } = this.#options;
    const connections = await parts.connect({
      lanes: [config.redis, 'worker'],
      queue: [config.queueRedis, 'queue'],
      jobs: [config.queueRedis, 'jobs'],
      subscriber: [config.redis, 'subscriber'],
    });
    this.vitals.need(
      redisNeed('redis', () => testRedisConnection(connections.lanes)),
      redisNeed('queue redis', () => testRedisConnection(connections.jobs)),
      databaseNeed(prisma),
    );
    const { lanes, buffer } = await this.#openLanes(connections.lanes);
    const queue = new WriteBehindQueue(connections.queue, config.prefix, emit);
    const letters = new DeadLetterQueue(connections.queue, config.prefix, emit);
    parts.own('queues', [queue, letters], closeQueues);
    const marks = new LaneMarksRenewal(buffer, emit);
    marks.start(parts);
    this.#watchBatches(marks);
    const paused = new PausedGroups(new Pauses(connections.lanes, config.prefix), emit);
    paused.start(parts);
    const isPaused = (lane: Lane) => paused.has(lane);
    const { flush, ledger } = await this.#createFlush(
      { lanes, buffer, marks, deadLetters: letters, signal, isPaused },
      connections.lanes,
    );
    await this.#startDeadLetters(
      parts,
      { lanes, buffer, redis: connections.lanes, queue: letters, wakeUps: queue },
      connections.jobs,
    );
    const looks = new LaneLooks(connections.lanes, lanes);
    connections.queue.on('ready', () => looks.allDue());
    const routes = followLanes(connections.lanes, config.prefix, { lanes, buffer });
    const followed = new FollowedLanes({ lanes, routes, looks, ledger, emit });
    followed.start(parts);
    const flushing = { lanes, followed, flush, queue, signal };
    await this.#takeJobs(parts, flushing, connections.jobs);
    const { subscriber } = connections;
    await hearWakeUpCalls({ subscriber, prefix: config.prefix, lanes: followed, queue, emit });
    this.#startSweep(parts, flushing, { buffer, isPaused, looks });
    this.#tellOfItself(parts, connections);
  }

  /** Once the server, the lanes and the tables are what the stores need. */
  async #openLanes(redis: RedisClient): Promise<Pick<FlushParts, 'lanes' | 'buffer'>> {
    const { stores, prisma, config, emit } = this.#options;
    const buffer = new WriteBuffer(redis, config.prefix);
    await checkServer(redis, emit);
    const lanes = await openLanes(stores, config.prefix, buffer, emit);
    this.canTell({ backlog: () => readBacklog(lanes, buffer) });
    await checkLedger(prisma);
    await checkTables(stores, prisma);
    return { lanes, buffer };
  }

  /** For the board. */
  #tellOfItself(parts: Resources, { lanes, queue }: { lanes: RedisClient; queue: RedisClient }): void {
    const { stores, config, emit } = this.#options;
    const { prefix } = config;
    const tally = new FlushTally(emit);
    this.listen(tally.count);
    tally.start(parts, lanes, prefix);
    startHeartbeat(parts, { role: 'write-behind', connection: queue, prefix, stores });
  }

  #watchBatches(marks: LaneMarksRenewal): void {
    const duty = new BatchesDuty({ oldestHeld: () => marks.oldestHeld });
    this.listen((event) => duty.told(event));
    this.vitals.watch(duty);
    this.canTell({ batches: async () => marks.heldMs });
  }

  async #createFlush(
    { lanes, buffer, marks, deadLetters, signal, isPaused }: FlushParts,
    redis: RedisClient,
  ): Promise<{ flush: LaneFlush; ledger: LedgerWatch }> {
    const { stores, prisma, config, emit, trace } = this.#options;
    const persisters = await createPersisters(stores, prisma);
    const sizes = createSizes(stores);
    const breaker = new DatabaseBreaker({
      probe: () => prisma.$queryRawUnsafe('SELECT 1'),
      emit,
      limit: pLimit(config.worker.connections),
      signal,
    });
    const database = tracedDatabase(prisma, trace);
    const shared = { buffer, database, prefix: config.prefix, emit, breaker };
    const ledger = new LedgerWatch({ ...shared, redis, lanes, signal });
    this.vitals.need(comparedNeed(ledger));
    await ledger.start();
    const persisterOf = (lane: Lane) => persisters.get(lane.group) as Persister;
    const split = new BatchSplit({ ...shared, persisterOf, deadLetters });
    const sizeOf = (lane: Lane) => sizes.get(lane.group) as BatchSize;
    const flush = new LaneFlush({ ...shared, persisterOf, sizeOf, ledger, marks, split, isPaused, trace });
    return { flush, ledger };
  }

  async #startDeadLetters(
    parts: Resources,
    places: Pick<DeadLettersDependencies, 'lanes' | 'buffer' | 'redis' | 'queue' | 'wakeUps'>,
    connection: RedisClient,
  ): Promise<void> {
    const { config, emit } = this.#options;
    const { prefix } = config;
    await new DeadLetters({ ...places, connection, prefix, emit }).start(parts);
  }

  async #takeJobs(parts: Resources, flushing: Flushing, connection: RedisClient): Promise<void> {
    const { config, emit } = this.#options;
    const duty = await takeJobs<WakeUp, FlushSummary>(parts, {
      queue: writeBehindQueueName,
      shape: wakeUpShape,
      connection,
      prefix: config.prefix,
      emit,
      concurrency: config.worker.lanes,
      lockMs,
      process: (job) => this.#process(job, flushing),
    });
    this.vitals.watch(duty);
    this.canTell({ jobs: () => duty.look() });
  }

  #startSweep(
    parts: Resources,
    { lanes, flush, queue, signal }: Flushing,
    places: Pick<SweepDependencies, 'buffer' | 'isPaused' | 'looks'>,
  ): void {
    const options = { signal, isHurry: false, onProgress: async () => undefined };
    const sweep = new Sweep({
      ...places,
      lanes,
      queue,
      flush: async (lane) => void (await flush.run(lane, options)),
      emit: this.#options.emit,
    });
    sweep.start(parts);
  }

  async #process(
    job: Job<WakeUp, FlushSummary>,
    { lanes, followed, flush, queue, signal }: Flushing,
  ): Promise<FlushSummary> {
    const lane = await followed.named(job.data.lane);
    // It had the lane once, and nothing was left in it.
    if (lanes.isOther(job.data.lane)) return nothing;
    if (!lane) throw new UnknownWork(unknownLane(job.data.lane));
    const result = await flush.run(lane, {
      signal,
      isHurry: job.data.isHurry === true,
      onProgress: nowAndThen((progress: FlushSummary) => job.updateProgress({ ...progress })),
    });
    if (result === undefined) return nothing;
    const { againInMs, ...summary } = result;
    if (againInMs !== undefined) await this.#wakeAgain(lane, againInMs, queue);
    return summary;
  }

  /** The lane keeps its mark; if the job can't be added, the sweep wakes the lane. */
  async #wakeAgain(lane: Lane, againInMs: number, queue: WriteBehindQueue): Promise<void> {
    try {
      await queue.wake(lane.name, againInMs);
    } catch (error) {
      this.#options.emit({ type: 'wake.failed', lane: lane.name, error });
    }
  }
}

interface FlushParts {
  readonly lanes: Lanes;
  readonly buffer: WriteBuffer;
  readonly marks: LaneMarksRenewal;
  readonly deadLetters: DeadLetterQueue;
  readonly signal: AbortSignal;
  readonly isPaused: (lane: Lane) => Promise<boolean>;
}

/** Nothing is sealed in a lane before that. */
function comparedNeed(ledger: LedgerWatch): Check {
  return {
    name: 'lanes',
    async ask() {
      if (!ledger.areCompared) throw new Error('not all are compared with the ledger yet');
    },
  };
}

function unknownLane(name: string): string {
  return `No store is defined for lane ${name}. Deploy the workers with its definition.`;
}

/** Of a job whose lane was being flushed already, or is none any more. */
const nothing: FlushSummary = { batches: 0, rows: 0, skipped: 0, refused: 0, ms: 0 };

function createSizes(stores: Stores): Map<LaneGroup, BatchSize> {
  return new Map(
    stores.groups.map((group) => {
      const { batchRecordsMax: recordsMax, minDelayMs, delayMs } = group;
      return [group, new BatchSize({ recordsMax, minDelayMs, delayMs })];
    }),
  );
}

async function createPersisters(stores: Stores, prisma: Database): Promise<Map<LaneGroup, Persister>> {
  const persisters = new Map<LaneGroup, Persister>();
  for (const group of stores.groups) persisters.set(group, await createPersister(group, prisma));
  return persisters;
}
