/** A counter store as an app holds it: deltas in, exact values out. */

import { isCounterValue } from '../../buffer/entry.js';
import type { Lane } from '../../buffer/lane.js';
import {
  type CounterRecall,
  type CountersRecall,
  givenBack,
  type PendingCounter,
} from '../../buffer/write-buffer.js';
import { toReadError } from '../../connection/redis.js';
import { type CounterLoader, createCounterLoader, type LoadedCounters } from '../../database/load.js';
import { entryTtlMs } from '../../definitions/entry-ttl.js';
import type { CounterStore } from '../../definitions/stores.js';
import { ForebayError } from '../../errors.js';
import { fieldOf, ledgerLane } from '../../keys.js';
import { type ClientContext, leaseMs } from '../context.js';
import { DirectReads } from '../reading/direct-reads.js';
import { toLoadError } from '../reading/load-error.js';
import { type Loaded, type Look, OneLoad, type Recalled, toRecalled } from '../reading/one-load.js';
import { Receipt } from '../receipts/receipt.js';
import { planOf, type WriteOptions } from '../writing/write-options.js';

/** Looks at pending deltas and row until no batch came in between; a flush cycle is far longer than a look. */
const looksMax = 5;
const deltaMax = 2n ** 63n - 1n;

/** What is pending of counters of one lane, at one moment. */
interface LaneLook extends Omit<CountersRecall, 'counters'> {
  readonly lane: Lane;
  /** By id key. */
  readonly counters: ReadonlyMap<string, CounterRecall>;
}

interface ExactLook {
  readonly look: LaneLook;
  readonly loaded: LoadedCounters;
  /** False when batches came in between at every look; then the value is served, and not cached. */
  readonly isExact: boolean;
}

const noValues: ReadonlyMap<string, bigint> = new Map();

/** A counter store as an app holds it: `app.stores.<its name>`. */
export class CounterClient<Id, Value> {
  readonly #context: ClientContext;
  readonly #store: CounterStore;
  readonly #load: CounterLoader;
  readonly #missed: OneLoad<bigint>;
  readonly #direct: DirectReads<bigint>;

  /** @internal */
  constructor(context: ClientContext, store: CounterStore) {
    this.#context = context;
    this.#store = store;
    this.#load = createCounterLoader(store, context.database);
    this.#missed = new OneLoad({
      waitingRoom: context.waitingRoom,
      entryKeyOf: (idKey) => this.#entryKeyOf(idKey),
      recall: (idKeys, token) => this.#recall(idKeys, token),
    });
    this.#direct = new DirectReads({
      onRedisAway: store.onRedisAway,
      loading: context.loading,
      keyOf: (idKey) => this.#entryKeyOf(idKey),
      load: (idKeys) => this.#loadAll(idKeys),
    });
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
   * The sum of the row's value and all accepted deltas; null when there is no row. While Redis is away, what the store's `onRedisAway` says.
   * @throws ForebayError INVALID_ID, REDIS_UNAVAILABLE, REDIS_REFUSED, DATABASE_UNAVAILABLE; with `onRedisAway: 'load'` also TOO_MANY_LOADS,
   * LOAD_TIMEOUT
   */
  async get(id: Id): Promise<Value | null> {
    const [value] = await this.getMany([id]);
    return value as Value | null;
  }

  /** Values in the order of `ids`, null where there is no row. */
  async getMany(ids: readonly Id[]): Promise<(Value | null)[]> {
    const idKeys = ids.map((id) => this.#store.ids.toKey(id));
    const values = await this.#readAll(idKeys).catch((error: unknown) =>
      this.#direct.instead([...new Set(idKeys)], error),
    );
    return idKeys.map((idKey) => this.#toValue(values.get(idKey)));
  }

  async #readAll(idKeys: readonly string[]): Promise<ReadonlyMap<string, bigint>> {
    const values = new Map<string, bigint>();
    await this.#readEntries(idKeys, values);
    const missed = new Set(idKeys.filter((idKey) => !values.has(idKey)));
    if (missed.size === 0) return values;
    return new Map([...values, ...(await this.#missed.read([...missed]))]);
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

  #entryKeyOf(idKey: string): string {
    return this.#context.lanes.entryKeyOf(this.#store, idKey);
  }

  async #readEntries(idKeys: readonly string[], values: Map<string, bigint>): Promise<void> {
    const { redis, breaker } = this.#context;
    const read = (idKey: string) => breaker.run(() => redis.get(this.#entryKeyOf(idKey)));
    try {
      const contents = await Promise.all(idKeys.map(read));
      for (const [i, content] of contents.entries()) {
        if (isCounterValue(content)) values.set(idKeys[i] as string, BigInt(content));
      }
    } catch (error) {
      throw toReadError(error);
    }
  }

  /** What is cached by now, and what is pending, of counters that were missed; else loads their rows. */
  async #recall(idKeys: readonly string[], token: string): Promise<Look<bigint>> {
    const looks = await Promise.all(
      this.#byLane(idKeys).map(([lane, keys]) => this.#recallOf(lane, keys, token)),
    );
    const recalled = new Map<string, Recalled<bigint>>();
    for (const { counters } of looks) {
      for (const [idKey, counter] of counters) recalled.set(idKey, toRecalled(counter, token, BigInt));
    }
    return {
      recalled,
      load: async (wanted) => {
        const values = new Map<string, bigint | undefined>();
        const isWanted = new Set(wanted);
        await Promise.all(looks.map((look) => this.#loadAndFill(only(look, isWanted), token, values)));
        return values;
      },
    };
  }

  async #recallOf(lane: Lane, idKeys: readonly string[], token: string): Promise<LaneLook> {
    const { name, record } = this.#store;
    const fields = idKeys.map((idKey) => fieldOf(name, idKey));
    const recordFields = idKeys.map((idKey) => (record ? fieldOf(record.name, idKey) : ''));
    const { buffer, breaker } = this.#context;
    const options = { token, leaseMs };
    try {
      const { counters, ...numbers } = await breaker.run(() =>
        buffer.recallCounters(lane, fields, recordFields, options),
      );
      const byKey = new Map(idKeys.map((idKey, i) => [idKey, counters[i] as CounterRecall]));
      return { ...numbers, lane, counters: byKey };
    } catch (error) {
      throw toReadError(error);
    }
  }

  async #loadAndFill(first: LaneLook, token: string, values: Map<string, bigint | undefined>): Promise<void> {
    if (first.counters.size === 0) return;
    let look = first;
    let isExact = false;
    try {
      const exact = await this.#lookExactly(first, token);
      ({ look, isExact } = exact);
      for (const [idKey, counter] of look.counters) {
        const value =
          'entry' in counter
            ? BigInt(counter.entry)
            : counterValue(this.#store, look, counter, exact.loaded, idKey);
        // A put of the row leaves the lease of its counter standing: what is absent may not be so for others.
        if (value !== undefined || this.#store.record === undefined) values.set(idKey, value);
      }
    } finally {
      await this.#fill(look, token, isExact ? values : noValues);
    }
  }

  /** Looks at the rows, then again at what is pending and at the rows, while a batch came in between. */
  async #lookExactly(first: LaneLook, token: string): Promise<ExactLook> {
    const idKeys = [...first.counters.keys()];
    let look = first;
    let before: bigint | undefined;
    for (let looks = 1; ; looks++) {
      const loaded = await this.#loadValues(look.lane, idKeys);
      if (!isOvertaken(look, loaded)) return { look, loaded, isExact: true };
      // No batch since the last look, and still behind the ledger: it is Redis that has lost its memory.
      if (looks > 1 && look.batch === before) return { look, loaded, isExact: true };
      if (looks === looksMax) return { look, loaded, isExact: false };
      before = look.batch;
      look = await this.#recallOf(look.lane, idKeys, token);
    }
  }

  /** What the database has. */
  async #loadAll(idKeys: readonly string[]): Promise<ReadonlyMap<string, bigint>> {
    const loaded = await Promise.all(
      this.#byLane(idKeys).map(([lane, keys]) => this.#loadValues(lane, keys)),
    );
    return new Map(loaded.flatMap(({ values }) => [...values]));
  }

  async #loadValues(lane: Lane, idKeys: readonly string[]): Promise<LoadedCounters> {
    try {
      return await this.#load(ledgerLane(this.#context.prefix, lane.name), idKeys);
    } catch (error) {
      throw toLoadError(this.#store.name, error);
    }
  }

  /** Only where this call's lease stands: a delta or a delete that came meanwhile has revoked it. What has no value is given back. */
  async #fill({ lane, counters }: LaneLook, token: string, values: Loaded<bigint>): Promise<void> {
    const { name, ttlMs } = this.#store;
    const fills = [...counters].flatMap(([idKey, counter]) => {
      if (!('holder' in counter) || counter.holder !== token) return [];
      const content = values.get(idKey)?.toString() ?? givenBack;
      return [{ field: fieldOf(name, idKey), content, ttlMs: entryTtlMs(ttlMs, false) }];
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

function only({ counters, ...look }: LaneLook, idKeys: ReadonlySet<string>): LaneLook {
  return { ...look, counters: new Map([...counters].filter(([idKey]) => idKeys.has(idKey))) };
}

/** Whether a batch that was sealed after the look at the lane is in the row already. */
export function isOvertaken(recalled: Pick<CountersRecall, 'batch'>, loaded: LoadedCounters): boolean {
  return loaded.batch !== undefined && (recalled.batch === undefined || loaded.batch > recalled.batch);
}

/**
 * A counter's value from the row and what was pending before the row was read. The ledger's number, read with the row,
 * tells whether the row holds the sealed batch. Undefined when there is no row and none is on its way.
 */
export function counterValue(
  store: Pick<CounterStore, 'initial' | 'record'>,
  recalled: Pick<CountersRecall, 'sealed'>,
  pending: PendingCounter,
  loaded: LoadedCounters,
  idKey: string,
): bigint | undefined {
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
