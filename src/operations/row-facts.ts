/** The row of a record, or the value of a counter, as the database has it. */
import type { Database } from '../database/database.js';
import { createCounterLoader, createRecordLoader } from '../database/load.js';
import { shownFields } from '../definitions/private-fields.js';
import type { CounterStore, RecordStore } from '../definitions/stores.js';
import { isWriter } from '../definitions/writer.js';
import { messageOf } from '../errors.js';
import { ledgerLane } from '../keys.js';
import type { Place } from './places.js';
import type { WhereDependencies } from './where.js';

export interface RowFacts {
  readonly isThere: boolean;
  /** Of the version column, where the store has one. */
  readonly version?: string;
  /** As JSON, without private fields. */
  readonly text?: string;
  /** Why it could not be read. */
  readonly error?: string;
}

/** Undefined where nobody knows how to look for it. */
export async function rowFacts(
  { definition, idKey, lane }: Place,
  { database, prefix, stores }: WhereDependencies,
): Promise<RowFacts | undefined> {
  if (definition === undefined || database === undefined) return undefined;
  // A writer writes to where only it knows.
  if (isWriter(stores?.definitions[definition.name] ?? {})) return undefined;
  try {
    return definition.kind === 'record'
      ? await recordRow(definition, database, idKey)
      : await counterRow(definition, database, { idKey, ledger: ledgerLane(prefix, lane.name) });
  } catch (error) {
    return { isThere: false, error: messageOf(error) };
  }
}

async function recordRow(store: RecordStore, database: Database, idKey: string): Promise<RowFacts> {
  const loaded = (await createRecordLoader(store, database)([idKey])).get(idKey);
  if (loaded === undefined) return { isThere: false };
  const { row, version } = loaded;
  return {
    isThere: true,
    text: toText(shownFields(row, store)),
    ...(version !== undefined && { version: `${version}` }),
  };
}

async function counterRow(
  store: CounterStore,
  database: Database,
  { idKey, ledger }: { idKey: string; ledger: string },
): Promise<RowFacts> {
  const value = (await createCounterLoader(store, database)(ledger, [idKey])).values.get(idKey);
  return value === undefined ? { isThere: false } : { isThere: true, text: `${value}` };
}

function toText(fields: object): string {
  return JSON.stringify(fields, (_name, value: unknown) => {
    if (typeof value === 'bigint') return `${value}`;
    return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value;
  });
}
