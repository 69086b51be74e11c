/** How a batch's records are written. */
import type { Batch } from '../buffer/batch.js';
import type { Transaction } from '../definitions/record.js';
import type { CounterStore, RecordStore } from '../definitions/stores.js';

/** A generated statement: it takes a JSON array of items, and is run once for a batch. */
export interface Statement {
  readonly sql: string;
  /** Whose records it writes. */
  readonly store: RecordStore | CounterStore;
  /** It is about what the batch's records do to each other: tried with all of them. */
  readonly isOfAll?: true;
  items(batch: Batch): readonly Item[];
}

export interface Item {
  readonly idKey: string;
  readonly json: string;
}

/**
 * Records of a batch whose rows are not as they say, so that their entries are wrong: their versions by
 * field.
 */
export type Outdated = ReadonlyMap<string, string>;

export type FindOutdated = (batch: Batch, tx: Transaction) => Promise<Outdated>;

/** Writes a batch, or a part of one, in a transaction. @throws MissingRow */
export type Write = (batch: Batch, tx: Transaction) => Promise<void>;

/** Thrown for a batch with deltas whose rows do not exist. */
export class MissingRow extends Error {
  override readonly name = 'MissingRow';
}
