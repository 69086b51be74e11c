/**
 * Rows that another release of the definitions has written, made rows of this one before they are written.
 */
import { type Batch, type PutRecord, type RowBatch, rowsOf } from '../buffer/batch.js';
import type { RecordStore } from '../definitions/stores.js';
import { ForebayError, messageOf } from '../errors.js';
import { fieldOf, splitField } from '../keys.js';

export interface AdaptedBatch {
  readonly batch: Batch;
  /** Rows that can't be, by field, and why. */
  readonly unfit: ReadonlyMap<string, string>;
}

export function adaptBatch(stores: readonly RecordStore[], batch: Batch): AdaptedBatch {
  const unfit = new Map<string, string>();
  if (stores.every((store) => rowsOf(batch, store).otherReleases.size === 0)) return { batch, unfit };
  const rows = new Map(stores.map((store) => [store.name, adaptRows(store, rowsOf(batch, store), unfit)]));
  return { batch: { ...batch, rows }, unfit };
}

function adaptRows(store: RecordStore, rows: RowBatch, unfit: Map<string, string>): RowBatch {
  const puts = rows.puts.flatMap((put): PutRecord[] => {
    if (!rows.otherReleases.has(put.idKey)) return [put];
    try {
      return [adapted(put, store)];
    } catch (error) {
      unfit.set(fieldOf(store.name, put.idKey), messageOf(error));
      return [];
    }
  });
  return { ...rows, puts, otherReleases: new Set() };
}

function adapted({ idKey, json, version, mark = '' }: PutRecord, { rows }: RecordStore): PutRecord {
  return { idKey, version, ...rows.adapt(json, mark) };
}

/** Refuses the batch; which rows are to blame is found out as for any other. */
export function unfitRows(unfit: ReadonlyMap<string, string>): ForebayError {
  const [[field, why] = ['', '']] = unfit;
  const { store } = splitField(field);
  return new ForebayError(
    'INVALID_VALUE',
    `${unfit.size} rows were written by another release of their definition, and can't be adapted. One of store "${store}": ${why}`,
    { context: { store } },
  );
}
