/**
 * A sealed batch as a worker sees it: the lane's records by their stores, sorted into deletes, puts and
 * deltas.
 */
import { splitRelease } from '../definitions/release.js';
import type { LaneGroup, RecordStore } from '../definitions/stores.js';
import { fieldOf, splitField } from '../keys.js';

export interface PutRecord {
  readonly idKey: string;
  readonly json: string;
  readonly version: string;
  /** What it leaves of a row that is there (see `parseMark`); undefined: nothing. */
  readonly mark?: string;
}

export interface Delta {
  readonly idKey: string;
  readonly delta: string;
}

/** A record store's part of a batch. */
export interface RowBatch {
  /** Id keys of rows to delete, before anything is put; sorted. */
  readonly deletes: readonly string[];
  /** Rows to put, sorted by id key. */
  readonly puts: readonly PutRecord[];
  /** Versions of the records by id key. */
  readonly versions: ReadonlyMap<string, string>;
  /** Id keys of puts that another release of the store's definition has written. */
  readonly otherReleases: ReadonlySet<string>;
}

export interface Batch {
  readonly lane: string;
  /** Grows from batch to batch of a lane; µs since 1970, about. */
  readonly number: string;
  /** How many records and counters the batch holds. */
  readonly size: number;
  /** By record store. */
  readonly rows: ReadonlyMap<string, RowBatch>;
  /** Deltas that are not zero, by counter store; sorted by id key. */
  readonly deltas: ReadonlyMap<string, readonly Delta[]>;
  /** What the lane said when it gave the batch. */
  readonly sealing?: Sealing;
}

export interface Sealing {
  /** Of the lane. */
  readonly generation: string;
  /** The version up to which everything is in the database once the batch is; undefined: not known. */
  readonly persisted: string | undefined;
  /** Its records were tried before: they wait for others' rows. */
  readonly isRetry: boolean;
  /** How long ago, in ms, the oldest of its records became dirty; undefined: all have waited. */
  readonly ageMs: number | undefined;
}

const noRows: RowBatch = { deletes: [], puts: [], versions: new Map(), otherReleases: new Set() };

/** What a batch has of a store's rows. */
export function rowsOf({ rows }: Batch, { name }: Pick<RecordStore, 'name'>): RowBatch {
  return rows.get(name) ?? noRows;
}

/** Sorts what `seal` returned: field, record, field, record, … */
export function parseBatch(lane: string, group: LaneGroup, number: string, sealed: readonly string[]): Batch {
  const deltas = new Map<string, Delta[]>(group.counters.map((counter) => [counter.name, []]));
  const rows = new Map(group.records.map((store) => [store.name, new RowRecords(store)]));
  for (let i = 0; i < sealed.length; i += 2) {
    const { store, idKey } = splitField(sealed[i] as string);
    const record = sealed[i + 1] as string;
    const counterDeltas = deltas.get(store);
    if (counterDeltas === undefined) rows.get(store)?.add(idKey, record);
    else if (record !== '0') counterDeltas.push({ idKey, delta: record });
  }
  for (const list of deltas.values()) list.sort(byIdKey);
  for (const records of rows.values()) records.sort();
  return { lane, number, size: sealed.length / 2, rows, deltas };
}

/** The records of a store's rows, by what is to be done. */
class RowRecords implements RowBatch {
  readonly deletes: string[] = [];
  readonly puts: PutRecord[] = [];
  readonly versions = new Map<string, string>();
  readonly otherReleases = new Set<string>();
  readonly #release: string;

  constructor({ rows }: RecordStore) {
    this.#release = rows.release;
  }

  add(idKey: string, record: string): void {
    const kind = record[0];
    const bar = record.indexOf('|');
    if (kind !== 'P') this.deletes.push(idKey);
    if (kind !== 'D') {
      const { release, mark, json } = splitRelease(record, bar + 1);
      this.puts.push({ idKey, json, version: record.slice(1, bar), ...(mark === '' ? {} : { mark }) });
      if (release !== this.#release) this.otherReleases.add(idKey);
    }
    this.versions.set(idKey, record.slice(1, bar));
  }

  sort(): void {
    this.deletes.sort();
    this.puts.sort(byIdKey);
  }
}

/** Of what it writes: `store:idKey`. */
export function fieldsOf({ rows, deltas }: Batch): string[] {
  const ofRows = [...rows].flatMap(([store, { deletes, puts }]) =>
    [...deletes, ...puts.map(({ idKey }) => idKey)].map((idKey) => fieldOf(store, idKey)),
  );
  const ofDeltas = [...deltas].flatMap(([store, list]) => list.map(({ idKey }) => fieldOf(store, idKey)));
  return [...ofRows, ...ofDeltas];
}

/** The part of a batch that a test of its records' stores and id keys finds, under the same number. */
export function partOf(batch: Batch, isMeant: (store: string, idKey: string) => boolean): Batch {
  const deltas = new Map(
    [...batch.deltas].map(([store, list]) => [store, list.filter(({ idKey }) => isMeant(store, idKey))]),
  );
  const rows = new Map(
    [...batch.rows].map(([store, part]): [string, RowBatch] => [
      store,
      {
        ...part,
        deletes: part.deletes.filter((idKey) => isMeant(store, idKey)),
        puts: part.puts.filter(({ idKey }) => isMeant(store, idKey)),
      },
    ]),
  );
  return { ...batch, rows, deltas };
}

// One order for all statements, so that two batches never lock the same rows crosswise.
function byIdKey(a: { idKey: string }, b: { idKey: string }): number {
  return a.idKey < b.idKey ? -1 : 1;
}
