/**
 * The generated SQL of a record store's rows: one statement for the deletes, two for the puts, and as many
 * for the puts and updates of each mark, which write other columns of a row that is there.
 */
import { type Batch, type PutRecord, rowsOf } from '../buffer/batch.js';
import type { Model } from '../definitions/model.js';
import type { ModelSource, Transaction } from '../definitions/record.js';
import { parseMark } from '../definitions/release.js';
import type { RecordStore } from '../definitions/stores.js';
import { idJson, matchParts } from './rows-by-id.js';
import { readSql } from './sql-file.js';
import type { Item, Statement } from './statement.js';
import { readTable, type Table } from './table.js';
import { onlyOlder, onlyOlderAction, withVersions } from './version-column.js';

export async function recordStatements(store: RecordStore, database: Transaction): Promise<RowStatements> {
  const { model } = store.source as ModelSource;
  return new RowStatements(store, model, await readTable(model, database));
}

interface StatementsOfMark {
  /** Fields that are written of a row that is there. */
  readonly replaced: readonly string[];
  readonly unique: readonly Statement[];
  readonly upsert: Statement;
}

export class RowStatements {
  readonly delete: Statement;
  readonly #store: RecordStore;
  readonly #model: Model;
  readonly #table: Table;
  /** Those that the store writes. */
  readonly #fields: readonly string[];
  /** Of them, those that `update-unique` writes. */
  readonly #uniqueFields: readonly string[];
  /** Of values that are unique, for all batches. */
  readonly #park: readonly Statement[];
  readonly #byMark: (mark: string) => StatementsOfMark;

  constructor(store: RecordStore, model: Model, table: Table) {
    this.#store = store;
    this.#model = model;
    this.#table = table;
    this.#fields = writtenFields(store, model, table);
    this.#uniqueFields = this.#fields.filter(
      (field) => table.uniqueFields.includes(field) && field !== store.version,
    );
    this.#byMark = remembered((mark) => ({
      replaced: this.#replacedBy(mark),
      unique: this.#updateUnique(mark),
      upsert: this.#upsert(mark),
    }));
    this.delete = this.#delete();
    this.#park = this.#uniqueFields.flatMap((field) => this.#parkUnique(field));
  }

  putsOf(batch: Batch): Statement[] {
    const marked = marksOf(rowsOf(batch, this.#store).puts).map(this.#byMark);
    return [...this.#park, ...marked.flatMap(({ unique }) => unique), ...marked.map(({ upsert }) => upsert)];
  }

  #delete(): Statement {
    const { name } = this.#table;
    return {
      sql: readSql('delete', { table: name, ...this.#onlyOlder() }),
      store: this.#store,
      items: (batch) => {
        const { deletes, versions } = rowsOf(batch, this.#store);
        const items = deletes.map((idKey) => this.#idItem(idKey));
        return withVersions(this.#store, items, versions);
      },
    };
  }

  #idItem(idKey: string): Item {
    return { idKey, json: JSON.stringify(idJson(this.#store, this.#model, idKey)) };
  }

  /** None for a type without a value that nobody wants: rows can't swap such values in one batch. */
  #parkUnique(field: string): Statement[] {
    const parked = this.#parkedValue(field);
    if (parked === undefined) return [];
    const { recordset, match } = this.#onlyOlder();
    const { id } = this.#model;
    const others = this.#table.columns(id).map((column, i) => `t.${column} <> w."${id[i]}"`);
    const sql = readSql('park-unique', {
      table: this.#table.name,
      column: this.#columnOf(field),
      field: `"${field}"`,
      parked,
      recordset: `${recordset}, ${this.#table.recordset([field])}`,
      match,
      others: others.join(' OR '),
    });
    const isMeant = ({ mark = '' }: PutRecord): boolean => this.#byMark(mark).replaced.includes(field);
    return [{ ...this.#puts(sql, isMeant), isOfAll: true }];
  }

  #parkedValue(field: string): string | undefined {
    const type = this.#table.typeOf(field);
    if (this.#model.fields[field]?.isNullable) return 'NULL';
    if (type === 'uuid') return 'gen_random_uuid()';
    return /^(text|character)/.test(type) ? `gen_random_uuid()::text::${type}` : undefined;
  }

  #updateUnique(mark: string): Statement[] {
    const replaced = this.#replacedBy(mark);
    const fields = this.#uniqueFields.filter((field) => replaced.includes(field));
    if (fields.length === 0) return [];
    const pairs = fields.map((field) => [this.#columnOf(field), this.#table.valueOf(field)] as const);
    const { match } = matchParts(this.#model, this.#table);
    const sql = readSql('update-unique', {
      table: this.#table.name,
      updates: pairs.map(([column, value]) => `${column} = ${value}`).join(', '),
      ...onlyOlder(this.#store, this.#table, {
        recordset: this.#table.recordset([...this.#model.id, ...fields]),
        match,
      }),
      differs: pairs.map(([column, value]) => `t.${column} IS DISTINCT FROM ${value}`).join(' OR '),
    });
    return [this.#puts(sql, hasMark(mark))];
  }

  #upsert(mark: string): Statement {
    const { left } = parseMark(mark, this.#fields);
    const inserted = this.#fields.filter((field) => !left.has(field));
    const replaced = this.#replacedBy(mark).filter((field) => !this.#uniqueFields.includes(field));
    const sql = upsertSql(this.#model, this.#table, { inserted, replaced });
    return this.#puts(sql + onlyOlderAction(this.#store, this.#table), hasMark(mark));
  }

  /** Fields that the records with a mark write of a row that is there. */
  #replacedBy(mark: string): readonly string[] {
    const { version } = this.#store;
    const fields = this.#fields.filter((field) => !this.#model.id.includes(field));
    if (mark === '') return fields;
    const { replaced } = parseMark(mark, fields);
    return version === undefined || replaced.includes(version) ? replaced : [...replaced, version];
  }

  #puts(sql: string, isMeant: (put: PutRecord) => boolean): Statement {
    const store = this.#store;
    return {
      sql,
      store,
      items: (batch) => {
        const { puts, versions } = rowsOf(batch, store);
        return withVersions(store, puts.filter(isMeant), versions);
      },
    };
  }

  #onlyOlder(): ReturnType<typeof onlyOlder> {
    return onlyOlder(this.#store, this.#table, matchParts(this.#model, this.#table));
  }

  #columnOf(field: string): string {
    return this.#table.columns([field])[0] as string;
  }
}

/** `replaced`: fields that are written of a row that is there. */
export function upsertSql(
  model: Model,
  table: Table,
  { inserted, replaced }: { readonly inserted: readonly string[]; readonly replaced: readonly string[] },
): string {
  return readSql('upsert', {
    table: table.name,
    columns: table.columns(inserted).join(', '),
    fields: inserted.map((field) => table.valueOf(field)).join(', '),
    recordset: table.recordset(inserted),
    overriding: model.id.some((field) => table.generatedFields.includes(field))
      ? ' OVERRIDING SYSTEM VALUE'
      : '',
    key: table.columns(model.id).join(', '),
    action: conflictAction(table.columns(replaced)),
  });
}

/** Each once. */
export function marksOf(puts: readonly PutRecord[]): string[] {
  return [...new Set(puts.map(({ mark = '' }) => mark))];
}

/** Most marks whose SQL is remembered; an app has few. */
export const rememberedMax = 1_000;

export function remembered<T>(make: (mark: string) => T): (mark: string) => T {
  const made = new Map<string, T>();
  return (mark) => {
    const known = made.get(mark);
    if (known !== undefined) return known;
    if (made.size >= rememberedMax) made.clear();
    const value = make(mark);
    made.set(mark, value);
    return value;
  };
}

export const hasMark =
  (wanted: string) =>
  ({ mark = '' }: PutRecord): boolean =>
    mark === wanted;

function writtenFields({ source }: RecordStore, model: Model, table: Table): string[] {
  const { counters } = source as ModelSource;
  return Object.keys(model.fields).filter(
    (field) =>
      !counters.includes(field) && (!table.generatedFields.includes(field) || model.id.includes(field)),
  );
}

function conflictAction(columns: readonly string[]): string {
  if (columns.length === 0) return 'DO NOTHING';
  return `DO UPDATE SET ${columns.map((column) => `${column} = excluded.${column}`).join(', ')}`;
}
