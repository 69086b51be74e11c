/** Loads: rows and counters from the database, by id key. */
import type { Field } from '../definitions/model.js';
import type { ModelSource } from '../definitions/record.js';
import type { CounterStore, RecordStore } from '../definitions/stores.js';
import type { Database } from './database.js';
import { ledgerName } from './names.js';
import { counterModel, idJson, matchParts } from './rows-by-id.js';
import { readSql } from './sql-file.js';
import { readTable } from './table.js';
import { inTransaction } from './transaction.js';

export interface LoadedRow {
  readonly row: object;
  /** Of the store's version column, where somebody has set it; else undefined. */
  readonly version: bigint | undefined;
  /**
   * The row's JSON, for the cache. @throws ForebayError INVALID_VALUE, VALUE_TOO_LARGE: it can't be cached
   */
  toJson(): string;
}

/** Loads rows by id key; ids without a row are left out. */
export type RecordLoader = (idKeys: readonly string[]) => Promise<Map<string, LoadedRow>>;

/** How the rows and counters of a store are loaded. */
export interface Loaders {
  record(store: RecordStore): RecordLoader;
  counter(store: CounterStore): CounterLoader;
}

export function createLoaders(database: Database): Loaders {
  return {
    record: (store) => createRecordLoader(store, database),
    counter: (store) => createCounterLoader(store, database),
  };
}

export function createRecordLoader(store: RecordStore, database: Database): RecordLoader {
  const { source } = store;
  return source.kind === 'custom' ? customLoader(store, source) : modelLoader(store, source, database);
}

function customLoader(
  { ids, rows }: RecordStore,
  source: Extract<RecordStore['source'], { kind: 'custom' }>,
): RecordLoader {
  return async (idKeys) => {
    const found = await source.load(idKeys);
    return new Map(
      found.map((row) => [
        ids.toKey(ids.ofRow(row)),
        { row, version: undefined, toJson: () => rows.encode(row) },
      ]),
    );
  };
}

/** Postgres writes the rows out itself: nothing of them is lost on the way into the cache. */
function modelLoader(store: RecordStore, { model }: ModelSource, database: Database): RecordLoader {
  const { rows } = store;
  const prepared = once(() => readRowsSql(store, database));
  return async (idKeys) => {
    const wanted = idKeys.map((key) => ({ ...idJson(store, model, key), _key: key }));
    const found = await database.$queryRawUnsafe<{ key: string; json: string; version: string | null }[]>(
      await prepared(),
      JSON.stringify(wanted),
    );
    return new Map(
      found.map(({ key, json, version }) => [
        key,
        { row: rows.decode(json) as object, version: toVersion(version), toJson: () => rows.checked(json) },
      ]),
    );
  };
}

function toVersion(text: string | null): bigint | undefined {
  const version = BigInt(text ?? 0);
  return version > 0n ? version : undefined;
}

async function readRowsSql(store: RecordStore, database: Database): Promise<string> {
  const { model, counters } = store.source as ModelSource;
  const table = await readTable(model, database);
  const without = [...counters, store.version];
  const fields = Object.keys(model.fields).filter((field) => !without.includes(field));
  const columnOf = (field: string): string => `t.${table.columns([field])[0]}`;
  return readSql('read-rows', {
    table: table.name,
    values: fields
      .map(
        (field) =>
          `${jsonExpression(model.fields[field] as Field, columnOf(field), table.typeOf(field))} AS "${field}"`,
      )
      .join(', '),
    version: store.version === undefined ? 'NULL' : `${columnOf(store.version)}::text`,
    ...matchParts(model, table),
  });
}

/**
 * A column as the row codec reads it: numbers beyond JavaScript's as texts, and so JSON that is no object or
 * array.
 */
function jsonExpression({ type, isList }: Field, column: string, columnType: string): string {
  const list = isList ? '[]' : '';
  if (type === 'BigInt') return `${column}::text${list}`;
  if (type === 'Decimal') return `${column}::numeric${list}::text${list}`;
  if (columnType.startsWith('oid')) return `${column}::bigint${list}`;
  if (type !== 'Json') return column;
  if (!isList) return jsonText(column, "'object', 'array'");
  return `CASE WHEN ${column} IS NOT NULL THEN coalesce((SELECT json_agg(${jsonText('e.item', "'object'")} ORDER BY e.place)
    FROM unnest(${column}) WITH ORDINALITY AS e(item, place)), '[]') END`;
}

/** @param themselves kinds of JSON that need not be a text */
function jsonText(value: string, themselves: string): string {
  return `CASE WHEN json_typeof(${value}::json) IN (${themselves}) THEN ${value}::json ELSE to_json(${value}::text) END`;
}

/** What `make` gives, made once it succeeds. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}

/** Counters' values by id key, with the last applied batch of their lane, read at one point. */
export interface LoadedCounters {
  readonly batch: bigint | undefined;
  /** Batches of the lane, of any age, of which nothing was applied. */
  readonly voids?: ReadonlySet<bigint>;
  /** Without the ids that have no row. */
  readonly values: ReadonlyMap<string, bigint>;
}

interface LedgerRow {
  readonly batch: string | null;
  readonly voids: string | null;
}

function fromLedger(row: LedgerRow | undefined): Pick<LoadedCounters, 'batch' | 'voids'> {
  const voids = row?.voids?.split(' ').filter(Boolean).map(BigInt) ?? [];
  return { batch: toBatch(row?.batch), voids: new Set(voids) };
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
  const readLedger = readSql('read-ledger', { ledger: ledgerName(database) });
  return (lane, idKeys) =>
    inTransaction(
      database,
      async (tx) => {
        const ledger = await tx.$queryRawUnsafe<LedgerRow[]>(readLedger, lane);
        const values = await source.load(idKeys, tx);
        return { ...fromLedger(ledger[0]), values };
      },
      { isolationLevel: 'RepeatableRead' },
    );
}

function modelCounterLoader(store: CounterStore, database: Database): CounterLoader {
  const prepared = once(() => readCountersSql(store, database));
  return async (lane, idKeys) => {
    const model = counterModel(store);
    const wanted = idKeys.map((key) => ({ ...idJson(store, model, key), _key: key }));
    const rows = await database.$queryRawUnsafe<(LedgerRow & { key: string; value: string | null })[]>(
      await prepared(),
      JSON.stringify(wanted),
      lane,
    );
    const values = rows.flatMap(({ key, value }): [string, bigint][] =>
      value === null ? [] : [[key, BigInt(value)]],
    );
    return { ...fromLedger(rows[0]), values: new Map(values) };
  };
}

async function readCountersSql(store: CounterStore, database: Database): Promise<string> {
  const model = counterModel(store);
  const table = await readTable(model, database);
  const field = (store.source as { field: string }).field;
  return readSql('read-counters', {
    table: table.name,
    ledger: ledgerName(database),
    column: table.columns([field])[0] as string,
    ...matchParts(model, table),
  });
}

function toBatch(text: string | null | undefined): bigint | undefined {
  return text === null || text === undefined ? undefined : BigInt(text);
}
