/** The rows of a record store in the cache: read, recalled from what is pending when they were missed, loaded and filled. */

import { absentEntry, type Entry, loadedEntry, parseEntry } from '../../buffer/entry.js';
import type { Lane } from '../../buffer/lane.js';
import { type Fill, givenBack, type RecallReply } from '../../buffer/write-buffer.js';
import { toReadError } from '../../connection/redis.js';
import { createRecordLoader, type LoadedRow, type RecordLoader } from '../../database/load.js';
import { entryTtlMs } from '../../definitions/entry-ttl.js';
import type { RecordStore } from '../../definitions/stores.js';
import { fieldOf } from '../../keys.js';
import { type ClientContext, leaseMs } from '../context.js';
import { toLoadError } from './load-error.js';
import { type Loaded, type Look, type Recalled, toRecalled } from './one-load.js';

export class RecordEntries<Row> {
  readonly #context: ClientContext;
  readonly #store: RecordStore;
  readonly #load: RecordLoader;

  constructor(context: ClientContext, store: RecordStore) {
    this.#context = context;
    this.#store = store;
    this.#load = createRecordLoader(store, context.database);
  }

  keyOf(idKey: string): string {
    return this.#context.lanes.entryKeyOf(this.#store, idKey);
  }

  async read(idKey: string): Promise<Entry> {
    const { name, group, rows } = this.#store;
    const { redis, breaker } = this.#context;
    try {
      const entry = parseEntry(await breaker.run(() => redis.get(this.keyOf(idKey))));
      if (entry.kind !== 'row' || entry.release === rows.release) return entry;
      // Another release's row is as good as none, unless it is pending: the database knows the fields that it lacks.
      const lane = this.#context.lanes.of(group, idKey);
      await this.#context.buffer.drop(lane, new Map([[fieldOf(name, idKey), entry.version]]));
      return { kind: 'none' };
    } catch (error) {
      throw toReadError(error);
    }
  }

  toRow(entry: Entry): Row | undefined {
    if (entry.kind !== 'row') return undefined;
    const { rows } = this.#store;
    return rows.decode(entry.release === rows.release ? entry.json : rows.adapt(entry.json)) as Row;
  }

  /** What is pending of entries that were missed; else loads them. */
  async recall(idKeys: readonly string[], token: string): Promise<Look<Row>> {
    const recalled = new Map<string, Recalled<Row>>();
    const toRow = (content: string) => this.toRow(parseEntry(content));
    await Promise.all(
      this.#byLane(idKeys).map(async ([lane, keys]) => {
        const replies = await this.#recallOf(lane, keys, token);
        for (const [i, key] of keys.entries()) {
          recalled.set(key, toRecalled(replies[i] as RecallReply, token, toRow));
        }
      }),
    );
    const isLeased = (idKey: string): boolean => recalled.get(idKey)?.kind === 'lease';
    return { recalled, load: (wanted) => this.#loadAndFill(wanted, wanted.filter(isLeased), token) };
  }

  /** What the database has. */
  async load(idKeys: readonly string[]): Promise<Map<string, Row>> {
    const loaded = await this.#loadRows(idKeys);
    return new Map([...loaded].map(([idKey, { row }]) => [idKey, row as Row]));
  }

  async #recallOf(lane: Lane, idKeys: readonly string[], token: string): Promise<RecallReply[]> {
    const { name, ttlMs } = this.#store;
    const fields = idKeys.map((idKey) => fieldOf(name, idKey));
    const { buffer, breaker } = this.#context;
    const options = { token, leaseMs, ttlMs: entryTtlMs(ttlMs, false) };
    try {
      return await breaker.run(() => buffer.recall(lane, fields, options));
    } catch (error) {
      throw toReadError(error);
    }
  }

  async #loadAndFill(
    idKeys: readonly string[],
    leased: readonly string[],
    token: string,
  ): Promise<Loaded<Row>> {
    try {
      const loaded = await this.#loadRows(idKeys);
      await this.#fill(leased, token, (idKey) => this.#toContent(loaded.get(idKey)));
      return new Map(idKeys.map((idKey) => [idKey, loaded.get(idKey)?.row as Row | undefined]));
    } catch (error) {
      await this.#fill(leased, token, () => givenBack);
      throw error;
    }
  }

  async #loadRows(idKeys: readonly string[]): Promise<Map<string, LoadedRow>> {
    try {
      return await this.#load(idKeys);
    } catch (error) {
      throw toLoadError(this.#store.name, error);
    }
  }

  /** A row that can't be cached costs each read a load. */
  #toContent(loaded: LoadedRow | undefined): string {
    const { name, rows } = this.#store;
    try {
      return loadedEntry(loaded && rows.release + rows.encode(loaded.row), loaded?.version);
    } catch (error) {
      this.#context.emit({ type: 'fill.failed', store: name, error });
      return givenBack;
    }
  }

  /** One that fails costs a later read a load; this read has its rows. */
  async #fill(idKeys: readonly string[], token: string, contentOf: (idKey: string) => string): Promise<void> {
    const { name, ttlMs } = this.#store;
    const toFill = (idKey: string): Fill => {
      const content = contentOf(idKey);
      return { field: fieldOf(name, idKey), content, ttlMs: entryTtlMs(ttlMs, content === absentEntry) };
    };
    try {
      await Promise.all(
        this.#byLane(idKeys).map(([lane, keys]) => this.#context.buffer.fill(lane, token, keys.map(toFill))),
      );
    } catch (error) {
      this.#context.emit({ type: 'fill.failed', store: name, error });
    }
  }

  #byLane(idKeys: Iterable<string>): [Lane, string[]][] {
    return [...this.#context.lanes.groupBy(this.#store.group, idKeys)];
  }
}
