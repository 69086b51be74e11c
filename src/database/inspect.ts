/** What of a database decides whether forebay can write to it: for `forebay check`. */

import { quoteIdentifier } from '../connection/identifier.js';
import type { Model } from '../definitions/model.js';
import type { Transaction } from '../definitions/record.js';
import { readSql } from './sql-file.js';
import { type Column, readColumns } from './table.js';

export interface DatabaseFacts {
  readonly version: string;
  readonly version_number: number;
  readonly standby: boolean;
  readonly encoding: string;
  readonly user: string;
  readonly database: string;
  readonly superuser: boolean;
  readonly bypasses: boolean;
  readonly max_connections: number;
  readonly used: number;
  readonly role_limit: number;
  readonly role_used: number;
  readonly database_limit: number;
  readonly database_used: number;
  readonly schema: boolean;
  readonly usage: boolean;
  readonly published: boolean;
  readonly now: number;
}

export interface Setting {
  readonly name: string;
  readonly setting: string;
  /** Postgres's word: `default`, `configuration file`, `database`, `user`, `database user`, `client` … */
  readonly source: string;
}

/** What the user may do with a table. */
export interface TableFacts {
  readonly schema: string;
  readonly table: string;
  /** Privileges that the user has not. */
  readonly lacks: readonly string[];
  /** Sequences of its columns' defaults that the user may not use. */
  readonly sequences: readonly string[];
  /** Values of its columns' enums. */
  readonly enums: Readonly<Record<string, readonly string[]>>;
  readonly unlogged: boolean;
  readonly secured: boolean;
  readonly columns: ReadonlyMap<string, Column>;
  /** Columns of each unique key. */
  readonly keys: readonly (readonly string[])[];
}

/** A model's table, as its definition says and as it is. */
export interface ModelTable {
  readonly model: Model;
  /** Its fields that counters and the version write by themselves. */
  readonly written: ReadonlySet<string>;
  /** Undefined: there is none. */
  readonly found: TableFacts | undefined;
}

/** Postgres cuts longer names. */
const nameLengthMax = 63;

/** @param prefix forebay's, by which a publication is named */
export async function readDatabase(
  database: Transaction,
  schema: string,
  prefix: string,
): Promise<DatabaseFacts> {
  const publication = prefix.slice(0, nameLengthMax);
  const sql = readSql('check-server');
  const [facts] = await database.$queryRawUnsafe<[DatabaseFacts]>(sql, schema, publication);
  return facts;
}

export async function readSettings(database: Transaction): Promise<Map<string, Setting>> {
  const settings = await database.$queryRawUnsafe<Setting[]>(readSql('check-settings'));
  return new Map(settings.map((setting) => [setting.name, setting]));
}

/** Undefined when there is no such table. The user must have USAGE on the schema. */
export async function readTableFacts(
  database: Transaction,
  schema: string,
  table: string,
): Promise<TableFacts | undefined> {
  const [found] = await database.$queryRawUnsafe<TableRow[]>(readSql('check-table'), schema, table);
  if (found === undefined) return undefined;
  const name = quoted(schema, table);
  const keys = await database.$queryRawUnsafe<{ columns: string }[]>(readSql('keys'), name);
  return {
    schema,
    table,
    unlogged: found.unlogged,
    secured: found.secured,
    sequences: JSON.parse(found.sequences) as string[],
    enums: JSON.parse(found.enums) as Record<string, string[]>,
    lacks: found.lacks === '' ? [] : found.lacks.split(', '),
    columns: await readColumns(name, database),
    keys: keys.map(({ columns }) => JSON.parse(columns) as string[]),
  };
}

interface TableRow {
  readonly lacks: string;
  readonly sequences: string;
  readonly enums: string;
  readonly unlogged: boolean;
  readonly secured: boolean;
}

export interface MigrationNote {
  readonly name: string;
  readonly finished: boolean;
}

/** Undefined when Prisma has noted nothing here. */
export async function readMigrations(
  database: Transaction,
  schema: string,
): Promise<readonly MigrationNote[] | undefined> {
  const facts = await readTableFacts(database, schema, '_prisma_migrations');
  if (facts === undefined || facts.lacks.includes('SELECT')) return undefined;
  const table = quoted(schema, '_prisma_migrations');
  return database.$queryRawUnsafe<MigrationNote[]>(readSql('check-migrations', { table }));
}

function quoted(schema: string, table: string): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`;
}
