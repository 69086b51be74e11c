/** Loads: rows and counters from the database, by id key. */
import type { CounterStore, RecordStore } from '../definitions/stores.js';
import type { Database } from './database.js';
import { counterModel, idJson, matchParts } from './rows-by-id.js';
import { readSql } from './sql-file.js';
import { readTable } from './table.js';

export interface LoadedRow {
  readonly row: object;
  /** Of the store's version column, where somebody has set it; else undefined. */
  readonly version: bigint | undefined;
}

/** Loads rows by id key; ids without a row are left out. */
export type RecordLoader = (idKeys: readonly string[]) => Promise<Map<string, LoadedRow>>;

export function createRecordLoader(store: RecordStore, database: Database): RecordLoader {
  const { source, ids, version } = store;
  const byKey = (rows: readonly object[]): Map<string, LoadedRow> =>
    new Map(rows.map((row) => [ids.toKey(ids.ofRow(row)), toLoaded(row, version)]));
  if (source.kind === 'custom') return async (idKeys) => byKey(await source.load(idKeys));
  const { model, counters } = source;
  const delegate = (database as unknown as Record<string, FindMany>)[model.delegate] as FindMany;
  const fields = Object.keys(model.fields).filter((field) => !counters.includes(field));
  const select = Object.fromEntries(fields.map((field) => [field, true]));
  return async (idKeys) => {
    const wanted = idKeys.map((key) => ids.fromKey(key));
    return byKey(await delegate.findMany({ where: whereId(model.id, wanted), select }));
  };
}

function toLoaded(found: object, field: string | undefined): LoadedRow {
  if (field === undefined) return { row: found, version: undefined };
  const { [field]: version, ...row } = found as Record<string, unknown>;
  return { row, version: (version as bigint) > 0n ? (version as bigint) : undefined };
}

interface FindMany {
  findMany(query: { where: object; select: object }): Promise<object[]>;
}

function whereId(id: readonly string[], wanted: readonly unknown[]): object {
  return id.length === 1 ? { [id[0] as string]: { in: wanted } } : { OR: wanted };
}

/** Counters' values by id key, with the last applied batch of their lane, read at one point. */
export interface LoadedCounters {
  readonly batch: bigint | undefined;
  /** Without the ids that have no row. */
  readonly values: ReadonlyMap<string, bigint>;
}

export type CounterLoader = (ledgerLane: string, idKeys: readonly string[]) => Promise<LoadedCounters>;

export function createCounterLoader(store: CounterStore, database: Database): CounterLoader {
  return store.source.kind === 'custom'
    ? customCounterLoader(store.source, database)
    : modelCounterLoader(store, database);
}

function customCounterLoader(
  source: Extract<CounterStore['source'], { kind: 'custom' }>,
  database: Database,
): CounterLoader {
  return (lane, idKeys) =>
    database.$transaction(
      async (tx) => {
        const ledger = await tx.$queryRawUnsafe<{ batch: string }[]>(readSql('read-ledger'), lane);
        const values = await source.load(idKeys, tx);
        return { batch: toBatch(ledger[0]?.batch), values };
      },
      { isolationLevel: 'RepeatableRead' },
    );
}

function modelCounterLoader(store: CounterStore, database: Database): CounterLoader {
  let prepared: Promise<string> | undefined;
  return async (lane, idKeys) => {
    prepared ??= readCountersSql(store, database).catch((error: unknown) => {
      prepared = undefined;
      throw error;
    });
    const model = counterModel(store);
    const wanted = idKeys.map((key) => ({ ...idJson(store, model, key), _key: key }));
    const rows = await database.$queryRawUnsafe<
      { key: string; value: string | null; batch: string | null }[]
    >(await prepared, JSON.stringify(wanted), lane);
    const values = rows.flatMap(({ key, value }): [string, bigint][] =>
      value === null ? [] : [[key, BigInt(value)]],
    );
    return { batch: toBatch(rows[0]?.batch), values: new Map(values) };
  };
}

async function readCountersSql(store: CounterStore, database: Database): Promise<string> {
  const model = counterModel(store);
  const table = await readTable(model, database);
  const field = (store.source as { field: string }).field;
  return readSql('read-counters', {
    table: table.name,
    column: table.columns([field])[0] as string,
    ...matchParts(model, table),
  });
}

function toBatch(text: string | null | undefined): bigint | undefined {
  return text === null || text === undefined ? undefined : BigInt(text);
}
