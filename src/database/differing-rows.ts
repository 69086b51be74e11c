/**
 * Finds rows that are not what was written: in generated columns, in what a put's mark leaves, and where
 * tables have triggers, in whatever these may have changed.
 */
import { type PutRecord, rowsOf } from '../buffer/batch.js';
import type { Model } from '../definitions/model.js';
import type { ModelSource, Transaction } from '../definitions/record.js';
import { parseMark } from '../definitions/release.js';
import type { RecordStore } from '../definitions/stores.js';
import { fieldOf } from '../keys.js';
import { hasMark, marksOf, remembered } from './record-statements.js';
import { idJson, matchParts } from './rows-by-id.js';
import { readSql } from './sql-file.js';
import type { FindOutdated } from './statement.js';
import { readTable, type Table } from './table.js';

/** Whether one of the stores' tables, or what is below it, has a trigger that is not Postgres's own. */
export async function haveTriggers(tables: readonly string[], database: Transaction): Promise<boolean> {
  const rows = await database.$queryRawUnsafe<object[]>(readSql('triggers'), tables);
  return rows.length > 0;
}

export async function differingFinder(
  store: RecordStore,
  database: Transaction,
  { isTriggered }: { readonly isTriggered: boolean },
): Promise<FindOutdated> {
  const { model } = store.source as ModelSource;
  const table = await readTable(model, database);
  const fieldsOf = isTriggered ? () => cachedFields(store) : leftFields(model, table);
  const sqlOf = remembered((mark) => {
    const fields = fieldsOf(mark);
    return fields.length === 0 && !isTriggered ? '' : differingSql(model, table, fields);
  });
  const idJsonOf = (idKey: string): string => JSON.stringify({ ...idJson(store, model, idKey), _key: idKey });
  return async (batch, tx) => {
    const { deletes, puts, versions } = rowsOf(batch, store);
    const looks = marksOf(puts).map((mark) => [sqlOf(mark), puts.filter(hasMark(mark)).map(jsonOf)] as const);
    if (isTriggered) looks.push([stillThereSql(model, table), goneOf(deletes, puts).map(idJsonOf)]);
    const found = new Map<string, string>();
    for (const [sql, records] of looks) {
      if (sql === '' || records.length === 0) continue;
      const rows = await tx.$queryRawUnsafe<{ key: string }[]>(sql, `[${records.join(',')}]`);
      for (const { key } of rows) found.set(fieldOf(store.name, key), versions.get(key) as string);
    }
    return found;
  };
}

const jsonOf = ({ idKey, json }: PutRecord): string => `{"_key":${JSON.stringify(idKey)},${json.slice(1)}`;

/** Those that were not made anew. */
function goneOf(deletes: readonly string[], puts: readonly PutRecord[]): string[] {
  const made = new Set(puts.map(({ idKey }) => idKey));
  return deletes.filter((idKey) => !made.has(idKey));
}

/** What an entry has of a row, but the id; and but the version, which Postgres gives. */
function cachedFields({ source, version }: RecordStore): string[] {
  const { model, counters } = source as ModelSource;
  const others = [...model.id, ...counters, version];
  return Object.keys(model.fields).filter((field) => !others.includes(field));
}

/** What is left to the database, or to the row, by a mark. */
function leftFields(model: Model, table: Table): (mark: string) => string[] {
  const generated = table.generatedFields.filter((field) => !model.id.includes(field));
  const fields = Object.keys(model.fields);
  return (mark) => {
    const { replaced } = parseMark(mark, fields);
    const isPut = mark.startsWith(';!');
    return fields.filter((field) => generated.includes(field) || (isPut && !replaced.includes(field)));
  };
}

function differingSql(model: Model, table: Table, fields: readonly string[]): string {
  const differs = fields.map((field) => {
    // Types without an equality of their own are compared as texts.
    const cast = /^(json|xml)\b/.test(table.typeOf(field)) ? '::text' : '';
    return `t.${table.columns([field])[0]}${cast} IS DISTINCT FROM ${table.valueOf(field)}${cast}`;
  });
  return readDiffering(model, table, {
    fields,
    differs: [`${idColumn(model, table)} IS NULL`, ...differs].join(' OR '),
  });
}

function stillThereSql(model: Model, table: Table): string {
  return readDiffering(model, table, { fields: [], differs: `${idColumn(model, table)} IS NOT NULL` });
}

function readDiffering(
  model: Model,
  table: Table,
  { fields, differs }: { readonly fields: readonly string[]; readonly differs: string },
): string {
  return readSql('read-differing', {
    table: table.name,
    recordset: table.recordset([...model.id, ...fields]),
    match: matchParts(model, table).match,
    differs,
  });
}

/** Null where there is no row. */
const idColumn = (model: Model, table: Table): string => `t.${table.columns(model.id)[0]}`;
