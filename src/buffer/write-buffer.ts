/**
 * The write buffer: typed calls for the steps of the protocol in README.md. Each is one Lua call on one lane.
 */
import type { RedisClient } from '../connection/redis.js';
import { hasAggregates } from '../definitions/aggregate.js';
import { filledChannel, letterKey, partitionsKey, persistedChannel } from '../keys.js';
import { type Found, toFound } from './found.js';
import type { Lane, LanePlace } from './lane.js';
import { type AcceptedAt, type LaneState, type LedgerState, toLaneState } from './lane-state.js';
import type { Layout } from './layout.js';
import { LetterSteps } from './letter-steps.js';
import { type ScriptCommands, withScripts } from './scripts.js';
import { type SealOptions, type SealReply, toSealReply } from './seal-reply.js';
import {
  type Accepted,
  type CountersClaim,
  type FenceReply,
  type FenceStep,
  type Fill,
  type RaiseReply,
  type RecordClaim,
  type SplitPart,
  type SplitReply,
  toAccepted,
  toBigInt,
  toCounterClaim,
  toRaiseReply,
  toRecordClaim,
  type Write,
} from './step-replies.js';
import { partArguments, writeArguments } from './write-arguments.js';

const batchBytesMax = 8 * 1_048_576;

export class WriteBuffer {
  readonly letters: LetterSteps;
  readonly #redis: RedisClient & ScriptCommands;
  readonly #persistedChannel: string;
  readonly #filledChannel: string;
  readonly #layouts: string;

  constructor(redis: RedisClient, prefix: string) {
    this.#redis = withScripts(redis);
    this.letters = new LetterSteps(this.#redis);
    this.#persistedChannel = persistedChannel(prefix);
    this.#filledChannel = filledChannel(prefix);
    this.#layouts = partitionsKey(prefix);
  }

  /**
   * Accepts writes in their order. `wake` tells the caller to add a wake-up job for the lane.
   * @param knownVersion the lane's last version that the caller knows of; 0: none
   */
  async write(lane: Lane, writes: readonly Write[], knownVersion = 0n): Promise<Accepted> {
    return toAccepted(await this.#redis.forebay_write(...writeArguments(lane, writes, knownVersion)));
  }

  async claim(
    lane: Lane,
    fields: readonly string[],
    options: { token: string; leaseMs: number; ttlMs: number },
  ): Promise<RecordClaim[]> {
    const { keys } = lane;
    const replies = await this.#redis.forebay_claim(
      3 + fields.length,
      keys.meta,
      keys.dirty,
      keys.sealed,
      ...fields.map((field) => keys.entryPrefix + field),
      keys.entryPrefix.length + 1,
      options.token,
      options.leaseMs,
      options.ttlMs,
      lane.mark,
    );
    return replies.map(([kind, detail]) => toRecordClaim(kind, detail));
  }

  /**
   * `fields` are the counters'; `recordFields` those of the rows that hold them, or ''. Without a token no
   * lease is taken.
   */
  async claimCounters(
    lane: Lane,
    fields: readonly string[],
    recordFields: readonly string[],
    options: { token: string; leaseMs: number },
  ): Promise<CountersClaim> {
    const { keys } = lane;
    const [batch, sealed, ...counters] = await this.#redis['forebay_claim-counter'](
      3 + fields.length,
      keys.meta,
      keys.dirty,
      keys.sealed,
      ...fields.map((field) => keys.entryPrefix + field),
      keys.entryPrefix.length + 1,
      options.token,
      options.leaseMs,
      lane.mark,
      ...recordFields,
    );
    return { batch: toBigInt(batch), sealed: toBigInt(sealed), counters: counters.map(toCounterClaim) };
  }

  /** Whether what was written of a field may not be in the database yet. */
  async isPending({ keys }: Lane, field: string): Promise<boolean> {
    const found = await Promise.all([keys.dirty, keys.sealed].map((key) => this.#redis.hexists(key, field)));
    return found.includes(1);
  }

  /** Puts loaded values into the cache where the lease with this token still stands; which of them. */
  async fill(lane: Lane, token: string, fills: readonly Fill[]): Promise<boolean[]> {
    const { entryPrefix, meta } = lane.keys;
    const replies = await this.#redis.forebay_fill(
      1 + fills.length,
      meta,
      ...fills.map((fill) => entryPrefix + fill.field),
      token,
      this.#filledChannel,
      ...fills.flatMap((fill) => [fill.ttlMs, fill.content]),
    );
    return replies.map((isFilled) => isFilled === 1);
  }

  async seal(lane: Lane, options: SealOptions): Promise<SealReply> {
    const { recordsMax, delayMs, floor, compared = '', staysMs = 0 } = options;
    const { keys, group } = lane;
    return toSealReply(
      lane,
      await this.#redis.forebay_seal(
        keys.meta,
        keys.order,
        keys.dirty,
        keys.sealed,
        keys.waiting,
        keys.retries,
        keys.round,
        recordsMax,
        batchBytesMax,
        delayMs,
        `${floor}`,
        compared,
        staysMs,
        hasAggregates(group) ? 1 : 0,
      ),
    );
  }

  /** Drops the sealed batch with this number. False: a successor has done it, and perhaps sealed another. */
  async ack(lane: Lane, number: string): Promise<boolean> {
    const { keys, name } = lane;
    const reply = await this.#redis.forebay_ack(
      keys.meta,
      keys.order,
      keys.dirty,
      keys.sealed,
      keys.waiting,
      keys.retries,
      keys.foreign,
      number,
      this.#persistedChannel,
      name,
      keys.entryPrefix,
    );
    return reply === 1;
  }

  /**
   * Takes records out of the sealed batch with this number, which is void, and gives the rest a new number.
   */
  async split(lane: Lane, number: string, parts: readonly SplitPart[]): Promise<SplitReply> {
    const { keys, group } = lane;
    const [kind, rest, ...deadFields] = (await this.#redis.forebay_split(
      7 + parts.length,
      keys.meta,
      keys.order,
      keys.dirty,
      keys.sealed,
      keys.dead,
      keys.waiting,
      keys.retries,
      ...parts.map(({ field }) => keys.entryPrefix + field),
      keys.entryPrefix.length + 1,
      number,
      group.deadLettersMax,
      this.#persistedChannel,
      lane.name,
      ...parts.flatMap(partArguments),
    )) as [SplitReply['kind'], number, ...string[]];
    return kind === 'split' ? { kind, rest, deadFields } : { kind };
  }

  /** Removes entries of records that are still at these versions; by field. */
  async drop(lane: Lane, versions: ReadonlyMap<string, string>): Promise<void> {
    const entries = [...versions.keys()].map((field) => lane.keys.entryPrefix + field);
    await this.#redis.forebay_drop(entries.length, ...entries, ...versions.values());
  }

  /**
   * Removes entries of rows that another writer has changed; how many of the rows have pending records.
   * 'moved': none, for they may be in other lanes.
   */
  async dropForeign({ keys, mark }: Lane, fields: readonly string[]): Promise<number | 'moved'> {
    const { meta, dirty, sealed, foreign, entryPrefix } = keys;
    const entries = fields.map((field) => entryPrefix + field);
    const call = [4 + entries.length, meta, dirty, sealed, foreign, ...entries] as const;
    const pending = await this.#redis['forebay_drop-foreign'](...call, entryPrefix.length + 1, mark);
    return pending < 0 ? 'moved' : pending;
  }

  /** The fields that are pending. */
  async pendingFields({ keys }: Lane): Promise<string[]> {
    const dirty = await this.#redis.hkeys(keys.dirty);
    // Later: what is sealed meanwhile is found here.
    return [...dirty, ...(await this.#redis.hkeys(keys.sealed))];
  }

  /** @param upTo the version that who asks is about: only then it is looked since when something waits */
  async inspect(lane: Pick<Lane, 'keys'>, upTo = 0n): Promise<LaneState> {
    const { meta, order, dirty, sealed, dead, waiting, retries } = lane.keys;
    const asked = this.#redis.forebay_inspect(meta, order, dirty, sealed, dead, waiting, retries, `${upTo}`);
    return toLaneState(await asked);
  }

  /**
   * All that is known of a field, in one look that does not grow with the lane.
   * @param rowField that of the row in which a counter lives: its deltas may be in the row's dead letter
   */
  async find({ keys }: Pick<Lane, 'keys'>, field: string, rowField = field): Promise<Found> {
    const { meta, order, dirty, sealed, dead, waiting, retries } = keys;
    const letter = letterKey(keys, field);
    const rowLetter = letterKey(keys, rowField);
    const entry = keys.entryPrefix + field;
    return toFound(
      await this.#redis.forebay_find(
        meta,
        order,
        dirty,
        sealed,
        dead,
        waiting,
        retries,
        letter,
        rowLetter,
        entry,
        field,
        rowField,
      ),
    );
  }

  /** Whether what was accepted of a record up to a version waits: for others' rows, or its tenant's turn. */
  async isWaiting(lane: Lane, field: string, upTo: bigint): Promise<boolean> {
    const mark = await this.#redis.hget(lane.keys.waiting, field);
    return mark !== null && BigInt(/^\d+ \d+ (\d+)$/.exec(mark)?.[1] ?? 0) <= upTo;
  }

  /**
   * Whether a record waits that deletes its row, or makes it anew: what was counted in it before ends then.
   */
  async waitsToDelete(lane: Lane, field: string): Promise<boolean> {
    if ((await this.#redis.hexists(lane.keys.waiting, field)) === 0) return false;
    const { dirty, sealed } = lane.keys;
    const found = await Promise.all([dirty, sealed].map((key) => this.#redis.hget(key, field)));
    const records = found.filter((record) => record !== null);
    // Of one that was moved between the looks nothing is known.
    return records.length === 0 || records.some((record) => !record.startsWith('P'));
  }

  /** Asks for what is accepted by now without its delay. The last write; undefined: all is persisted. */
  async hurry({ keys }: Pick<Lane, 'keys'>): Promise<AcceptedAt | undefined> {
    const { meta, order, waiting } = keys;
    const [version, generation] = await this.#redis.forebay_hurry(meta, order, waiting);
    return version === undefined ? undefined : { version: BigInt(version), generation: String(generation) };
  }

  /**
   * Claims a lane whose mark has been quiet for `quietMs`, or is further ahead than `aheadMaxMs`. True: the
   * caller must add a wake-up job.
   */
  async wake({ keys }: Lane, quietMs: number, aheadMaxMs: number): Promise<boolean> {
    const { meta, order, retries } = keys;
    return (await this.#redis.forebay_wake(meta, order, retries, quietMs, aheadMaxMs)) === 1;
  }

  /** A step of a change of the number of lanes, see fence.lua. */
  async fence(
    { keys }: LanePlace,
    step: FenceStep,
    { partitions, epoch }: Pick<Layout, 'partitions' | 'epoch'>,
  ): Promise<FenceReply> {
    const { meta, dirty, dead } = keys;
    const [kind, version] = await this.#redis.forebay_fence(meta, dirty, dead, step, partitions, epoch);
    return { kind, version: BigInt(version) };
  }

  /**
   * A store's layout as text, `''`: none, once it is `next` where it was `known`; and the server's time in
   * µs. Without a `next` it is only read.
   */
  async layout(store: string, known = '', next = ''): Promise<{ text: string; now: number }> {
    const [text, now] = await this.#redis.forebay_layout(this.#layouts, store, known, next);
    return { text, now: Number(now) };
  }

  /** Keeps the mark of a lane alive. False: the sealed batch is not this one any more. */
  async renew(lane: Lane, number: string): Promise<boolean> {
    return (await this.#redis.forebay_renew(lane.keys.meta, number)) === 1;
  }

  /**
   * Notes that the sealed batch could not be applied. Returns how long to wait at most until the next try, in
   * ms: doubled with each failure of this batch; and how often it has failed. Zeros when the sealed batch is
   * not this one any more.
   */
  async postpone(
    lane: Lane,
    number: string,
    { firstMs, maxMs }: { firstMs: number; maxMs: number },
  ): Promise<{ waitMs: number; failures: number }> {
    const [waitMs, failures] = await this.#redis.forebay_postpone(lane.keys.meta, number, firstMs, maxMs);
    return { waitMs, failures };
  }

  /**
   * Compares the lane with the ledger, and lifts its batch number to the ledger's where Redis has lost
   * batches.
   * @param cleared the generation in which it was found behind, when its entries were dropped since; else ''
   */
  async raise(
    lane: Pick<Lane, 'keys'>,
    ledger: LedgerState | undefined,
    cleared: string,
  ): Promise<RaiseReply> {
    const { batch = 0n, generation = '', persisted = '' } = ledger ?? {};
    return toRaiseReply(
      await this.#redis.forebay_raise(lane.keys.meta, `${batch}`, generation, `${persisted}`, cleared),
    );
  }
}
