/** A record store as an app holds it: rows by id, read through the cache and written into it. */
import { randomUUID } from 'node:crypto';
import type { Lane } from '../buffer/lane.js';
import type { Fill, RecallReply, Write } from '../buffer/write-buffer.js';
import { type Entry, entryTtlMs, loadedEntry, parseEntry } from '../cache/entry.js';
import { toReadError } from '../connection/redis.js';
import { createRecordLoader, type LoadedRow, type RecordLoader } from '../database/load.js';
import type { RecordStore } from '../definitions/stores.js';
import { ForebayError, isForebayError, messageOf } from '../errors.js';
import { fieldOf } from '../keys.js';
import {
  type Change,
  type UpdateSteps,
  untilKnown,
  updateUntilAccepted,
  type Versioned,
} from './compare-and-set.js';
import { type ClientContext, leaseMs } from './context.js';
import { Receipt } from './receipt.js';
import { Turns } from './turns.js';
import { planOf, type WriteOptions } from './write-options.js';

/** Most writes of a `putMany` that are under way at once. */
const putManyWindow = 2_000;

export class RecordClient<Row, Input, Id> {
  readonly #context: ClientContext;
  readonly #store: RecordStore;
  readonly #load: RecordLoader;
  /** Loads under way, by the token of their leases. */
  readonly #loading = new Map<string, Promise<Map<string, LoadedRow>>>();
  /** Updates of one record that met would all but one have to try again. */
  readonly #updates = new Turns();

  constructor(context: ClientContext, store: RecordStore) {
    this.#context = context;
    this.#store = store;
    this.#load = createRecordLoader(store, context.database);
  }

  /**
   * Writes a whole row: inserts it, or replaces the one that is there. Resolves once it is accepted.
   * Fields with a default may be left out, counters always are.
   * @throws ForebayError INVALID_ID, INVALID_VALUE, VALUE_TOO_LARGE, BACKLOG_FULL, TOO_MANY_WRITES, REDIS_UNAVAILABLE,
   * REDIS_REFUSED, OUTCOME_UNKNOWN
   */
  async put(input: Input, options?: WriteOptions): Promise<Receipt> {
    const { ids, rows } = this.#store;
    const json = rows.release + rows.encode(input);
    return this.#write(ids.toKey(ids.ofRow(input as object)), 'put', json, options);
  }

  /**
   * Writes rows as `put` does, in their order, with few round trips.
   * @throws the first error, once all writes are settled; its context says how many were accepted
   */
  async putMany(inputs: readonly Input[], options?: WriteOptions): Promise<Receipt[]> {
    const receipts: Receipt[] = [];
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
  async delete(id: Id, options?: WriteOptions): Promise<Receipt> {
    return this.#write(this.#store.ids.toKey(id), 'delete', '', options);
  }

  /**
   * The row, or null. Never older than an accepted write: the cache, what is pending, then the database.
   * @throws ForebayError INVALID_ID, REDIS_UNAVAILABLE, DATABASE_UNAVAILABLE
   */
  async get(id: Id): Promise<Row | null> {
    const idKey = this.#store.ids.toKey(id);
    const entry = await this.#readEntry(idKey);
    if (entry.kind !== 'none') return this.#toRow(entry);
    return (await this.#readMissed([idKey])).get(idKey) ?? null;
  }

  /** Rows in the order of `ids`, null where there is none: one round trip for hits, one load for misses. */
  async getMany(ids: readonly Id[]): Promise<(Row | null)[]> {
    const idKeys = ids.map((id) => this.#store.ids.toKey(id));
    const entries = await Promise.all(idKeys.map((idKey) => this.#readEntry(idKey)));
    const missed = idKeys.filter((_, i) => entries[i]?.kind === 'none');
    const rows = missed.length > 0 ? await this.#readMissed([...new Set(missed)]) : new Map<string, Row>();
    return idKeys.map((idKey, i) => {
      const entry = entries[i] as Entry;
      return entry.kind === 'none' ? (rows.get(idKey) ?? null) : this.#toRow(entry);
    });
  }

  /**
   * The row as `get` gives it, with its version, for `putIf`.
   * @throws as `get`, and ForebayError LOAD_TIMEOUT when others were loading the row for 15 s
   */
  async getVersioned(id: Id): Promise<Versioned<Row>> {
    const idKey = this.#store.ids.toKey(id);
    const entry = await untilKnown(this.#store.name, () => this.#look(idKey));
    return { row: this.#toRow(entry), version: BigInt(entry.version) };
  }

  /**
   * Writes as `put` does, if the record is still at the version that `getVersioned` gave. When nobody has read it for a while
   * its version is not known any more, which is a conflict too.
   * @throws as `put`, and ForebayError CONFLICT; its context has the current `version`, or undefined when it is not known
   */
  async putIf(input: Input, { version, ...options }: WriteOptions & { version: bigint }): Promise<Receipt> {
    const { ids, rows } = this.#store;
    const json = rows.release + rows.encode(input);
    return this.#write(ids.toKey(ids.ofRow(input as object)), 'put-if', `${version}|${json}`, options);
  }

  /**
   * Deletes as `delete` does, if the record is still at the version that `getVersioned` gave.
   * @throws as `putIf`
   */
  async deleteIf(id: Id, { version, ...options }: WriteOptions & { version: bigint }): Promise<Receipt> {
    return this.#write(this.#store.ids.toKey(id), 'delete', String(version), options);
  }

  /**
   * Puts what `change` makes of the row, if no other write came between; else it is called again with the newer row, at most
   * 10 times. Null when `change` returned null: nothing is written then, nor when it throws.
   * @throws as `getVersioned` and `put`, what `change` throws, and ForebayError CONFLICT. After OUTCOME_UNKNOWN the update may
   * have been accepted: read before you repeat it
   */
  async update(id: Id, change: Change<Row, Input>): Promise<Receipt | null> {
    const idKey = this.#store.ids.toKey(id);
    const steps: UpdateSteps<Row, Input> = {
      store: this.#store.name,
      read: () => this.getVersioned(id),
      change,
      putIf: async (input, version) => {
        this.#checkSameId(idKey, input);
        return this.putIf(input, { version });
      },
    };
    return this.#updates.take(idKey, () => updateUntilAccepted(steps));
  }

  #checkSameId(idKey: string, input: Input): void {
    const { name, ids } = this.#store;
    if (ids.toKey(ids.ofRow(input as object)) === idKey) return;
    throw new ForebayError('INVALID_ID', `An update of a record of store "${name}" must not change its id.`, {
      context: { store: name },
    });
  }

  async #write(
    idKey: string,
    op: 'put' | 'put-if' | 'delete',
    payload: string,
    options: WriteOptions | undefined,
  ): Promise<Receipt> {
    const { name, group, ttlMs } = this.#store;
    const lane = this.#context.lanes.of(group, idKey);
    const isDelete = op === 'delete';
    const field = fieldOf(name, idKey);
    const plan = planOf(group, options);
    const writes: Write[] = [{ op, field, ttlMs: entryTtlMs(ttlMs, isDelete), payload }];
    if (isDelete) {
      for (const counter of group.counters) {
        writes.push({ op: 'forget', field: fieldOf(counter.name, idKey), ttlMs: 1, payload: '' });
      }
    }
    const version = await this.#context.writes.submit(lane, writes, plan);
    const receipt = new Receipt(this.#context.receipts, lane, field, version);
    if (plan.durability === 'database') await receipt.persisted();
    return receipt;
  }

  async #readEntry(idKey: string): Promise<Entry> {
    const { lanes, redis, buffer } = this.#context;
    const lane = lanes.of(this.#store.group, idKey);
    const field = fieldOf(this.#store.name, idKey);
    try {
      const entry = parseEntry(await redis.get(lane.keys.entryPrefix + field));
      if (entry.kind !== 'row' || entry.release === this.#store.rows.release) return entry;
      // Another release's row is as good as none, unless it is pending: the database knows the fields that it lacks.
      await buffer.drop(lane, new Map([[field, entry.version]]));
      return { kind: 'none' };
    } catch (error) {
      throw toReadError(error);
    }
  }

  /** What is known of a record; loaded where this look gets the lease. `none`: somebody else loads it. */
  async #look(idKey: string): Promise<Entry> {
    const entry = await this.#readEntry(idKey);
    if (entry.kind !== 'none') return entry;
    const token = randomUUID();
    const lane = this.#context.lanes.of(this.#store.group, idKey);
    const [reply] = await this.#recall(lane, [idKey], token);
    if (reply && 'entry' in reply) return parseEntry(reply.entry);
    if (!isLease(reply)) return entry;
    await this.#fill(token, [idKey], await this.#loadRows([idKey]));
    return this.#readEntry(idKey);
  }

  #toRow(entry: Entry): Row | null {
    if (entry.kind !== 'row') return null;
    const { rows } = this.#store;
    return rows.decode(entry.release === rows.release ? entry.json : rows.adapt(entry.json)) as Row;
  }

  /** What the cache does not have: pending in the lane, or loaded, and filled where a lease was granted. */
  async #readMissed(idKeys: readonly string[]): Promise<Map<string, Row>> {
    const token = randomUUID();
    const recalled = new Map<string, RecallReply>();
    await Promise.all(
      this.#byLane(idKeys).map(async ([lane, keys]) => {
        const replies = await this.#recall(lane, keys, token);
        for (const [i, key] of keys.entries()) recalled.set(key, replies[i] as RecallReply);
      }),
    );
    const rows = new Map<string, Row>();
    const unknown: string[] = [];
    for (const [idKey, reply] of recalled) {
      if (!('entry' in reply)) unknown.push(idKey);
      else {
        const row = this.#toRow(parseEntry(reply.entry));
        if (row !== null) rows.set(idKey, row);
      }
    }
    if (unknown.length === 0) return rows;
    for (const [idKey, { row }] of await this.#loadShared(token, unknown, recalled))
      rows.set(idKey, row as Row);
    return rows;
  }

  /**
   * Loads rows, and fills those whose lease is this caller's. Of a row that another caller of this process loads under a lease that
   * stands, that load's row is taken: nothing was written since it began.
   */
  async #loadShared(
    token: string,
    idKeys: readonly string[],
    recalled: ReadonlyMap<string, RecallReply>,
  ): Promise<Map<string, LoadedRow>> {
    const shared = new Map<string, Promise<Map<string, LoadedRow>>>();
    for (const idKey of idKeys) {
      const reply = recalled.get(idKey);
      const loading = reply && 'holder' in reply ? this.#loading.get(reply.holder) : undefined;
      if (loading) shared.set(idKey, loading);
    }
    const own = idKeys.filter((idKey) => !shared.has(idKey));
    const [loaded] = await Promise.all([
      own.length === 0 ? new Map<string, LoadedRow>() : this.#loadAndFill(token, own, recalled),
      ...shared.values(),
    ]);
    for (const [idKey, loading] of shared) {
      const row = (await loading).get(idKey);
      if (row) loaded.set(idKey, row);
    }
    return loaded;
  }

  async #loadAndFill(
    token: string,
    idKeys: readonly string[],
    recalled: ReadonlyMap<string, RecallReply>,
  ): Promise<Map<string, LoadedRow>> {
    const loading = this.#loadRows(idKeys);
    this.#loading.set(token, loading);
    try {
      const loaded = await loading;
      const leased = idKeys.filter((idKey) => isLease(recalled.get(idKey)));
      await this.#fill(token, leased, loaded);
      return loaded;
    } finally {
      this.#loading.delete(token);
    }
  }

  async #recall(lane: Lane, idKeys: readonly string[], token: string): Promise<RecallReply[]> {
    const { name, ttlMs } = this.#store;
    const fields = idKeys.map((idKey) => fieldOf(name, idKey));
    try {
      return await this.#context.buffer.recall(lane, fields, {
        token,
        leaseMs,
        ttlMs: entryTtlMs(ttlMs, false),
      });
    } catch (error) {
      throw toReadError(error);
    }
  }

  async #loadRows(idKeys: readonly string[]): Promise<Map<string, LoadedRow>> {
    try {
      return await this.#load(idKeys);
    } catch (error) {
      throw loadFailed(this.#store.name, error);
    }
  }

  /** A fill that fails costs a later read a load; this read has its rows. */
  async #fill(
    token: string,
    idKeys: readonly string[],
    loaded: ReadonlyMap<string, LoadedRow>,
  ): Promise<void> {
    try {
      await Promise.all(
        this.#byLane(idKeys).map(([lane, keys]) =>
          this.#context.buffer.fill(
            lane,
            token,
            keys.map((key) => this.#toFill(key, loaded.get(key))),
          ),
        ),
      );
    } catch (error) {
      this.#context.emit({ type: 'fill.failed', store: this.#store.name, error });
    }
  }

  #toFill(idKey: string, loaded: LoadedRow | undefined): Fill {
    const { name, rows, ttlMs } = this.#store;
    const json = loaded && rows.release + rows.encode(loaded.row);
    return {
      field: fieldOf(name, idKey),
      content: loadedEntry(json, loaded?.version),
      ttlMs: entryTtlMs(ttlMs, loaded === undefined),
    };
  }

  #byLane(idKeys: Iterable<string>): [Lane, string[]][] {
    return [...this.#context.lanes.groupBy(this.#store.group, idKeys)];
  }
}

function isLease(reply: RecallReply | undefined): boolean {
  return reply !== undefined && 'lease' in reply && reply.lease;
}

export function loadFailed(store: string, error: unknown): ForebayError {
  return new ForebayError(
    'DATABASE_UNAVAILABLE',
    `Store "${store}" could not be loaded: ${messageOf(error)}`,
    {
      retryable: true,
      cause: error,
      context: { store },
    },
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
