/** A Prisma model's table as SQL needs it: quoted names, and the columns' types from Postgres's catalog. */
import { quoteIdentifier } from '../connection/identifier.js';
import type { Model } from '../definitions/model.js';
import type { Transaction } from '../definitions/record.js';
import { ForebayError } from '../errors.js';
import { databaseUnavailable } from './database.js';
import { ledgerName, tableName } from './names.js';
import { readSql } from './sql-file.js';

export interface Table {
  readonly name: string;
  /** `"field" type, …` for json_to_recordset. */
  recordset(fields: readonly string[]): string;
  /** A field's value in that recordset, of its column's type. */
  valueOf(field: string): string;
  /** Fields whose columns the database alone writes. */
  readonly generatedFields: readonly string[];
  /** Fields whose columns are in a unique index, without the id's. */
  readonly uniqueFields: readonly string[];
  /** Of a field's column, as Postgres names it: `character varying(64)`. */
  typeOf(field: string): string;
  /** Quoted columns of fields. */
  columns(fields: readonly string[]): readonly string[];
}

/**
 * @throws ForebayError DATABASE_UNAVAILABLE, or DATABASE_NOT_READY when the table or one of the model's
 * columns is not there
 */
export async function readTable(model: Model, database: Transaction): Promise<Table> {
  const name = tableName(model, database);
  const columns = await readColumns(name, database);
  const problem = tableProblem(model, columns);
  if (problem) throw notReady(`table ${name} of model ${model.name} ${problem}`);
  const columnOf = (field: string): string => model.fields[field]?.column as string;
  const typeOf = (field: string): string => columns.get(columnOf(field))?.type as string;
  return {
    name,
    recordset: (fields) =>
      fields.map((field) => `${quoteIdentifier(field)} ${readAs(typeOf(field))}`).join(', '),
    valueOf: (field) => {
      const type = typeOf(field);
      return `r.${quoteIdentifier(field)}${readAs(type) === type ? '' : `::${type}`}`;
    },
    generatedFields: Object.keys(model.fields).filter((field) => columns.get(columnOf(field))?.generated),
    typeOf,
    columns: (fields) => fields.map((field) => quoteIdentifier(columnOf(field))),
    uniqueFields: Object.keys(model.fields).filter(
      (field) => columns.get(columnOf(field))?.unique && !model.id.includes(field),
    ),
  };
}

const ledgerColumns = ['lane', 'batch', 'is_void', 'generation', 'persisted', 'applied_at'];

/** @throws ForebayError DATABASE_UNAVAILABLE, or DATABASE_NOT_READY when forebay's own table is not there */
export async function checkLedger(database: Transaction): Promise<void> {
  const name = ledgerName(database);
  const columns = await readColumns(name, database);
  if (columns.size === 0) throw notReady(`forebay's table ${name} is not there`);
  const missing = ledgerColumns.filter((column) => !columns.has(column));
  if (missing.length > 0) throw notReady(`forebay's table ${name} has no column ${missing.join(', ')}`);
}

/**
 * JSON is read as text, for JSON's null would be NULL; money as a number, which has the same words in every
 * locale.
 */
function readAs(type: string): string {
  return type.replace(/^jsonb?(?=\[|$)/, 'text').replace(/^money/, 'numeric');
}

export interface Column {
  readonly name: string;
  readonly type: string;
  readonly unique: boolean;
  readonly generated: boolean;
  readonly required: boolean;
}

export async function readColumns(table: string, database: Transaction): Promise<Map<string, Column>> {
  try {
    const columns = await database.$queryRawUnsafe<Column[]>(readSql('columns'), table);
    return new Map(columns.map((column) => [column.name, column]));
  } catch (error) {
    throw databaseUnavailable(error);
  }
}

function tableProblem(model: Model, columns: ReadonlyMap<string, Column>): string | undefined {
  if (columns.size === 0) return 'is not there';
  const missing = Object.values(model.fields).flatMap(({ column }) => (columns.has(column) ? [] : [column]));
  return missing.length > 0 ? `has no column ${missing.join(', ')}` : undefined;
}

function notReady(what: string): ForebayError {
  return new ForebayError(
    'DATABASE_NOT_READY',
    `The database is not ready: ${what}. Apply the migrations (prisma migrate deploy, or npm run db:migrate here), ` +
      "and check that DATABASE_URL and the Prisma client's adapter name the right database and schema.",
  );
}
