/** A counter store as an app holds it: deltas in, exact values out. */
import { randomUUID } from 'node:crypto';
import type { Lane } from '../buffer/lane.js';
import type { CounterRecall, CountersRecall } from '../buffer/write-buffer.js';
import { entryTtlMs, isCounterValue } from '../cache/entry.js';
import { toReadError } from '../connection/redis.js';
import { ledgerLane } from '../database/apply.js';
import { type CounterLoader, createCounterLoader, type LoadedCounters } from '../database/load.js';
import type { CounterStore } from '../definitions/stores.js';
import { ForebayError } from '../errors.js';
import { fieldOf } from '../keys.js';
import { type ClientContext, leaseMs } from './context.js';
import { Receipt } from './receipt.js';
import { loadFailed } from './record-client.js';
import { planOf, type WriteOptions } from './write-options.js';

/** Looks at pending deltas and row until no batch came in between; a flush cycle is far longer than a look. */
const looksMax = 5;
const deltaMax = 2n ** 63n - 1n;

interface Look {
  readonly recalled: CountersRecall;
  readonly loaded: LoadedCounters;
  /** False when batches came in between at every look; then the value is served, and not cached. */
  readonly isExact: boolean;
}

export class CounterClient<Id, Value> {
  readonly #context: ClientContext;
  readonly #store: CounterStore;
  readonly #load: CounterLoader;

  constructor(context: ClientContext, store: CounterStore) {
    this.#context = context;
    this.#store = store;
    this.#load = createCounterLoader(store, context.database);
  }

  /**
   * Adds an integer, which may be negative. Resolves once it is accepted.
   * @throws ForebayError INVALID_ID, INVALID_VALUE, COUNTER_OVERFLOW, BACKLOG_FULL, TOO_MANY_WRITES, REDIS_UNAVAILABLE,
   * REDIS_REFUSED, REDIS_OUT_OF_MEMORY, DURABILITY_NOT_MET (the delta counts), OUTCOME_UNKNOWN (then the delta may count, and must not
   * simply be added again)
   */
  async add(id: Id, delta: number | bigint = 1, options?: WriteOptions): Promise<Receipt> {
    const { name, group, ids } = this.#store;
    const idKey = ids.toKey(id);
    const lane = this.#context.lanes.of(group, idKey);
    const field = fieldOf(name, idKey);
    const write = { op: 'add', field, ttlMs: 1, payload: this.#toDelta(delta) } as const;
    const plan = planOf(group, options);
    const version = await this.#context.writes.submit(lane, [write], plan);
    const receipt = new Receipt(this.#context.receipts, lane, field, version);
    if (plan.durability === 'database') await receipt.persisted();
    return receipt;
  }

  /**
   * The sum of the row's value and all accepted deltas; null when there is no row.
   * @throws ForebayError INVALID_ID, REDIS_UNAVAILABLE, DATABASE_UNAVAILABLE
   */
  async get(id: Id): Promise<Value | null> {
    const [value] = await this.getMany([id]);
    return value as Value | null;
  }

  /** Values in the order of `ids`, null where there is no row. */
  async getMany(ids: readonly Id[]): Promise<(Value | null)[]> {
    const idKeys = ids.map((id) => this.#store.ids.toKey(id));
    const values = new Map<string, bigint>();
    await this.#readEntries(idKeys, values);
    const missed = new Set(idKeys.filter((idKey) => !values.has(idKey)));
    await Promise.all(this.#byLane(missed).map(([lane, keys]) => this.#readMissed(lane, keys, values)));
    return idKeys.map((idKey) => this.#toValue(values.get(idKey)));
  }

  #toDelta(delta: number | bigint): string {
    const isInteger =
      typeof delta === 'bigint' ? delta <= deltaMax && delta >= -deltaMax : Number.isSafeInteger(delta);
    if (isInteger) return String(delta);
    throw new ForebayError(
      'INVALID_VALUE',
      `A delta of store "${this.#store.name}" must be a safe integer, or a bigint of 64 bits, not ${String(delta)}.`,
      { context: { store: this.#store.name } },
    );
  }

  #toValue(value: bigint | undefined): Value | null {
    if (value === undefined) return null;
    return (this.#store.isBigInt ? value : Number(value)) as Value;
  }

  async #readEntries(idKeys: readonly string[], values: Map<string, bigint>): Promise<void> {
    const { lanes, redis } = this.#context;
    const { name, group } = this.#store;
    try {
      const contents = await Promise.all(
        idKeys.map((idKey) => redis.get(lanes.of(group, idKey).keys.entryPrefix + fieldOf(name, idKey))),
      );
      for (const [i, content] of contents.entries()) {
        if (isCounterValue(content)) values.set(idKeys[i] as string, BigInt(content));
      }
    } catch (error) {
      throw toReadError(error);
    }
  }

  async #readMissed(lane: Lane, idKeys: readonly string[], values: Map<string, bigint>): Promise<void> {
    const token = randomUUID();
    const { recalled, loaded, isExact } = await this.#look(lane, idKeys, token);
    for (const [i, idKey] of idKeys.entries()) {
      const pending = recalled.counters[i] as CounterRecall;
      const value = counterValue(this.#store, recalled, pending, loaded, idKey);
      if (value !== undefined) values.set(idKey, value);
    }
    if (isExact) await this.#fill(lane, token, idKeys, values);
  }

  /** Looks at what is pending and then at the rows, again while a batch came in between. */
  async #look(lane: Lane, idKeys: readonly string[], token: string): Promise<Look> {
    let before: bigint | undefined;
    for (let look = 1; ; look++) {
      const recalled = await this.#recall(lane, idKeys, token);
      const loaded = await this.#loadValues(lane, idKeys);
      if (!isOvertaken(recalled, loaded)) return { recalled, loaded, isExact: true };
      // No batch since the last look, and still behind the ledger: it is Redis that has lost its memory.
      if (look > 1 && recalled.batch === before) return { recalled, loaded, isExact: true };
      if (look === looksMax) return { recalled, loaded, isExact: false };
      before = recalled.batch;
    }
  }

  async #recall(lane: Lane, idKeys: readonly string[], token: string): Promise<CountersRecall> {
    const { name, record } = this.#store;
    const fields = idKeys.map((idKey) => fieldOf(name, idKey));
    const recordFields = idKeys.map((idKey) => (record ? fieldOf(record.name, idKey) : ''));
    try {
      return await this.#context.buffer.recallCounters(lane, fields, recordFields, { token, leaseMs });
    } catch (error) {
      throw toReadError(error);
    }
  }

  async #loadValues(lane: Lane, idKeys: readonly string[]): Promise<LoadedCounters> {
    try {
      return await this.#load(ledgerLane(this.#context.prefix, lane.name), idKeys);
    } catch (error) {
      throw loadFailed(this.#store.name, error);
    }
  }

  /** Only where this call's lease stands: a delta or a delete that came meanwhile has revoked it. */
  async #fill(
    lane: Lane,
    token: string,
    idKeys: readonly string[],
    values: ReadonlyMap<string, bigint>,
  ): Promise<void> {
    const { name, ttlMs } = this.#store;
    const fills = idKeys.flatMap((idKey) => {
      const value = values.get(idKey);
      if (value === undefined) return [];
      return [{ field: fieldOf(name, idKey), content: String(value), ttlMs: entryTtlMs(ttlMs, false) }];
    });
    if (fills.length === 0) return;
    try {
      await this.#context.buffer.fill(lane, token, fills);
    } catch (error) {
      this.#context.emit({ type: 'fill.failed', store: name, error });
    }
  }

  #byLane(idKeys: Iterable<string>): [Lane, string[]][] {
    return [...this.#context.lanes.groupBy(this.#store.group, idKeys)];
  }
}

/** Whether a batch that was sealed after the look at the lane is in the row already. */
export function isOvertaken(recalled: CountersRecall, loaded: LoadedCounters): boolean {
  return loaded.batch !== undefined && (recalled.batch === undefined || loaded.batch > recalled.batch);
}

/**
 * A counter's value from the row and what was pending before the row was read. The ledger's number, read with the row,
 * tells whether the row holds the sealed batch. Undefined when there is no row and none is on its way.
 */
export function counterValue(
  store: Pick<CounterStore, 'initial' | 'record'>,
  recalled: Pick<CountersRecall, 'sealed'>,
  pending: CounterRecall,
  loaded: LoadedCounters,
  idKey: string,
): bigint | undefined {
  if (pending.entry !== undefined) return BigInt(pending.entry);
  const { dirtyRecord, dirtyDelta } = pending;
  const isSealedApplied =
    recalled.sealed === undefined || (loaded.batch !== undefined && loaded.batch >= recalled.sealed);
  const sealedRecord = isSealedApplied ? '' : pending.sealedRecord;
  const sealedDelta = isSealedApplied ? 0n : pending.sealedDelta;
  // What is dirty comes after what is sealed: a dirty delete or replacement makes the rest irrelevant.
  if (dirtyRecord === 'D') return undefined;
  if (dirtyRecord === 'R') return store.initial + dirtyDelta;
  if (sealedRecord === 'D') return dirtyRecord === 'P' ? store.initial + dirtyDelta : undefined;
  const row = sealedRecord === 'R' ? store.initial : loaded.values.get(idKey);
  const delta = sealedDelta + dirtyDelta;
  if (row !== undefined) return row + delta;
  const isRowComing = store.record ? dirtyRecord === 'P' || sealedRecord === 'P' : delta !== 0n;
  return isRowComing ? store.initial + delta : undefined;
}
