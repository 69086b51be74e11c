/** A counter store as an app holds it: deltas in, exact values out. */

import type { Write } from '../../buffer/step-replies.js';
import type { Explanation } from '../../cache/explain.js';
import type { CounterStore } from '../../definitions/stores.js';
import { ForebayError } from '../../errors.js';
import { checkList, describe } from '../../given.js';
import { fieldOf } from '../../keys.js';
import type { ClientContext } from '../context.js';
import { CounterPort } from '../reading/counter-port.js';
import { explainEntry } from '../reading/explain-entry.js';
import { StoreReads } from '../reading/store-reads.js';
import { Receipt } from '../receipts/receipt.js';
import type { AnyWrite, TogetherStore } from '../writing/together.js';
import { planOf, type WriteOptions } from '../writing/write-options.js';

const deltaMax = 2n ** 63n - 1n;

/** A counter store as an app holds it: `app.stores.<its name>`. */
export class CounterClient<Id, Value> {
  readonly #context: ClientContext;
  readonly #store: CounterStore;
  readonly #port: CounterPort;
  readonly #reads: StoreReads<bigint>;

  /** @internal */
  constructor(context: ClientContext, store: CounterStore) {
    this.#context = context;
    this.#store = store;
    this.#port = new CounterPort(context, store);
    this.#reads = new StoreReads(context, this.#port);
  }

  /** @internal */
  get store(): CounterStore {
    return this.#store;
  }

  /**
   * Adds an integer, which may be negative. Resolves once it is accepted.
   * @throws ForebayError INVALID_ID, INVALID_VALUE, COUNTER_OVERFLOW, BACKLOG_FULL, TOO_MANY_WRITES,
   * REDIS_UNAVAILABLE, REDIS_REFUSED, REDIS_OUT_OF_MEMORY, DURABILITY_NOT_MET (the delta counts),
   * OUTCOME_UNKNOWN (then the delta may count, and must not simply be added again)
   */
  async add(id: Id, delta: number | bigint = 1, options?: WriteOptions): Promise<Receipt> {
    const idKey = this.#store.ids.toKey(id);
    const lane = this.#context.lanes.ofRecord(this.#store, idKey);
    const write = this.#writeTo(idKey, delta);
    const plan = planOf(this.#store.group, options);
    const accepted = await this.#context.writes.submit(lane, [write], plan);
    const receipt = new Receipt(this.#context.receipts, accepted.lane, write.field, accepted);
    if (plan.durability === 'database') await receipt.persisted();
    return receipt;
  }

  /**
   * The sum of the row's value and all accepted deltas; null when there is no row. While Redis is away, what
   * the store's `onRedisAway` says.
   * @throws ForebayError INVALID_ID, REDIS_UNAVAILABLE, REDIS_REFUSED, DATABASE_UNAVAILABLE, TOO_MANY_LOADS,
   * LOAD_TIMEOUT, CLOSED
   */
  async get(id: Id): Promise<Value | null> {
    return this.#toValue(await this.#reads.get(this.#store.ids.toKey(id)));
  }

  /**
   * Values in the order of `ids`, null where there is no row: one round trip for hits, one load for misses.
   * @throws as `get`
   */
  async getMany(ids: readonly Id[]): Promise<(Value | null)[]> {
    checkList('Ids', ids);
    const idKeys = ids.map((id) => this.#store.ids.toKey(id));
    const values = await this.#reads.getMany(idKeys);
    return values.map((value) => this.#toValue(value));
  }

  /**
   * Why a read of the counter is a hit or a miss. @throws ForebayError INVALID_ID, REDIS_UNAVAILABLE,
   * REDIS_REFUSED
   */
  async explain(id: Id): Promise<Explanation> {
    return explainEntry(this.#context, this.#port, this.#store.ids.toKey(id));
  }

  /** @internal */
  get together(): TogetherStore {
    return { writesOf: (write) => this.#writesOf(write) };
  }

  #writesOf({ add, id }: AnyWrite): Write[] {
    return add === undefined ? [] : [this.#writeTo(this.#store.ids.toKey(id), add)];
  }

  #writeTo(idKey: string, delta: number | bigint): Write {
    const { name, record } = this.#store;
    const row = record ? `|${fieldOf(record.name, idKey)}` : '';
    return { op: 'add', field: fieldOf(name, idKey), payload: this.#toDelta(delta) + row };
  }

  #toDelta(delta: number | bigint): string {
    const isInteger =
      typeof delta === 'bigint' ? delta <= deltaMax && delta >= -deltaMax : Number.isSafeInteger(delta);
    if (isInteger) return String(delta);
    throw new ForebayError(
      'INVALID_VALUE',
      `A delta of store "${this.#store.name}" must be a safe integer, or a bigint of 64 bits, not ${describe(delta)}.`,
      { context: { store: this.#store.name } },
    );
  }

  #toValue(value: bigint | null): Value | null {
    if (value === null) return null;
    return (this.#store.isBigInt ? value : Number(value)) as Value;
  }
}
