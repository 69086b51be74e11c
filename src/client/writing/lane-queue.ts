/** The writes of one lane that are not answered yet: what goes in the next call, and what waits for room. */
import type { Lane } from '../../buffer/lane.js';
import type { AcceptedAt } from '../../buffer/lane-state.js';
import type { Write, WriteReply } from '../../buffer/step-replies.js';
import { rootKeyOfField } from '../../definitions/aggregate.js';
import type { LaneGroup } from '../../definitions/stores.js';
import { tenantOf } from '../../definitions/tenant.js';
import type { ForebayError } from '../../errors.js';
import { confirmedBy } from './durability.js';
import type { WritePlan } from './write-options.js';

/** Most writes in one call, and most bytes: RedisClient serves nobody else meanwhile. */
const callWritesMax = 128;
const callCharactersMax = 1_048_576;
/** Until a lane without room is tried again. */
const roomRecheckMs = 100;

/** Where a submission was accepted. */
export interface AcceptedIn extends AcceptedAt {
  readonly lane: Lane;
}

/** Writes that belong together: in one call, with one answer. */
export interface Submission {
  /** In the order of their submission. */
  readonly sequence: number;
  readonly writes: readonly Write[];
  readonly plan: WritePlan;
  /** In ms since 1970. */
  readonly submittedAt: number;
  /** Until when it waits for room, in ms since 1970. */
  readonly deadline: number;
  resolve(accepted: AcceptedIn): void;
  reject(error: ForebayError): void;
}

export interface LaneQueue {
  readonly lane: Lane;
  /** The last version of the lane that is known here: a lane that is older than it has lost writes. */
  knownVersion: bigint;
  waiting: Submission[];
  /** Those that found no room and wait for some, in their order; and what they belong to, see `rootKeyOf`. */
  blocked: Submission[];
  blockedRoots: Set<string>;
  sending: Promise<void> | undefined;
  retry: NodeJS.Timeout | undefined;
}

export function createLaneQueue(lane: Lane): LaneQueue {
  return {
    lane,
    knownVersion: 0n,
    waiting: [],
    blocked: [],
    blockedRoots: new Set(),
    sending: undefined,
    retry: undefined,
  };
}

/** Writes that are to be equally safe: they go the same way. */
export function takeCall(queue: LaneQueue): Submission[] {
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

/** Has it wait for room: for the next batch of the lane that is acknowledged, or for some time. */
export function block(queue: LaneQueue, submission: Submission, again: () => void): void {
  queue.blocked.push(submission);
  queue.retry ??= setTimeout(again, roomRecheckMs);
}

/** Those that wait for room wait no longer. */
export function takeBlocked(queue: LaneQueue): Submission[] {
  clearTimeout(queue.retry);
  queue.retry = undefined;
  return queue.blocked.splice(0);
}

export function lastVersion(replies: readonly WriteReply[]): bigint | undefined {
  const last = replies.findLast((reply) => 'version' in reply);
  return last && 'version' in last ? BigInt(last.version) : undefined;
}

export function isMoved(reply: WriteReply): boolean {
  return 'refused' in reply && reply.refused === 'partitions';
}

export function mayWait({ deadline }: Submission): boolean {
  return Date.now() < deadline;
}

/** A row and its counters have one order, and so has an aggregate: they wait for each other. */
export function rootsOf({ lane: { group } }: LaneQueue, submissions: readonly Submission[]): Set<string> {
  return new Set(
    submissions.flatMap(({ writes }) => writes.map(({ field }) => rootKeyOfField(group, field))),
  );
}

export function touches(
  { lane: { group } }: LaneQueue,
  roots: ReadonlySet<string>,
  { writes }: Submission,
): boolean {
  return writes.some(({ field }) => roots.has(rootKeyOfField(group, field)));
}

/** Of one submission all are of one: it is that of the row that they belong to. */
export function withTenants(group: LaneGroup, writes: readonly Write[]): readonly Write[] {
  const tenant = tenantOf(group, (writes[0] as Write).field);
  return tenant === undefined ? writes : writes.map((write) => ({ ...write, tenant }));
}

/** What came meanwhile must not overtake an earlier write of the same row that waits for room. */
export function holdBack(queue: LaneQueue): void {
  queue.blockedRoots = rootsOf(queue, queue.blocked);
  const isBehind = (submission: Submission): boolean => touches(queue, queue.blockedRoots, submission);
  queue.blocked.push(...queue.waiting.filter(isBehind));
  queue.waiting = queue.waiting.filter((submission) => !isBehind(submission));
}
