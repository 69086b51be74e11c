/**
 * Persisters: how the batches of a group of stores are written. For models the SQL is generated, one statement for the
 * deletes, one for the puts and one for each counter's deltas; stores with a persist of their own are called.
 */
import type { Batch, Delta } from '../buffer/batch.js';
import type { Field, Model } from '../definitions/model.js';
import type { Transaction } from '../definitions/record.js';
import type { CounterStore, LaneGroup, RecordStore } from '../definitions/stores.js';
import { readSql } from './sql-file.js';
import { readTable, type Table } from './table.js';

export interface MissingRows {
  readonly store: string;
  readonly count: number;
}

/** Writes a batch in a transaction; returns the deltas that found no row. */
export type Persister = (batch: Batch, tx: Transaction) => Promise<MissingRows[]>;

type Step = (batch: Batch, tx: Transaction) => Promise<MissingRows | undefined>;

/** @throws ForebayError DATABASE_NOT_READY when a table or column is not there */
export async function createPersister(group: LaneGroup, database: Transaction): Promise<Persister> {
  const steps = group.record ? await recordSteps(group.record, database) : [];
  for (const counter of group.counters) steps.push(await counterStep(counter, database));
  return async (batch, tx) => {
    const missing: MissingRows[] = [];
    for (const step of steps) {
      const result = await step(batch, tx);
      if (result) missing.push(result);
    }
    return missing;
  };
}

async function recordSteps(store: RecordStore, database: Transaction): Promise<Step[]> {
  const { source } = store;
  if (source.kind === 'custom') return [customRecordStep(store, source)];
  const table = await readTable(source.model, database);
  return [deleteStep(store, source.model, table), putStep(source, table)];
}

function customRecordStep(
  store: RecordStore,
  source: Extract<RecordStore['source'], { kind: 'custom' }>,
): Step {
  return async (batch, tx) => {
    if (batch.deletes.length + batch.puts.length === 0) return undefined;
    const puts = batch.puts.map(({ json }) => store.rows.decode(json));
    await source.persist(
      { lane: batch.lane, number: BigInt(batch.number), deletes: batch.deletes, puts },
      tx,
    );
    return undefined;
  };
}

function deleteStep(store: RecordStore, model: Model, table: Table): Step {
  const sql = readSql('delete', { table: table.name, ...matchParts(model, table) });
  return async ({ deletes }, tx) => {
    if (deletes.length > 0)
      await tx.$executeRawUnsafe(sql, JSON.stringify(deletes.map((key) => idJson(store, model, key))));
    return undefined;
  };
}

function putStep(source: { model: Model; counters: readonly string[] }, table: Table): Step {
  const { model } = source;
  const fields = Object.keys(model.fields).filter((field) => !source.counters.includes(field));
  const uniqueFields = fields.filter((field) => table.uniqueFields.includes(field));
  const replaced = fields.filter((field) => !model.id.includes(field) && !uniqueFields.includes(field));
  const upsert = readSql('upsert', {
    table: table.name,
    columns: table.columns(fields).join(', '),
    fields: fields.map(ofRecordset).join(', '),
    recordset: table.recordset(fields),
    key: table.columns(model.id).join(', '),
    action: conflictAction(table.columns(replaced)),
  });
  const statements =
    uniqueFields.length > 0 ? [updateUniqueSql(model, table, uniqueFields), upsert] : [upsert];
  return async ({ puts }, tx) => {
    if (puts.length === 0) return undefined;
    // The rows are JSON already: joined, not parsed.
    const rows = `[${puts.map(({ json }) => json).join(',')}]`;
    for (const statement of statements) await tx.$executeRawUnsafe(statement, rows);
    return undefined;
  };
}

function updateUniqueSql(model: Model, table: Table, fields: readonly string[]): string {
  const pairs = table.columns(fields).map((column, i) => [column, ofRecordset(fields[i] as string)] as const);
  return readSql('update-unique', {
    table: table.name,
    updates: pairs.map(([column, value]) => `${column} = ${value}`).join(', '),
    recordset: table.recordset([...model.id, ...fields]),
    match: matchParts(model, table).match,
    differs: pairs.map(([column, value]) => `t.${column} IS DISTINCT FROM ${value}`).join(' OR '),
  });
}

function conflictAction(columns: readonly string[]): string {
  if (columns.length === 0) return 'DO NOTHING';
  return `DO UPDATE SET ${columns.map((column) => `${column} = excluded.${column}`).join(', ')}`;
}

async function counterStep(store: CounterStore, database: Transaction): Promise<Step> {
  const { source } = store;
  if (source.kind === 'custom') {
    return onDeltas(store, async (deltas, tx) => {
      await source.persist(
        deltas.map(({ idKey, delta }) => ({ id: idKey, delta: BigInt(delta) })),
        tx,
      );
      return undefined;
    });
  }
  const model = counterModel(store);
  const table = await readTable(model, database);
  const sql = addSql(store, model, table, source.field);
  return onDeltas(store, async (deltas, tx) => {
    const rows = deltas.map(({ idKey, delta }) => ({ ...idJson(store, model, idKey), _delta: delta }));
    const found = await tx.$executeRawUnsafe(sql, JSON.stringify(rows));
    return found === deltas.length ? undefined : { store: store.name, count: deltas.length - found };
  });
}

function onDeltas(
  store: CounterStore,
  persist: (deltas: readonly Delta[], tx: Transaction) => Promise<MissingRows | undefined>,
): Step {
  return async (batch, tx) => {
    const deltas = batch.deltas.get(store.name) ?? [];
    return deltas.length > 0 ? persist(deltas, tx) : undefined;
  };
}

/** The model whose column a counter is. */
export function counterModel(store: CounterStore): Model {
  const { source } = store;
  if (source.kind === 'model') return source.model;
  if (source.kind === 'record' && source.of.source.kind === 'model') return source.of.source.model;
  throw new Error(`Store ${store.name} has no model.`);
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

/** The parts of a statement that finds rows by id. */
export function matchParts(model: Model, table: Table): { recordset: string; match: string } {
  const columns = table.columns(model.id);
  return {
    recordset: table.recordset(model.id),
    match: model.id.map((field, i) => `t.${columns[i]} = ${ofRecordset(field)}`).join(' AND '),
  };
}

const ofRecordset = (field: string): string => `r."${field}"`;

/** An id as a JSON object keyed by field name, for `json_to_recordset`. */
export function idJson(
  store: RecordStore | CounterStore,
  model: Model,
  idKey: string,
): Record<string, unknown> {
  const id = store.ids.fromKey(idKey);
  const fields = model.id.length === 1 ? { [model.id[0] as string]: id } : (id as Record<string, unknown>);
  return Object.fromEntries(
    Object.entries(fields).map(([name, part]) => [name, idPartJson(model.fields[name], part)]),
  );
}

function idPartJson(field: Field | undefined, part: unknown): unknown {
  if (field?.type === 'Enum') return field.enumValues?.[part as string];
  return typeof part === 'bigint' ? String(part) : part;
}
