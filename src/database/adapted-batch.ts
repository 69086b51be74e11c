/**
 * Rows that another release of the definitions has written, made rows of this one before they are written.
 */
import type { Batch, PutRecord } from '../buffer/batch.js';
import type { RecordStore } from '../definitions/stores.js';
import { ForebayError, messageOf } from '../errors.js';

export interface AdaptedBatch {
  readonly batch: Batch;
  /** Rows that can't be, by id key, and why. */
  readonly unfit: ReadonlyMap<string, string>;
}

export function adaptBatch(store: RecordStore | undefined, batch: Batch): AdaptedBatch {
  const unfit = new Map<string, string>();
  if (store === undefined || batch.otherReleases.size === 0) return { batch, unfit };
  const puts = batch.puts.flatMap((put): PutRecord[] => {
    if (!batch.otherReleases.has(put.idKey)) return [put];
    try {
      return [adapted(put, store)];
    } catch (error) {
      unfit.set(put.idKey, messageOf(error));
      return [];
    }
  });
  return { batch: { ...batch, puts, otherReleases: new Set() }, unfit };
}

/**
 * An update's mark names fields of its release: the row is written whole. A put's still says what it leaves.
 */
function adapted({ idKey, json, version, mark = '' }: PutRecord, { rows }: RecordStore): PutRecord {
  const row = { idKey, json: rows.adapt(json), version };
  return mark.startsWith(';!') ? { ...row, mark } : row;
}

/** Refuses the batch; which rows are to blame is found out as for any other. */
export function unfitRows(store: RecordStore, unfit: ReadonlyMap<string, string>): ForebayError {
  const [first] = unfit.values();
  return new ForebayError(
    'INVALID_VALUE',
    `${unfit.size} rows of store "${store.name}" were written by another release of its definition, and can't be adapted: ${first}`,
    { context: { store: store.name } },
  );
}
