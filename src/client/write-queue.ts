/**
 * The way of writes from an app to Redis. Writes of one lane that are issued in the same turn, or while a call of that
 * lane is under way, go in one Lua call, in the order in which they were issued.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Lane } from '../buffer/lane.js';
import type { Refused, Write, WriteBuffer, WriteReply } from '../buffer/write-buffer.js';
import { isNotSent, type RedisClient, toWriteError, writeNotSent } from '../connection/redis.js';
import { ForebayError } from '../errors.js';
import type { Emit } from '../events.js';
import type { WriteBehindQueue } from '../queues.js';

/** Most writes in one call, and most bytes: RedisClient serves nobody else meanwhile. */
const callWritesMax = 128;
const callCharactersMax = 1_048_576;
/** Most writes of a process that are not answered yet. */
const pendingWritesMax = 20_000;
/** How long writes wait for a connection that is being made again. */
const reconnectWaitMs = 2_000;

/** Writes that belong together: in one call, with one answer. */
interface Submission {
  readonly writes: readonly Write[];
  resolve(version: string): void;
  reject(error: ForebayError): void;
}

interface LaneQueue {
  readonly lane: Lane;
  waiting: Submission[];
  isSending: boolean;
}

export interface WriteQueueDependencies {
  readonly redis: RedisClient;
  readonly buffer: WriteBuffer;
  readonly queue: WriteBehindQueue;
  readonly emit: Emit;
}

export class WriteQueue {
  readonly #redis: RedisClient;
  readonly #buffer: WriteBuffer;
  readonly #queue: WriteBehindQueue;
  readonly #emit: Emit;
  readonly #lanes = new Map<Lane, LaneQueue>();
  readonly #scheduled = new Set<LaneQueue>();
  readonly #wakes = new Set<Promise<void>>();
  #pendingWrites = 0;
  #onIdle: (() => void)[] = [];

  constructor(dependencies: WriteQueueDependencies) {
    this.#redis = dependencies.redis;
    this.#buffer = dependencies.buffer;
    this.#queue = dependencies.queue;
    this.#emit = dependencies.emit;
  }

  /**
   * Resolves with the version of the first write once all are accepted.
   * @throws ForebayError TOO_MANY_WRITES, BACKLOG_FULL, COUNTER_OVERFLOW, CONFLICT, REDIS_UNAVAILABLE, REDIS_REFUSED,
   * OUTCOME_UNKNOWN
   */
  submit(lane: Lane, writes: readonly Write[]): Promise<string> {
    if (this.#pendingWrites >= pendingWritesMax) return Promise.reject(tooManyWrites());
    this.#pendingWrites += 1;
    return new Promise((resolve, reject) => {
      const queue = this.#laneQueue(lane);
      queue.waiting.push({ writes, resolve, reject });
      this.#schedule(queue);
    });
  }

  /** Resolves when every write submitted so far, and the jobs they asked for, are answered. */
  async idle(): Promise<void> {
    if (this.#pendingWrites > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
    await Promise.all(this.#wakes);
  }

  #laneQueue(lane: Lane): LaneQueue {
    let queue = this.#lanes.get(lane);
    if (!queue) {
      queue = { lane, waiting: [], isSending: false };
      this.#lanes.set(lane, queue);
    }
    return queue;
  }

  /** Sends at the end of this turn of the event loop, so that writes of one turn share a call. */
  #schedule(queue: LaneQueue): void {
    if (queue.isSending) return;
    if (this.#scheduled.size === 0) setImmediate(() => this.#sendScheduled());
    this.#scheduled.add(queue);
  }

  #sendScheduled(): void {
    const queues = [...this.#scheduled];
    this.#scheduled.clear();
    for (const queue of queues) void this.#send(queue);
  }

  /** One call at a time for a lane: so calls grow with the load, and a broken connection leaves one in doubt. */
  async #send(queue: LaneQueue): Promise<void> {
    const submissions = takeCall(queue);
    queue.isSending = true;
    try {
      const writes = submissions.flatMap((submission) => submission.writes);
      const { wake, replies } = await this.#write(queue.lane, writes);
      if (wake) this.#wake(queue.lane);
      settle(queue.lane, submissions, replies);
    } catch (error) {
      const reason = toWriteError(error);
      for (const submission of submissions) submission.reject(reason);
    } finally {
      queue.isSending = false;
      this.#settled(submissions.length);
      if (queue.waiting.length > 0) this.#schedule(queue);
    }
  }

  #settled(count: number): void {
    this.#pendingWrites -= count;
    if (this.#pendingWrites > 0) return;
    for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  /** Tries again only what was certainly not sent, while the connection is being made again. */
  async #write(lane: Lane, writes: readonly Write[]): ReturnType<WriteBuffer['write']> {
    const deadline = Date.now() + reconnectWaitMs;
    for (;;) {
      await this.#connected(deadline);
      try {
        return await this.#buffer.write(lane, writes);
      } catch (error) {
        if (!isNotSent(error) || Date.now() >= deadline) throw error;
        await nextTurn();
      }
    }
  }

  async #connected(deadline: number): Promise<void> {
    if (this.#redis.status === 'ready') return;
    const leftMs = deadline - Date.now();
    if (this.#redis.status === 'end' || leftMs <= 0) throw writeNotSent();
    await new Promise<void>((resolve, reject) => {
      const onReady = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#redis.off('ready', onReady);
        reject(writeNotSent());
      }, leftMs);
      this.#redis.once('ready', onReady);
    });
  }

  /** The write is accepted whether or not its wake-up job can be added: the sweep finds a lane without one. */
  #wake(lane: Lane): void {
    const wake = this.#queue
      .wake(lane.name, lane.group.delayMs)
      .catch((error: unknown) => this.#emit({ type: 'wake.failed', lane: lane.name, error }))
      .finally(() => this.#wakes.delete(wake));
    this.#wakes.add(wake);
  }
}

function takeCall(queue: LaneQueue): Submission[] {
  let writes = 0;
  let characters = 0;
  let count = 0;
  for (const submission of queue.waiting) {
    writes += submission.writes.length;
    for (const write of submission.writes) characters += write.payload.length;
    if (count > 0 && (writes > callWritesMax || characters > callCharactersMax)) break;
    count += 1;
  }
  return queue.waiting.splice(0, count);
}

function settle(lane: Lane, submissions: readonly Submission[], replies: readonly WriteReply[]): void {
  let at = 0;
  for (const { writes, resolve, reject } of submissions) {
    const reply = replies[at] as WriteReply;
    at += writes.length;
    if ('version' in reply) resolve(reply.version);
    else reject(refusal(lane, reply));
  }
}

function refusal(lane: Lane, reply: Refused): ForebayError {
  if (reply.refused === 'conflict') return conflict(lane, reply.found);
  if (reply.refused === 'overflow') {
    return new ForebayError('COUNTER_OVERFLOW', 'The sum of the pending deltas would not fit in 64 bits.', {
      context: { lane: lane.name },
    });
  }
  return new ForebayError(
    'BACKLOG_FULL',
    `Lane ${lane.name} holds its maximum of ${lane.group.dirtyMax} dirty records. Check that the workers run and ` +
      "that the database keeps up, or raise the store's dirtyMax or partitions.",
    { retryable: true, context: { lane: lane.name, dirtyMax: lane.group.dirtyMax } },
  );
}

function conflict(lane: Lane, found: string | undefined): ForebayError {
  return new ForebayError(
    'CONFLICT',
    'The record is not at the version that this write was to replace. Read it again with getVersioned, or use update.',
    { context: { lane: lane.name, version: found === undefined ? undefined : BigInt(found) } },
  );
}

function tooManyWrites(): ForebayError {
  return new ForebayError(
    'TOO_MANY_WRITES',
    `${pendingWritesMax} writes of this process are not answered yet. Await some of them before you issue more.`,
    { retryable: true, context: { pendingWritesMax } },
  );
}
