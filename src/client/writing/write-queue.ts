/**
 * The way of writes from an app to Redis. Writes of one lane that are issued in the same turn, or while a
 * call of that lane is under way, go in one Lua call, in the order in which they were issued.
 */
import type { Lane, Lanes } from '../../buffer/lane.js';
import { changeWaitMs, type LaneRoutes, lanesChanging } from '../../buffer/lane-follower.js';
import type { Refused, Write, WriteReply } from '../../buffer/step-replies.js';
import { toWriteError } from '../../connection/redis.js';
import type { LaneGroup } from '../../definitions/stores.js';
import { closedError, type ForebayError } from '../../errors.js';
import type { Emit } from '../../events.js';
import { splitField } from '../../keys.js';
import type { WakeUps } from '../../queues/wake-ups.js';
import type { PersistedWatch } from '../receipts/persisted.js';
import { confirmedBy, durabilityNotMet } from './durability.js';
import type { ConfirmedDurability, DurableRoute } from './durable-route.js';
import {
  type AcceptedIn,
  block,
  createLaneQueue,
  holdBack,
  isMoved,
  type LaneQueue,
  lastVersion,
  mayWait,
  rootsOf,
  type Submission,
  takeBlocked,
  takeCall,
  touches,
  withTenants,
} from './lane-queue.js';
import { pendingWritesMax, refusal, tooManyWrites } from './refusal.js';
import type { WritePlan } from './write-options.js';
import { type WriteConnection, WriteRoute } from './write-route.js';

/** Between two looks at a store whose lanes are being changed, its writes are asked whether they wait on. */
const followMs = 1_000;

export interface WriteQueueDependencies {
  readonly route: WriteConnection;
  readonly durable: Pick<DurableRoute, 'open' | 'missing'>;
  readonly queue: Pick<WakeUps, 'wake'>;
  readonly emit: Emit;
  readonly lanes: Pick<Lanes, 'ofRecord' | 'named'>;
  readonly routes: Pick<LaneRoutes, 'moved'>;
  /** Tells when batches of lanes were acknowledged. */
  readonly watch: Pick<PersistedWatch, 'onPersisted'>;
}

export class WriteQueue {
  readonly #route: WriteRoute;
  readonly #durable: WriteQueueDependencies['durable'];
  readonly #queue: WriteQueueDependencies['queue'];
  readonly #emit: Emit;
  readonly #watch: WriteQueueDependencies['watch'];
  readonly #lanes: WriteQueueDependencies['lanes'];
  readonly #routes: WriteQueueDependencies['routes'];
  readonly #queues = new Map<Lane, LaneQueue>();
  /** Those of which a lane has refused a call: nothing of them is sent before the lanes are known again. */
  readonly #held = new Set<LaneGroup>();
  readonly #scheduled = new Set<LaneQueue>();
  readonly #wakes = new Set<Promise<void>>();
  #pendingWrites = 0;
  #submitted = 0;
  #isClosed = false;
  #onIdle: (() => void)[] = [];

  constructor(dependencies: WriteQueueDependencies) {
    this.#route = new WriteRoute(dependencies.route);
    this.#durable = dependencies.durable;
    this.#queue = dependencies.queue;
    this.#emit = dependencies.emit;
    this.#watch = dependencies.watch;
    this.#lanes = dependencies.lanes;
    this.#routes = dependencies.routes;
  }

  /**
   * Resolves with where the first write stands in which lane's history, once all are accepted.
   * @param lane the one that its record belongs to, as far as the caller knows
   * @throws ForebayError TOO_MANY_WRITES, BACKLOG_FULL, REDIS_OUT_OF_MEMORY, COUNTER_OVERFLOW, CONFLICT,
   * REDIS_UNAVAILABLE, REDIS_REFUSED, LANES_CHANGING, OUTCOME_UNKNOWN, DURABILITY_NOT_MET (the write is
   * accepted), INVALID_CONFIG, INVALID_DEFINITION (of its tenant), CLOSED
   */
  submit(lane: Lane, given: readonly Write[], plan: WritePlan): Promise<AcceptedIn> {
    if (this.#isClosed) return Promise.reject(closedError());
    if (this.#pendingWrites >= pendingWritesMax) return Promise.reject(tooManyWrites());
    return new Promise((resolve, reject) => {
      const writes = withTenants(lane.group, given);
      this.#pendingWrites += 1;
      const queue = this.#laneQueue(
        this.#lanes.named(lane.name) === lane ? lane : this.#laneOf(lane.group, writes),
      );
      const submittedAt = Date.now();
      const sequence = ++this.#submitted;
      const deadline = plan.onFull === 'wait' ? submittedAt + plan.onFullWaitMs : 0;
      const submission = { sequence, writes, plan, submittedAt, deadline, resolve, reject };
      // A write must not overtake an earlier one of the same record that waits for room.
      if (queue.blocked.length > 0 && touches(queue, queue.blockedRoots, submission))
        queue.blocked.push(submission);
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

  /** From now on no write is taken, and none waits for room. Resolves as `idle`. */
  close(): Promise<void> {
    this.#isClosed = true;
    for (const queue of this.#queues.values())
      for (const submission of takeBlocked(queue)) this.#reject(submission, closedError());
    return this.idle();
  }

  #laneQueue(lane: Lane): LaneQueue {
    let queue = this.#queues.get(lane);
    if (!queue) {
      queue = createLaneQueue(lane);
      this.#queues.set(lane, queue);
    }
    return queue;
  }

  /** Sends at the end of this turn of the event loop, so that writes of one turn share a call. */
  #schedule(queue: LaneQueue): void {
    if (queue.sending || this.#held.has(queue.lane.group)) return;
    if (this.#scheduled.size === 0) setImmediate(() => this.#sendScheduled());
    this.#scheduled.add(queue);
  }

  #sendScheduled(): void {
    const queues = [...this.#scheduled];
    this.#scheduled.clear();
    for (const queue of queues) this.#send(queue);
  }

  /**
   * One call at a time for a lane: so calls grow with the load, and a broken connection leaves one in doubt.
   */
  #send(queue: LaneQueue): void {
    if (this.#held.has(queue.lane.group)) return;
    queue.sending = this.#call(queue).finally(() => {
      queue.sending = undefined;
      if (queue.blocked.length > 0) holdBack(queue);
      if (queue.waiting.length > 0) this.#schedule(queue);
    });
  }

  async #call(queue: LaneQueue): Promise<void> {
    const submissions = takeCall(queue);
    const durability = confirmedBy((submissions[0] as Submission).plan);
    try {
      const writes = submissions.flatMap((submission) => submission.writes);
      const route = durability === undefined ? this.#route : await this.#durable.open(durability);
      const submittedAt = Math.min(...submissions.map((submission) => submission.submittedAt));
      const answer = await route.write(queue.lane, writes, submittedAt, queue.knownVersion);
      if (answer?.wake) this.#wake(queue.lane);
      if (answer?.replies.some(isMoved)) this.#hold(queue, submissions);
      else if (answer) this.#settle(queue, submissions, { ...answer, durability });
      else this.#wentUnsent(queue, submissions, route);
    } catch (error) {
      const reason = toWriteError(error);
      const isFull = reason.code === 'REDIS_OUT_OF_MEMORY';
      for (const submission of submissions) {
        if (isFull && mayWait(submission)) this.#block(queue, submission);
        else this.#reject(submission, reason);
      }
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
    const accepted: [Submission, AcceptedIn][] = [];
    const refused: [Submission, Refused][] = [];
    let at = 0;
    for (const submission of submissions) {
      const reply = replies[at] as WriteReply;
      at += submission.writes.length;
      if ('version' in reply)
        accepted.push([submission, { version: BigInt(reply.version), generation, lane: queue.lane }]);
      else refused.push([submission, reply]);
    }
    const acceptedRoots =
      refused.length > 0
        ? rootsOf(
            queue,
            accepted.map(([submission]) => submission),
          )
        : new Set<string>();
    for (const [submission, reply] of refused) {
      // A later write of the record found room in the same call: too late for this one.
      const isOvertaken = touches(queue, acceptedRoots, submission);
      if (reply.refused === 'full' && mayWait(submission) && !isOvertaken) this.#block(queue, submission);
      else this.#reject(submission, refusal(queue.lane, reply));
    }
    if (durability !== undefined) void this.#confirm(queue.lane, accepted, durability);
    else for (const [submission, at] of accepted) this.#resolve(submission, at);
  }

  async #confirm(
    lane: Lane,
    accepted: readonly [Submission, AcceptedIn][],
    durability: ConfirmedDurability,
  ): Promise<void> {
    const missing = await this.#durable.missing(durability);
    for (const [submission, at] of accepted) {
      if (missing === undefined) this.#resolve(submission, at);
      else this.#reject(submission, durabilityNotMet(lane, at.version, durability, missing));
    }
  }

  /** A call was refused whole, and not executed. */
  #hold(queue: LaneQueue, submissions: readonly Submission[]): void {
    queue.waiting.unshift(...submissions);
    const { group } = queue.lane;
    if (this.#held.has(group)) return;
    this.#held.add(group);
    void this.#follow(queue.lane);
  }

  /** What the other lanes were sent is answered first, so that no write overtakes another of its record. */
  async #follow(lane: Lane): Promise<void> {
    const error = await this.#routes.moved(lane, followMs).catch((reason: unknown) => reason);
    await Promise.all(this.#queuesOf(lane.group).map(({ sending }) => sending));
    this.#held.delete(lane.group);
    this.#routeAgain(lane.group, error);
  }

  #routeAgain(group: LaneGroup, error: unknown): void {
    const before = this.#queuesOf(group);
    const submissions = before.flatMap((queue) => [...queue.waiting, ...takeBlocked(queue)]);
    for (const queue of before) {
      this.#scheduled.delete(queue);
      this.#queues.delete(queue.lane);
    }
    const versions = new Map(before.map(({ lane, knownVersion }) => [lane.name, knownVersion]));
    const now = Date.now();
    for (const submission of submissions.sort((a, b) => a.sequence - b.sequence)) {
      const lane = this.#laneOf(group, submission.writes);
      const isLate = error !== undefined && submission.submittedAt + changeWaitMs <= now;
      if (isLate) this.#reject(submission, lanesChanging(lane, error));
      else this.#laneQueue(lane).waiting.push(submission);
    }
    for (const queue of this.#queuesOf(group)) {
      queue.knownVersion = versions.get(queue.lane.name) ?? 0n;
      this.#schedule(queue);
    }
  }

  #queuesOf(group: LaneGroup): LaneQueue[] {
    return [...this.#queues.values()].filter(({ lane }) => lane.group === group);
  }

  #laneOf(group: LaneGroup, [first]: readonly Write[]): Lane {
    const { store, idKey } = splitField((first as Write).field);
    return this.#lanes.ofRecord({ name: store, group }, idKey);
  }

  #block(queue: LaneQueue, submission: Submission): void {
    if (this.#isClosed) this.#reject(submission, closedError());
    else block(queue, submission, () => this.#unblock(queue));
    this.#listening ??= this.#listen();
  }

  #listening: Promise<void> | undefined;

  /** Without announcements the lanes are tried again by time alone. */
  async #listen(): Promise<void> {
    try {
      await this.#watch.onPersisted((lane) => {
        for (const queue of this.#queues.values())
          if (queue.lane.name === lane && queue.blocked.length > 0) this.#unblock(queue);
      });
    } catch (error) {
      this.#listening = undefined;
      this.#emit({ type: 'redis.error', connection: 'subscriber', error });
    }
  }

  #unblock(queue: LaneQueue): void {
    queue.waiting.unshift(...takeBlocked(queue));
    this.#schedule(queue);
  }

  #resolve(submission: Submission, accepted: AcceptedIn): void {
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
