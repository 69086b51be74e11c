/**
 * Persisters: how the batches of a group of stores are written. For models the SQL is generated, one statement for the
 * deletes, two for the puts and one for each counter's deltas; stores with a persist of their own are called.
 */
import type { Batch } from '../buffer/batch.js';
import type { Model } from '../definitions/model.js';
import type { ModelSource, Transaction } from '../definitions/record.js';
import type { CounterStore, LaneGroup, RecordStore } from '../definitions/stores.js';
import { adaptBatch, unfitRows } from './adapted-batch.js';
import { counterModel, idJson, matchParts, ofRecordset } from './rows-by-id.js';
import { readSql } from './sql-file.js';
import { type FindOvertaken, type Item, MissingRow, type Statement, type Write } from './statement.js';
import { readTable, type Table } from './table.js';
import { findByHalves, findOneByOne, type Refusal, unitFields } from './trial.js';
import { onlyNewer, onlyOlder, onlyOlderAction, withVersions } from './version-column.js';

export interface Persister {
  readonly write: Write;
  /** Tries all records one by one or in parts, and undoes that: those that the database refuses, of a batch that it refused. */
  findRefused(batch: Batch, tx: Transaction): Promise<Refusal[]>;
  /** To be called after `write`, in its transaction. */
  readonly findOvertaken: FindOvertaken;
}

/** @throws ForebayError DATABASE_NOT_READY when a table or column is not there */
export async function createPersister(group: LaneGroup, database: Transaction): Promise<Persister> {
  const custom = customWrite(group);
  if (custom) {
    return {
      write: custom,
      findRefused: (batch, tx) => findByHalves(group, batch, tx, custom),
      findOvertaken: nothingOvertaken,
    };
  }
  const statements = group.record ? await recordStatements(group.record, database) : [];
  for (const counter of group.counters) statements.push(await counterStatement(counter, database));
  return {
    write: (given, tx) => {
      const { batch, unfit } = adaptBatch(group.record, given);
      if (unfit.size > 0) throw unfitRows(group.record as RecordStore, unfit);
      return runStatements(statements, batch, tx);
    },
    findRefused: async (given, tx) => {
      const { batch, unfit } = adaptBatch(group.record, given);
      return [...refusalsOf(group, given, unfit), ...(await findOneByOne(group, statements, batch, tx))];
    },
    findOvertaken: group.record ? await overtakenFinder(group.record, database) : nothingOvertaken,
  };
}

function refusalsOf(group: LaneGroup, batch: Batch, unfit: ReadonlyMap<string, string>): Refusal[] {
  return [...unfit].map(([idKey, message]) => {
    const fields = unitFields(group, batch, idKey);
    return { fields, letter: fields[0] as string, state: '', message };
  });
}

async function runStatements(statements: readonly Statement[], batch: Batch, tx: Transaction): Promise<void> {
  for (const { sql, store, items } of statements) {
    const given = items(batch);
    if (given.length === 0) continue;
    // The items are JSON already: joined, not parsed.
    const found = await tx.$executeRawUnsafe(sql, `[${given.map(({ json }) => json).join(',')}]`);
    if (store.kind === 'counter' && found < given.length)
      throw new MissingRow(`${given.length - found} rows of counters of store ${store.name} do not exist.`);
  }
}

/** The write of a store with a persist of its own. */
function customWrite({ record, counters: [counter] }: LaneGroup): Write | undefined {
  if (record?.source.kind === 'custom') return customRecordWrite(record, record.source);
  if (counter?.source.kind === 'custom') return customCounterWrite(counter, counter.source);
  return undefined;
}

function customRecordWrite(
  store: RecordStore,
  source: Extract<RecordStore['source'], { kind: 'custom' }>,
): Write {
  return async ({ lane, number, deletes, puts }, tx) => {
    const rows = puts.map(({ json }) => store.rows.decode(json));
    if (deletes.length + rows.length > 0)
      await source.persist({ lane, number: BigInt(number), deletes, puts: rows }, tx);
  };
}

function customCounterWrite(
  store: CounterStore,
  source: Extract<CounterStore['source'], { kind: 'custom' }>,
): Write {
  return async (batch, tx) => {
    const deltas = (batch.deltas.get(store.name) ?? []).map(({ idKey, delta }) => ({
      id: idKey,
      delta: BigInt(delta),
    }));
    if (deltas.length > 0) await source.persist(deltas, tx);
  };
}

async function recordStatements(store: RecordStore, database: Transaction): Promise<Statement[]> {
  const { model, counters } = store.source as ModelSource;
  const table = await readTable(model, database);
  const fields = Object.keys(model.fields).filter((field) => !counters.includes(field));
  const uniqueFields = fields.filter(
    (field) => table.uniqueFields.includes(field) && field !== store.version,
  );
  const replaced = fields.filter((field) => !model.id.includes(field) && !uniqueFields.includes(field));
  const upsert = readSql('upsert', {
    table: table.name,
    columns: table.columns(fields).join(', '),
    fields: fields.map(ofRecordset).join(', '),
    recordset: table.recordset(fields),
    key: table.columns(model.id).join(', '),
    action: conflictAction(table.columns(replaced)) + onlyOlderAction(store, table),
  });
  const puts = (sql: string): Statement => ({
    sql,
    store,
    items: ({ puts, versions }) => withVersions(store, puts, versions),
  });
  const idItem = (idKey: string): Item => ({ idKey, json: JSON.stringify(idJson(store, model, idKey)) });
  return [
    {
      sql: readSql('delete', { table: table.name, ...onlyOlder(store, table, matchParts(model, table)) }),
      store,
      items: ({ deletes, versions }) => withVersions(store, deletes.map(idItem), versions),
    },
    ...uniqueFields.flatMap((field) => {
      const sql = parkUniqueSql(store, table, field);
      return sql === undefined ? [] : [{ ...puts(sql), isOfAll: true } as const];
    }),
    ...(uniqueFields.length > 0 ? [puts(updateUniqueSql(store, table, uniqueFields))] : []),
    puts(upsert),
  ];
}

async function overtakenFinder(store: RecordStore, database: Transaction): Promise<FindOvertaken> {
  const { version } = store;
  if (version === undefined) return nothingOvertaken;
  const { model } = store.source as ModelSource;
  const table = await readTable(model, database);
  const found = onlyNewer(version, table, matchParts(model, table));
  const sql = readSql('read-overtaken', { table: table.name, ...found });
  return async ({ versions }, tx) => {
    const records = [...versions].map(([key, text]) => ({
      ...idJson(store, model, key),
      [version]: text,
      _key: key,
    }));
    if (records.length === 0) return undefined;
    const rows = await tx.$queryRawUnsafe<{ key: string }[]>(sql, JSON.stringify(records));
    const overtaken = rows.map(({ key }) => [key, versions.get(key) as string] as const);
    return rows.length === 0 ? undefined : { store: store.name, versions: new Map(overtaken) };
  };
}

const nothingOvertaken: FindOvertaken = async () => undefined;

/** Undefined for a type without a value that nobody wants: rows can't swap such values in one batch. */
function parkUniqueSql(store: RecordStore, table: Table, field: string): string | undefined {
  const { model } = store.source as ModelSource;
  const parked = parkedValue(table, model, field);
  if (parked === undefined) return undefined;
  const { recordset, match } = onlyOlder(store, table, matchParts(model, table));
  const others = table.columns(model.id).map((column, i) => `t.${column} <> w."${model.id[i]}"`);
  return readSql('park-unique', {
    table: table.name,
    column: table.columns([field])[0] as string,
    field: `"${field}"`,
    parked,
    recordset: `${recordset}, ${table.recordset([field])}`,
    match,
    others: others.join(' OR '),
  });
}

function parkedValue(table: Table, model: Model, field: string): string | undefined {
  const type = table.typeOf(field);
  if (model.fields[field]?.isNullable) return 'NULL';
  if (type === 'uuid') return 'gen_random_uuid()';
  return /^(text|character)/.test(type) ? `gen_random_uuid()::text::${type}` : undefined;
}

function updateUniqueSql(store: RecordStore, table: Table, fields: readonly string[]): string {
  const { model } = store.source as ModelSource;
  const pairs = table.columns(fields).map((column, i) => [column, ofRecordset(fields[i] as string)] as const);
  return readSql('update-unique', {
    table: table.name,
    updates: pairs.map(([column, value]) => `${column} = ${value}`).join(', '),
    ...onlyOlder(store, table, {
      recordset: table.recordset([...model.id, ...fields]),
      match: matchParts(model, table).match,
    }),
    differs: pairs.map(([column, value]) => `t.${column} IS DISTINCT FROM ${value}`).join(' OR '),
  });
}

function conflictAction(columns: readonly string[]): string {
  if (columns.length === 0) return 'DO NOTHING';
  return `DO UPDATE SET ${columns.map((column) => `${column} = excluded.${column}`).join(', ')}`;
}

async function counterStatement(store: CounterStore, database: Transaction): Promise<Statement> {
  const { source } = store as { source: { field: string } };
  const model = counterModel(store);
  const table = await readTable(model, database);
  return {
    sql: addSql(store, model, table, source.field),
    store,
    items: (batch) =>
      (batch.deltas.get(store.name) ?? []).map(({ idKey, delta }) => ({
        idKey,
        json: JSON.stringify({ ...idJson(store, model, idKey), _delta: delta }),
      })),
  };
}

function addSql(store: CounterStore, model: Model, table: Table, field: string): string {
  const column = table.columns([field])[0] as string;
  if (store.record || !canInsertById(model, field)) {
    return readSql('add', { table: table.name, column, ...matchParts(model, table) });
  }
  return readSql('insert-or-add', {
    table: table.name,
    column,
    initial: String(store.initial),
    columns: table.columns(model.id).join(', '),
    fields: model.id.map(ofRecordset).join(', '),
    recordset: table.recordset(model.id),
  });
}

/** Whether a row can be made of its id and the counter alone. */
function canInsertById(model: Model, counter: string): boolean {
  return Object.entries(model.fields).every(
    ([name, field]) =>
      name === counter || model.id.includes(name) || field.isNullable || field.hasDatabaseDefault,
  );
}
