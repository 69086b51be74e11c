/** A record store as an app holds it: rows by id, read through the cache and written into it. */

import { type Entry, parseEntry } from '../../buffer/entry.js';
import type { Write } from '../../buffer/step-replies.js';
import type { Explanation } from '../../cache/explain.js';
import type { RecordStore } from '../../definitions/stores.js';
import { ForebayError, isForebayError } from '../../errors.js';
import { checkList, checkObject } from '../../given.js';
import { fieldOf } from '../../keys.js';
import type { ClientContext } from '../context.js';
import { explainEntry } from '../reading/explain-entry.js';
import { RecordPort } from '../reading/record-port.js';
import { StoreReads } from '../reading/store-reads.js';
import { Receipt } from '../receipts/receipt.js';
import type { AnyWrite, TogetherStore } from '../writing/together.js';
import { planOf, type WriteOptions } from '../writing/write-options.js';
import {
  type Change,
  type SeenRow,
  toConflict,
  type UpdateSteps,
  untilKnown,
  updateUntilAccepted,
  type Versioned,
  versionText,
} from './compare-and-set.js';
import { RowEntries } from './row-entries.js';
import { Turns } from './turns.js';

/** Most writes of a `putMany` that are under way at once. */
const putManyWindow = 2_000;
/** So often a row that Redis does not have is loaded and patched; evictions may come between. */
const patchTriesMax = 4;

/** A record store as an app holds it: `app.stores.<its name>`. */
export class RecordClient<Row, Input, Id> {
  readonly #context: ClientContext;
  readonly #store: RecordStore;
  readonly #port: RecordPort<Row>;
  readonly #reads: StoreReads<Row>;
  /** Updates of one record that met would all but one have to try again. */
  readonly #updates = new Turns();

  /** @internal */
  readonly entries: RowEntries;

  /** @internal */
  constructor(context: ClientContext, store: RecordStore) {
    this.entries = new RowEntries(context, store);
    this.#context = context;
    this.#store = store;
    this.#port = new RecordPort<Row>(context, store);
    this.#reads = new StoreReads(context, this.#port);
  }

  /** @internal */
  get store(): RecordStore {
    return this.#store;
  }

  /**
   * Writes a whole row: inserts it, or replaces the one that is there. Resolves once it is accepted. Fields
   * with a default may be left out, and get it: an id that the client makes is in the receipt.
   * `@default(now())` is when a row was made, and stays when one is there. Counters are always left out.
   * @throws ForebayError INVALID_ID, INVALID_VALUE, VALUE_TOO_LARGE, BACKLOG_FULL, TOO_MANY_WRITES,
   * REDIS_UNAVAILABLE, REDIS_REFUSED, LANES_CHANGING, OUTCOME_UNKNOWN
   */
  async put(input: Input, options?: WriteOptions): Promise<Receipt<Id>> {
    const { idKey, text } = this.#toRecord(input);
    return this.#write(idKey, 'put', text, options);
  }

  /**
   * Writes rows as `put` does, in their order, with few round trips.
   * @throws the first error, once all writes are settled; its context says how many were accepted
   */
  async putMany(inputs: readonly Input[], options?: WriteOptions): Promise<Receipt<Id>[]> {
    checkList('The rows of a putMany', inputs);
    const receipts: Receipt<Id>[] = [];
    for (let i = 0; i < inputs.length; i += putManyWindow) {
      const results = await Promise.allSettled(
        inputs.slice(i, i + putManyWindow).map((input) => this.put(input, options)),
      );
      for (const result of results) if (result.status === 'fulfilled') receipts.push(result.value);
      const failed = results
        .filter((result) => result.status === 'rejected')
        .map(({ reason }) => reason as unknown);
      const unsafe = failed.filter((reason) => isForebayError(reason, 'DURABILITY_NOT_MET'));
      if (failed.length > 0) throw partlyAccepted(failed[0], receipts.length + unsafe.length, inputs.length);
    }
    return receipts;
  }

  /**
   * Deletes a row; deleting one that is not there is accepted too. Its counters end with it.
   * @throws as `put`
   */
  async delete(id: Id, options?: WriteOptions): Promise<Receipt<Id>> {
    return this.#write(this.#store.ids.toKey(id), 'delete', '', options);
  }

  /**
   * The row, or null. Never older than an accepted write: the cache, what is pending, then the database.
   * While Redis is away, what the store's `onRedisAway` says.
   * @throws ForebayError INVALID_ID, REDIS_UNAVAILABLE, REDIS_REFUSED, DATABASE_UNAVAILABLE, TOO_MANY_LOADS,
   * LOAD_TIMEOUT, CLOSED
   */
  async get(id: Id): Promise<Row | null> {
    return this.#reads.get(this.#store.ids.toKey(id));
  }

  /**
   * Rows in the order of `ids`, null where there is none: one round trip for hits, one load for misses.
   * @throws as `get`
   */
  async getMany(ids: readonly Id[]): Promise<(Row | null)[]> {
    checkList('Ids', ids);
    return this.#reads.getMany(ids.map((id) => this.#store.ids.toKey(id)));
  }

  /**
   * Why a read of the row is a hit or a miss. @throws ForebayError INVALID_ID, REDIS_UNAVAILABLE,
   * REDIS_REFUSED
   */
  async explain(id: Id): Promise<Explanation> {
    return explainEntry(this.#context, this.#port, this.#store.ids.toKey(id));
  }

  /**
   * The row as `get` gives it, with its version, for `putIf`.
   * @throws as `get`, and ForebayError LOAD_TIMEOUT when it had no version for 15 s, as others loaded or
   * wrote it all the time
   */
  async getVersioned(id: Id): Promise<Versioned<Row>> {
    const { row, version } = await this.#see(this.#store.ids.toKey(id));
    return { row, version };
  }

  /**
   * Writes as `put` does, if the record is still at the version that `getVersioned` gave. When nobody has
   * read it for a while its version is not known any more, which is a conflict too.
   * @throws as `put`, and ForebayError CONFLICT; its context has the current `version`, or undefined when it
   * is not known
   */
  async putIf(input: Input, options: WriteOptions & { version: bigint }): Promise<Receipt<Id>> {
    checkObject('The options of a putIf', options);
    const { idKey, text } = this.#toRecord(input);
    return this.#write(idKey, 'put-if', `${versionText(options.version)}|${text}`, options);
  }

  /**
   * Deletes as `delete` does, if the record is still at the version that `getVersioned` gave.
   * @throws as `putIf`
   */
  async deleteIf(id: Id, options: WriteOptions & { version: bigint }): Promise<Receipt<Id>> {
    checkObject('The options of a deleteIf', options);
    return this.#write(this.#store.ids.toKey(id), 'delete', versionText(options.version), options);
  }

  /**
   * Writes what `change` changes of the row, if no other write came between; else it is called again with the
   * newer row, at most 10 times. Columns that it does not change are not written; `@updatedAt` moves. Null
   * when `change` returned null: nothing is written then, nor when it throws.
   * @throws as `getVersioned` and `put`, what `change` throws, and ForebayError CONFLICT. After
   * OUTCOME_UNKNOWN the update may have been accepted: read before you repeat it
   */
  async update(id: Id, change: Change<Row, Input>, options?: WriteOptions): Promise<Receipt<Id> | null> {
    const { name, ids } = this.#store;
    const idKey = ids.toKey(id);
    const steps: UpdateSteps<Row, Input, Id> = {
      store: name,
      read: () => this.#see(idKey),
      change,
      write: async (input, { json, version }) => {
        const row = ids.fillIn(input as object, ids.fromKey(idKey));
        this.#checkSameId(idKey, row);
        const text = json === undefined ? this.#toRecord(row).text : this.#store.rows.updateText(json, row);
        return this.#write(idKey, 'put-if', `${version}|${text}`, options);
      },
    };
    return this.#updates.take(idKey, () => updateUntilAccepted(steps));
  }

  /**
   * Writes these fields of a row that is there, and no other: in order with all other writes, and together
   * with what is pending. It reads nothing but a row that Redis does not have. `@updatedAt` moves.
   * @throws as `put` and `getVersioned`, and ForebayError ROW_MISSING
   */
  async patch(id: Id, fields: Partial<Input>, options?: WriteOptions): Promise<Receipt<Id>> {
    const { name, ids, rows } = this.#store;
    const idKey = ids.toKey(id);
    this.#checkSameId(idKey, ids.fillIn({ ...fields }, id));
    const text = rows.patchText(fields);
    for (let tries = 1; tries < patchTriesMax; tries++) {
      const patched = await this.#write(idKey, 'patch', text, options).catch(toConflict);
      if (!(patched instanceof ForebayError)) return patched;
      const { row } = await this.#see(idKey);
      if (row === null) throw rowMissing(name, idKey);
    }
    // A row of another release that is pending is written whole.
    const patch = (row: Row | null) => row && ({ ...row, ...fields } as unknown as Input);
    const updated = await this.update(id, patch, options);
    if (updated === null) throw rowMissing(name, idKey);
    return updated;
  }

  /**
   * Forgets what the cache has of a row: the next read sees the database, and what is pending.
   * @throws ForebayError INVALID_ID, REDIS_UNAVAILABLE, REDIS_REFUSED
   */
  async evict(id: Id): Promise<void> {
    await this.#port.evict(this.#store.ids.toKey(id));
  }

  /**
   * The row as the database has it now, or as it is pending; it is cached anew. @throws as `evict` and `get`
   */
  async refresh(id: Id): Promise<Row | null> {
    await this.evict(id);
    return this.get(id);
  }

  /** @internal */
  get together(): TogetherStore {
    return { writesOf: (write) => this.#writesOf(write), asUpdate: (patch) => this.#asUpdate(patch) };
  }

  #writesOf({ put, patch, delete: deleted, id, version }: AnyWrite): Write[] {
    const { ids, rows } = this.#store;
    if (put !== undefined) {
      const { idKey, text } = this.#toRecord(put);
      return version === undefined
        ? this.#writesTo(idKey, 'put', text)
        : this.#writesTo(idKey, 'put-if', `${versionText(version)}|${text}`);
    }
    if (patch !== undefined) {
      const idKey = ids.toKey(id);
      this.#checkSameId(idKey, ids.fillIn({ ...patch }, id));
      return this.#writesTo(idKey, 'patch', rows.patchText(patch));
    }
    if (deleted === undefined) return [];
    return this.#writesTo(ids.toKey(deleted), 'delete', version === undefined ? '' : versionText(version));
  }

  async #asUpdate({ id, patch }: AnyWrite): Promise<Write[]> {
    const { name, ids, rows } = this.#store;
    const idKey = ids.toKey(id);
    const { row, version, json } = await this.#see(idKey);
    if (json === undefined) throw rowMissing(name, idKey);
    const text = rows.updateText(json, { ...row, ...patch });
    return this.#writesTo(idKey, 'put-if', `${version}|${text}`);
  }

  #toRecord(input: unknown): { idKey: string; text: string } {
    const { ids, rows } = this.#store;
    const row = rows.complete(input);
    const text = rows.putText(row);
    return { idKey: ids.toKey(ids.ofRow(row as object)), text };
  }

  #checkSameId(idKey: string, row: object): void {
    const { name, ids } = this.#store;
    if (ids.toKey(ids.ofRow(row)) === idKey) return;
    throw new ForebayError('INVALID_ID', `An update of a record of store "${name}" must not change its id.`, {
      context: { store: name },
    });
  }

  async #write(
    idKey: string,
    op: 'put' | 'put-if' | 'patch' | 'delete',
    payload: string,
    options: WriteOptions | undefined,
  ): Promise<Receipt<Id>> {
    const lane = this.#context.lanes.ofRecord(this.#store, idKey);
    const plan = planOf(this.#store.group, options);
    const accepted = await this.#context.writes.submit(lane, this.#writesTo(idKey, op, payload), plan);
    const field = fieldOf(this.#store.name, idKey);
    const receipt = new Receipt<Id>(this.#context.receipts, accepted.lane, field, accepted);
    if (plan.durability === 'database') await receipt.persisted();
    return receipt;
  }

  #writesTo(idKey: string, op: 'put' | 'put-if' | 'patch' | 'delete', payload: string): Write[] {
    const { name, group } = this.#store;
    const writes: Write[] = [{ op, field: fieldOf(name, idKey), payload }];
    if (op !== 'delete') return writes;
    for (const counter of group.counters) {
      if (counter.record === this.#store)
        writes.push({ op: 'forget', field: fieldOf(counter.name, idKey), payload: '' });
    }
    return writes;
  }

  async #see(idKey: string): Promise<SeenRow<Row>> {
    const entry = await untilKnown(this.#store.name, () => this.#look(idKey));
    const json = this.#port.toJson(entry);
    const row = json === undefined ? null : (this.#store.rows.decode(json) as Row);
    return { row, version: BigInt(entry.version), json };
  }

  /** What is known of a record; `none`: the write or the eviction of an entry came between the two looks. */
  async #look(idKey: string): Promise<Entry> {
    const entry = await this.#entryOf(idKey);
    if (entry.kind !== 'none') return entry;
    await this.#reads.get(idKey);
    // Another release's row that is still there is pending.
    const filled = parseEntry(await this.#reads.contentOf(idKey));
    if (filled.kind === 'none') await this.#port.checkFit(idKey);
    return filled;
  }

  async #entryOf(idKey: string): Promise<Entry> {
    return this.#port.toEntry(idKey, await this.#reads.contentOf(idKey));
  }
}

function rowMissing(store: string, id: string): ForebayError {
  return new ForebayError(
    'ROW_MISSING',
    `A record of store "${store}" can't be patched: there is no row with this id. Put the whole row.`,
    { context: { store, id } },
  );
}

function partlyAccepted(error: unknown, accepted: number, given: number): unknown {
  if (!isForebayError(error)) return error;
  return new ForebayError(error.code, `${error.message} (${accepted} of ${given} rows were accepted.)`, {
    retryable: error.retryable,
    cause: error,
    context: { ...error.context, accepted, given },
  });
}
