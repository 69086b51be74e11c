/**
 * The rows of a record store in the cache: what is pending of those that were missed; else claimed, loaded
 * and filled.
 */
import { type Entry, loadedEntry, parseEntry } from '../../buffer/entry.js';
import type { Lane } from '../../buffer/lane.js';
import type { Claim, Loaded } from '../../cache/reading/port.js';
import { toReadError } from '../../connection/redis.js';
import type { LoadedRow, RecordLoader } from '../../database/load.js';
import { entryTtlMs } from '../../definitions/entry-ttl.js';
import type { RecordStore } from '../../definitions/stores.js';
import { type ClientContext, leaseMs } from '../context.js';
import { inPlace } from '../in-place.js';
import { toLoadError } from './load-error.js';
import { type Claimed, type Description, type Standing, StorePort } from './store-port.js';

/** The row as it was loaded, too: its version goes into the entry. */
interface LoadedRecord<Row> extends Loaded<Row | null> {
  readonly loaded: LoadedRow | undefined;
}

const nothingSeen = {};

export class RecordPort<Row> extends StorePort<Row, object, LoadedRecord<Row>, RecordStore> {
  readonly #load: RecordLoader;

  constructor(context: ClientContext, store: RecordStore) {
    super(context, store);
    this.#load = context.loaders.record(store);
  }

  open(idKey: string, content: string | null): Standing<Row> | Promise<Standing<Row>> {
    const entry = this.toEntry(idKey, content);
    return entry instanceof Promise ? entry.then((one) => this.#standing(one)) : this.#standing(entry);
  }

  describe(content: string | null): Description {
    const entry = parseEntry(content);
    if (entry.kind === 'none') return entry;
    // Another release's row is as good as none.
    if (entry.kind === 'row' && entry.release !== this.store.rows.release) return {};
    return { id: entry.version };
  }

  #standing(entry: Entry): Standing<Row> {
    return entry.kind === 'none'
      ? { ...entry, kind: 'missing' }
      : { kind: 'value', value: this.toRow(entry) };
  }

  /**
   * Another release's row is as good as none, unless it is pending: the database knows the fields that it
   * lacks.
   */
  toEntry(idKey: string, content: string | null): Entry | Promise<Entry> {
    const entry = parseEntry(content);
    if (entry.kind !== 'row' || entry.release === this.store.rows.release) return entry;
    const lane = this.context.lanes.ofRecord(this.store, idKey);
    const dropped = this.context.buffer.drop(lane, new Map([[this.fieldOf(idKey), entry.version]]));
    return dropped.then(
      () => ({ kind: 'none' }),
      (error: unknown) => {
        throw toReadError(error);
      },
    );
  }

  toRow(entry: Entry): Row | null {
    const json = this.toJson(entry);
    return json === undefined ? null : (this.store.rows.decode(json) as Row);
  }

  toJson(entry: Entry): string | undefined {
    if (entry.kind !== 'row') return undefined;
    const { rows } = this.store;
    return entry.release === rows.release ? entry.json : rows.adapt(entry.json, '').json;
  }

  /**
   * @throws ForebayError INVALID_VALUE, VALUE_TOO_LARGE when what the database has can't be cached, and so
   * gets no version
   */
  async checkFit(idKey: string): Promise<void> {
    const loaded = await this.load([{ key: idKey, token: undefined, seen: undefined }]);
    loaded.get(idKey)?.loaded?.toJson();
  }

  async evict(idKey: string): Promise<void> {
    const { redis, breaker } = this.context;
    const unlink = () => breaker.run(() => redis.unlink(this.nameOf(idKey)));
    try {
      await inPlace(this.context, this.store.group, unlink);
    } catch (error) {
      throw toReadError(error);
    }
  }

  protected async claim(
    lane: Lane,
    idKeys: readonly string[],
    token: string,
  ): Promise<Claimed<Row, object>[]> {
    const fields = idKeys.map((idKey) => this.fieldOf(idKey));
    const options = { token, leaseMs, ttlMs: entryTtlMs(this.store.ttlMs, false) };
    const claims = await this.context.buffer.claim(lane, fields, options);
    return claims.map((claim) => {
      if (claim.kind === 'value') return { kind: 'value', value: this.toRow(parseEntry(claim.entry)) };
      if (claim.kind === 'refused') return this.refused(claim, nothingSeen);
      if (claim.kind === 'closed') return { kind: 'refused', seen: nothingSeen };
      return { ...claim, token, seen: nothingSeen };
    });
  }

  async load(claims: readonly Claim<object>[]): Promise<Map<string, LoadedRecord<Row>>> {
    try {
      const loaded = await this.#load(claims.map(({ key }) => key));
      return new Map(claims.map(({ key }) => [key, toLoaded(loaded.get(key))]));
    } catch (error) {
      throw toLoadError(this.store.name, error);
    }
  }

  protected contentOf({ loaded }: LoadedRecord<Row>): string {
    const { rows } = this.store;
    return loadedEntry(loaded && rows.release + loaded.toJson(), loaded?.version);
  }
}

function toLoaded<Row>(loaded: LoadedRow | undefined): LoadedRecord<Row> {
  return { value: (loaded?.row as Row | undefined) ?? null, isProven: true, loaded };
}
