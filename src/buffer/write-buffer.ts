/**
 * The write buffer: typed calls for the steps of the protocol in README.md. Each is one Lua call on one lane.
 */
import type { RedisClient } from '../connection/redis.js';
import { persistedChannel } from '../keys.js';
import { type Batch, parseBatch } from './batch.js';
import type { Lane } from './lane.js';
import { type ScriptCommands, withScripts } from './scripts.js';

export type WriteOp = 'put' | 'delete' | 'add' | 'forget';

export interface Write {
  readonly op: WriteOp;
  /** `store:id`. */
  readonly field: string;
  readonly ttlMs: number;
  readonly payload: string;
}

/** A write's version, or why it was not accepted. */
export type WriteReply = { readonly version: string } | { readonly refused: 'full' | 'overflow' };

export type RecallReply =
  /** An entry's content: pending, or filled meanwhile. */
  { readonly entry: string } | { readonly lease: boolean };

export interface CounterRecall {
  /** The cached value. */
  readonly entry?: string;
  readonly lease: boolean;
  readonly dirtyDelta: bigint;
  readonly sealedDelta: bigint;
  readonly dirtyRecord: RecordKind;
  readonly sealedRecord: RecordKind;
}

/** How a record is pending: put, deleted, replaced (deleted and made anew), or not at all. */
export type RecordKind = 'P' | 'D' | 'R' | '';

export interface CountersRecall {
  /** The last batch number of the lane, and that of the sealed batch; undefined when there is none. */
  readonly batch: bigint | undefined;
  readonly sealed: bigint | undefined;
  readonly counters: readonly CounterRecall[];
}

export interface Fill {
  readonly field: string;
  readonly content: string;
  readonly ttlMs: number;
}

export interface SealOptions {
  /** Most records in the batch. */
  readonly recordsMax: number;
  /** How old the oldest record must be, unless there are `recordsMax` of them or somebody waits for it. */
  readonly delayMs: number;
  /** The number of the lane's last batch that is known to be applied; a new one gets a greater number. */
  readonly floor: bigint;
}

export type SealReply =
  | { readonly kind: 'batch'; readonly batch: Batch }
  | { readonly kind: 'wait'; readonly waitMs: number }
  | { readonly kind: 'empty' };

export interface LaneState {
  /** The last accepted version; '0' when there was none. */
  readonly version: bigint;
  /** The version at which the oldest unpersisted record became dirty. */
  readonly oldest: bigint | undefined;
  readonly dirty: number;
  readonly sealed: number;
  readonly persisted: number;
  readonly batches: number;
  /** Age of the oldest unpersisted record, in ms; 0 when there is none. */
  readonly ageMs: number;
}

const batchBytesMax = 8 * 1_048_576;

export class WriteBuffer {
  readonly #redis: RedisClient & ScriptCommands;
  readonly #channel: string;

  constructor(redis: RedisClient, prefix: string) {
    this.#redis = withScripts(redis);
    this.#channel = persistedChannel(prefix);
  }

  /** Accepts writes in their order. `wake` tells the caller to add a wake-up job for the lane. */
  async write(lane: Lane, writes: readonly Write[]): Promise<{ wake: boolean; replies: WriteReply[] }> {
    const { keys, group } = lane;
    const args: (string | number)[] = [keys.dirty, keys.order, keys.meta];
    for (const write of writes) args.push(keys.entryPrefix + write.field);
    args.push(keys.entryPrefix.length + 1, group.dirtyMax, group.delayMs);
    for (const write of writes) args.push(write.op, write.ttlMs, write.payload);
    const [wake, ...replies] = await this.#redis.forebay_write(3 + writes.length, ...args);
    return { wake: wake === 1, replies: replies.map(toWriteReply) };
  }

  async recall(
    lane: Lane,
    fields: readonly string[],
    options: { token: string; leaseMs: number; ttlMs: number },
  ): Promise<RecallReply[]> {
    const { keys } = lane;
    const replies = await this.#redis.forebay_recall(
      2 + fields.length,
      keys.dirty,
      keys.sealed,
      ...fields.map((field) => keys.entryPrefix + field),
      keys.entryPrefix.length + 1,
      options.token,
      options.leaseMs,
      options.ttlMs,
    );
    return replies.map((reply) =>
      reply === 'lease' || reply === 'wait' ? { lease: reply === 'lease' } : { entry: reply },
    );
  }

  /** `fields` are the counters'; `recordFields` those of the rows that hold them, or ''. */
  async recallCounters(
    lane: Lane,
    fields: readonly string[],
    recordFields: readonly string[],
    options: { token: string; leaseMs: number },
  ): Promise<CountersRecall> {
    const { keys } = lane;
    const [batch, sealed, ...rest] = (await this.#redis['forebay_recall-counter'](
      3 + fields.length,
      keys.dirty,
      keys.sealed,
      keys.meta,
      ...fields.map((field) => keys.entryPrefix + field),
      keys.entryPrefix.length + 1,
      options.token,
      options.leaseMs,
      ...recordFields,
    )) as [string, string, ...(string | number)[]];
    return {
      batch: toBigInt(batch),
      sealed: toBigInt(sealed),
      counters: fields.map((_, i) => toCounterRecall(rest.slice(6 * i, 6 * i + 6))),
    };
  }

  /** Puts loaded values into the cache where the lease with this token still stands; returns how many. */
  async fill(lane: Lane, token: string, fills: readonly Fill[]): Promise<number> {
    const { entryPrefix } = lane.keys;
    return this.#redis.forebay_fill(
      fills.length,
      ...fills.map((fill) => entryPrefix + fill.field),
      token,
      ...fills.flatMap((fill) => [fill.ttlMs, fill.content]),
    );
  }

  async seal(lane: Lane, { recordsMax, delayMs, floor }: SealOptions): Promise<SealReply> {
    const { keys, group } = lane;
    const [kind, detail, ...sealed] = (await this.#redis.forebay_seal(
      keys.dirty,
      keys.order,
      keys.sealed,
      keys.meta,
      recordsMax,
      batchBytesMax,
      delayMs,
      `${floor}`,
    )) as ['batch' | 'wait' | 'empty', string | number, ...string[]];
    if (kind === 'empty') return { kind };
    if (kind === 'wait') return { kind, waitMs: Number(detail) };
    return { kind, batch: parseBatch(lane.name, group, String(detail), sealed) };
  }

  /** Drops the sealed batch with this number. False: a successor has done it, and perhaps sealed another. */
  async ack(lane: Lane, number: string): Promise<boolean> {
    const { order, sealed, meta } = lane.keys;
    return (await this.#redis.forebay_ack(order, sealed, meta, number, this.#channel, lane.name)) === 1;
  }

  async inspect(lane: Lane): Promise<LaneState> {
    const { dirty, order, sealed, meta } = lane.keys;
    const reply = await this.#redis.forebay_inspect(dirty, order, sealed, meta);
    const [version, oldest, dirtyCount, sealedCount, persisted, batches, now] = reply as [
      ...[string, string, number, number, number, number, string],
    ];
    const ageMs = oldest === '' ? 0 : Math.max(0, (Number(now) - Number(oldest)) / 1_000);
    return {
      version: BigInt(version),
      oldest: toBigInt(oldest),
      dirty: dirtyCount,
      sealed: sealedCount,
      persisted,
      batches,
      ageMs,
    };
  }

  /** Asks that what is accepted by now is flushed without delay. Its last version; undefined when all is persisted. */
  async hurry(lane: Lane): Promise<bigint | undefined> {
    return toBigInt(await this.#redis.forebay_hurry(lane.keys.order, lane.keys.meta));
  }

  /** Claims a lane whose mark has been quiet for `quietMs`. True: the caller must add a wake-up job. */
  async wake(lane: Lane, quietMs: number): Promise<boolean> {
    return (await this.#redis.forebay_wake(lane.keys.order, lane.keys.meta, quietMs)) === 1;
  }

  /** Keeps the mark of a lane alive. False: the sealed batch is not this one any more. */
  async renew(lane: Lane, number: string): Promise<boolean> {
    return (await this.#redis.forebay_renew(lane.keys.meta, number)) === 1;
  }

  /**
   * Notes that the sealed batch could not be applied. Returns how long to wait at most until the next try, in ms: doubled
   * with each failure of this batch; 0 when the sealed batch is not this one any more.
   */
  async postpone(lane: Lane, number: string, wait: { firstMs: number; maxMs: number }): Promise<number> {
    return this.#redis.forebay_postpone(lane.keys.meta, number, wait.firstMs, wait.maxMs);
  }

  /**
   * Lifts the lane's batch number to the ledger's where Redis has lost batches. Returns the lane's own number before, 0 when
   * it had none; undefined when it was not behind.
   */
  async raise(lane: Lane, floor: bigint): Promise<bigint | undefined> {
    return toBigInt(await this.#redis.forebay_raise(lane.keys.meta, `${floor}`));
  }
}

function toWriteReply(reply: string | number): WriteReply {
  return reply === 'full' || reply === 'overflow' ? { refused: reply } : { version: String(reply) };
}

function toBigInt(text: string): bigint | undefined {
  return text === '' ? undefined : BigInt(text);
}

function toCounterRecall(reply: readonly (string | number)[]): CounterRecall {
  const [entry, lease, dirtyDelta, sealedDelta, dirtyRecord, sealedRecord] = reply;
  return {
    ...(entry === '' ? {} : { entry: String(entry) }),
    lease: lease === 1,
    dirtyDelta: BigInt(dirtyDelta as string),
    sealedDelta: BigInt(sealedDelta as string),
    dirtyRecord: dirtyRecord as RecordKind,
    sealedRecord: sealedRecord as RecordKind,
  };
}
