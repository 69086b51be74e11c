/**
 * The way of writes from an app to Redis. Writes of one lane that are issued in the same turn, or while a
 * call of that lane is under way, go in one Lua call, in the order in which they were issued.
 */
import type { Lane } from '../../buffer/lane.js';
import type { AcceptedAt } from '../../buffer/lane-state.js';
import type { Refused, Write, WriteReply } from '../../buffer/step-replies.js';
import { toWriteError } from '../../connection/redis.js';
import { closedError, ForebayError } from '../../errors.js';
import type { Emit } from '../../events.js';
import { splitField } from '../../keys.js';
import type { WakeUps } from '../../queues/wake-ups.js';
import type { PersistedWatch } from '../receipts/persisted.js';
import { confirmedBy, durabilityNotMet } from './durability.js';
import type { ConfirmedDurability, DurableRoute } from './durable-route.js';
import { refusal } from './refusal.js';
import type { WritePlan } from './write-options.js';
import { type WriteConnection, WriteRoute } from './write-route.js';

/** Most writes in one call, and most bytes: RedisClient serves nobody else meanwhile. */
const callWritesMax = 128;
const callCharactersMax = 1_048_576;
/** Most writes of a process that are not answered yet. */
const pendingWritesMax = 20_000;
/** A lane without room is tried again when a batch of it was acknowledged, and after this long. */
const roomRecheckMs = 100;

/** Writes that belong together: in one call, with one answer. */
interface Submission {
  readonly writes: readonly Write[];
  readonly plan: WritePlan;
  /** In ms since 1970. */
  readonly submittedAt: number;
  /** Until when it waits for room, in ms since 1970. */
  readonly deadline: number;
  resolve(accepted: AcceptedAt): void;
  reject(error: ForebayError): void;
}

interface LaneQueue {
  readonly lane: Lane;
  /** The last version of the lane that is known here: a lane that is older than it has lost writes. */
  knownVersion: bigint;
  waiting: Submission[];
  /** Those that found no room and wait for some, in their order; and the ids of their rows. */
  blocked: Submission[];
  blockedIds: Set<string>;
  isSending: boolean;
  retry: NodeJS.Timeout | undefined;
}

export interface WriteQueueDependencies {
  readonly route: WriteConnection;
  readonly durable: Pick<DurableRoute, 'open' | 'missing'>;
  readonly queue: Pick<WakeUps, 'wake'>;
  readonly emit: Emit;
  /** Tells when batches of lanes were acknowledged. */
  readonly watch: Pick<PersistedWatch, 'onPersisted'>;
}

export class WriteQueue {
  readonly #route: WriteRoute;
  readonly #durable: WriteQueueDependencies['durable'];
  readonly #queue: WriteQueueDependencies['queue'];
  readonly #emit: Emit;
  readonly #watch: WriteQueueDependencies['watch'];
  readonly #lanes = new Map<Lane, LaneQueue>();
  readonly #scheduled = new Set<LaneQueue>();
  readonly #wakes = new Set<Promise<void>>();
  #pendingWrites = 0;
  #isClosed = false;
  #onIdle: (() => void)[] = [];

  constructor(dependencies: WriteQueueDependencies) {
    this.#route = new WriteRoute(dependencies.route);
    this.#durable = dependencies.durable;
    this.#queue = dependencies.queue;
    this.#emit = dependencies.emit;
    this.#watch = dependencies.watch;
  }

  /**
   * Resolves with where the first write stands in the lane's history, once all are accepted.
   * @throws ForebayError TOO_MANY_WRITES, BACKLOG_FULL, REDIS_OUT_OF_MEMORY, COUNTER_OVERFLOW, CONFLICT,
   * REDIS_UNAVAILABLE, REDIS_REFUSED, OUTCOME_UNKNOWN, DURABILITY_NOT_MET (the write is accepted),
   * INVALID_CONFIG, CLOSED
   */
  submit(lane: Lane, writes: readonly Write[], plan: WritePlan): Promise<AcceptedAt> {
    if (this.#isClosed) return Promise.reject(closedError());
    if (this.#pendingWrites >= pendingWritesMax) return Promise.reject(tooManyWrites());
    this.#pendingWrites += 1;
    return new Promise((resolve, reject) => {
      const queue = this.#laneQueue(lane);
      const submittedAt = Date.now();
      const deadline = plan.onFull === 'wait' ? submittedAt + plan.onFullWaitMs : 0;
      const submission = { writes, plan, submittedAt, deadline, resolve, reject };
      // A write must not overtake an earlier one of the same record that waits for room.
      if (queue.blocked.length > 0 && touches(queue.blockedIds, submission)) queue.blocked.push(submission);
      else {
        queue.waiting.push(submission);
        this.#schedule(queue);
      }
    });
  }

  /** Resolves when every write submitted so far, and the jobs they asked for, are answered. */
  async idle(): Promise<void> {
    if (this.#pendingWrites > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
    await Promise.all(this.#wakes);
  }

  /** From now on no write is taken. Resolves as `idle`. */
  close(): Promise<void> {
    this.#isClosed = true;
    return this.idle();
  }

  #laneQueue(lane: Lane): LaneQueue {
    let queue = this.#lanes.get(lane);
    if (!queue) {
      queue = {
        lane,
        knownVersion: 0n,
        waiting: [],
        blocked: [],
        blockedIds: new Set(),
        isSending: false,
        retry: undefined,
      };
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

  /**
   * One call at a time for a lane: so calls grow with the load, and a broken connection leaves one in doubt.
   */
  async #send(queue: LaneQueue): Promise<void> {
    const submissions = takeCall(queue);
    const durability = confirmedBy((submissions[0] as Submission).plan);
    queue.isSending = true;
    try {
      const writes = submissions.flatMap((submission) => submission.writes);
      const route = durability === undefined ? this.#route : await this.#durable.open(durability);
      const submittedAt = Math.min(...submissions.map((submission) => submission.submittedAt));
      const answer = await route.write(queue.lane, writes, submittedAt, queue.knownVersion);
      if (answer?.wake) this.#wake(queue.lane);
      if (answer) this.#settle(queue, submissions, { ...answer, durability });
      else this.#wentUnsent(queue, submissions, route);
    } catch (error) {
      const reason = toWriteError(error);
      const isFull = reason.code === 'REDIS_OUT_OF_MEMORY';
      for (const submission of submissions) {
        if (isFull && mayWait(submission)) this.#block(queue, submission);
        else this.#reject(submission, reason);
      }
    } finally {
      queue.isSending = false;
      if (queue.blocked.length > 0) holdBack(queue);
      if (queue.waiting.length > 0) this.#schedule(queue);
    }
  }

  /** Those that have not waited for long enough wait on. */
  #wentUnsent(queue: LaneQueue, submissions: readonly Submission[], route: WriteRoute): void {
    const now = Date.now();
    const isLate = ({ submittedAt }: Submission): boolean => route.deadlineOf(submittedAt, queue.lane) <= now;
    const error = route.notSent();
    for (const submission of submissions.filter(isLate)) this.#reject(submission, error);
    queue.waiting.unshift(...submissions.filter((submission) => !isLate(submission)));
  }

  #settle(
    queue: LaneQueue,
    submissions: readonly Submission[],
    answer: {
      readonly generation: string;
      readonly replies: readonly WriteReply[];
      readonly durability: ConfirmedDurability | undefined;
    },
  ): void {
    const { generation, replies, durability } = answer;
    queue.knownVersion = lastVersion(replies) ?? queue.knownVersion;
    const accepted: [Submission, AcceptedAt][] = [];
    const refused: [Submission, Refused][] = [];
    let at = 0;
    for (const submission of submissions) {
      const reply = replies[at] as WriteReply;
      at += submission.writes.length;
      if ('version' in reply) accepted.push([submission, { version: BigInt(reply.version), generation }]);
      else refused.push([submission, reply]);
    }
    const acceptedIds =
      refused.length > 0 ? idsOf(accepted.map(([submission]) => submission)) : new Set<string>();
    for (const [submission, reply] of refused) {
      // A later write of the record found room in the same call: too late for this one.
      const isOvertaken = touches(acceptedIds, submission);
      if (reply.refused === 'full' && mayWait(submission) && !isOvertaken) this.#block(queue, submission);
      else this.#reject(submission, refusal(queue.lane, reply));
    }
    if (durability !== undefined) void this.#confirm(queue.lane, accepted, durability);
    else for (const [submission, at] of accepted) this.#resolve(submission, at);
  }

  async #confirm(
    lane: Lane,
    accepted: readonly [Submission, AcceptedAt][],
    durability: ConfirmedDurability,
  ): Promise<void> {
    const missing = await this.#durable.missing(durability);
    for (const [submission, at] of accepted) {
      if (missing === undefined) this.#resolve(submission, at);
      else this.#reject(submission, durabilityNotMet(lane, at.version, durability, missing));
    }
  }

  #block(queue: LaneQueue, submission: Submission): void {
    queue.blocked.push(submission);
    queue.retry ??= setTimeout(() => this.#unblock(queue), roomRecheckMs);
    this.#listening ??= this.#listen();
  }

  #listening: Promise<void> | undefined;

  /** Without announcements the lanes are tried again by time alone. */
  async #listen(): Promise<void> {
    try {
      await this.#watch.onPersisted((lane) => {
        for (const queue of this.#lanes.values())
          if (queue.lane.name === lane && queue.blocked.length > 0) this.#unblock(queue);
      });
    } catch (error) {
      this.#listening = undefined;
      this.#emit({ type: 'redis.error', connection: 'subscriber', error });
    }
  }

  #unblock(queue: LaneQueue): void {
    clearTimeout(queue.retry);
    queue.retry = undefined;
    queue.waiting.unshift(...queue.blocked.splice(0));
    this.#schedule(queue);
  }

  #resolve(submission: Submission, accepted: AcceptedAt): void {
    submission.resolve(accepted);
    this.#settled(1);
  }

  #reject(submission: Submission, error: ForebayError): void {
    submission.reject(error);
    this.#settled(1);
  }

  #settled(count: number): void {
    this.#pendingWrites -= count;
    if (this.#pendingWrites > 0) return;
    for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  /**
   * The write is accepted whether or not its wake-up job can be added: the sweep finds a lane without one.
   */
  #wake(lane: Lane): void {
    const wake = this.#queue
      .wake(lane.name, lane.group.minDelayMs)
      .catch((error: unknown) => this.#emit({ type: 'wake.failed', lane: lane.name, error }))
      .finally(() => this.#wakes.delete(wake));
    this.#wakes.add(wake);
  }
}

/** Writes that are to be equally safe: they go the same way. */
function takeCall(queue: LaneQueue): Submission[] {
  let writes = 0;
  let characters = 0;
  let count = 0;
  const durability = queue.waiting[0] && confirmedBy(queue.waiting[0].plan);
  for (const submission of queue.waiting) {
    if (confirmedBy(submission.plan) !== durability) break;
    writes += submission.writes.length;
    for (const write of submission.writes) characters += write.payload.length;
    if (count > 0 && (writes > callWritesMax || characters > callCharactersMax)) break;
    count += 1;
  }
  return queue.waiting.splice(0, count);
}

function lastVersion(replies: readonly WriteReply[]): bigint | undefined {
  const last = replies.findLast((reply) => 'version' in reply);
  return last && 'version' in last ? BigInt(last.version) : undefined;
}

function mayWait({ deadline }: Submission): boolean {
  return Date.now() < deadline;
}

/** A row and its counters have one order, so they wait for each other. */
function idsOf(submissions: readonly Submission[]): Set<string> {
  return new Set(submissions.flatMap(({ writes }) => writes.map(({ field }) => splitField(field).idKey)));
}

function touches(ids: ReadonlySet<string>, { writes }: Submission): boolean {
  return writes.some(({ field }) => ids.has(splitField(field).idKey));
}

/** What came meanwhile must not overtake an earlier write of the same row that waits for room. */
function holdBack(queue: LaneQueue): void {
  queue.blockedIds = idsOf(queue.blocked);
  const isBehind = (submission: Submission): boolean => touches(queue.blockedIds, submission);
  queue.blocked.push(...queue.waiting.filter(isBehind));
  queue.waiting = queue.waiting.filter((submission) => !isBehind(submission));
}

function tooManyWrites(): ForebayError {
  return new ForebayError(
    'TOO_MANY_WRITES',
    `${pendingWritesMax} writes of this process are not answered yet. Await some of them before you issue more.`,
    { retryable: true, context: { pendingWritesMax } },
  );
}
