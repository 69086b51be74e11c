/**
 * Applies `prisma/migrations` without Prisma's engine, which has to be downloaded first and can't be everywhere. Records them as
 * Prisma does, so that `prisma migrate deploy` finds them done, and this finds done what `prisma migrate deploy` did.
 *
 * `npm run db:migrate` migrates the database of `DATABASE_URL`, else the project's own.
 */

import { createHash, randomUUID } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { reasonOf } from '../dev/reason.js';
import { acquireServices } from '../dev/services/acquire.js';
import { ServicesError } from '../dev/services/errors.js';

/** The number that Prisma locks with, so that the two wait for each other. */
const LOCK_KEY = 72_707_369;
const LOCK_WAIT_MS = 60_000;
const CONNECT_MS = 10_000;

export type MigrationErrorCode =
  /** There is no such folder, or a migration without a `migration.sql`. */
  | 'MIGRATIONS_UNREADABLE'
  | 'DATABASE_UNREACHABLE'
  /** Another process holds the migration lock for too long. */
  | 'MIGRATION_LOCKED'
  /** An applied migration's file is not the one that was applied. */
  | 'MIGRATION_CHANGED'
  /** The record of an earlier run says that a migration failed. */
  | 'MIGRATION_FAILED_BEFORE'
  /** The database refused a migration, which left no trace. */
  | 'MIGRATION_FAILED';

export class MigrationError extends Error {
  override readonly name = 'MigrationError';
  readonly code: MigrationErrorCode;

  constructor(code: MigrationErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

export interface MigrateOptions {
  /** Prisma's `?schema=name` is honoured: the schema is created when missing, and everything happens in it. */
  readonly databaseUrl: string;
  /** Default: `prisma/migrations` of the project. */
  readonly folder?: string;
  /** Hears the name of each migration when it is applied. Default: nobody. */
  readonly say?: (line: string) => void;
}

export interface MigrateResult {
  /** The names of the migrations that this call applied, in order. */
  readonly applied: string[];
  /** The names of those that were there before. */
  readonly already: string[];
}

/**
 * Applies the migrations that the database does not have yet, in the order of their names, each in a transaction. Safe to call from
 * several processes at once: one migrates, the others wait for up to 60 s.
 * @throws MigrationError
 */
export async function migrate(options: MigrateOptions): Promise<MigrateResult> {
  const migrations = await readMigrations(
    options.folder ?? fileURLToPath(new URL('migrations', import.meta.url)),
  );
  const { client, schema } = clientOf(options.databaseUrl);
  await connect(client);
  try {
    await lock(client);
    await enterSchema(client, schema);
    return await applyMissing(client, migrations, options.say ?? (() => undefined));
  } finally {
    // Ends the session, and with it the lock.
    await client.end();
  }
}

interface Migration {
  readonly name: string;
  readonly file: string;
  readonly sql: string;
}

async function readMigrations(folder: string): Promise<Migration[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
    return await Promise.all(names.sort().map((name) => readMigration(folder, name)));
  } catch (error) {
    const text = `The migrations in ${folder} can't be read: ${reasonOf(error)}. Each is a folder with a migration.sql.`;
    throw new MigrationError('MIGRATIONS_UNREADABLE', text, error);
  }
}

async function readMigration(folder: string, name: string): Promise<Migration> {
  const file = path.join(folder, name, 'migration.sql');
  return { name, file, sql: await readFile(file, 'utf8') };
}

/** `schema` is Prisma's own parameter, which Postgres does not know. */
function clientOf(databaseUrl: string): { client: pg.Client; schema: string | undefined } {
  if (!URL.canParse(databaseUrl)) {
    throw new MigrationError(
      'DATABASE_UNREACHABLE',
      'The database URL is not a URL: expected postgresql://user:password@host:port/database.',
    );
  }
  const url = new URL(databaseUrl);
  const schema = url.searchParams.get('schema') ?? undefined;
  url.searchParams.delete('schema');
  const client = new pg.Client({ connectionString: url.href, connectionTimeoutMillis: CONNECT_MS });
  // A connection that breaks also rejects the query that runs on it.
  client.on('error', () => undefined);
  return { client, schema };
}

async function connect(client: pg.Client): Promise<void> {
  try {
    await client.connect();
  } catch (error) {
    await client.end();
    const text = `Postgres can't be reached at ${client.host}:${client.port}, database ${client.database}: ${reasonOf(error)}.`;
    throw new MigrationError('DATABASE_UNREACHABLE', text, error);
  }
}

async function lock(client: pg.Client): Promise<void> {
  try {
    await client.query(`set lock_timeout = ${LOCK_WAIT_MS}`);
    await client.query('select pg_advisory_lock($1::bigint)', [LOCK_KEY]);
    await client.query('reset lock_timeout');
  } catch (error) {
    if (!isRefusal(error, '55P03')) throw error;
    const text = `Another process has been migrating this database for more than ${LOCK_WAIT_MS / 1000} s: see pg_locks for the advisory lock ${LOCK_KEY}, and try again when it is done.`;
    throw new MigrationError('MIGRATION_LOCKED', text, error);
  }
}

async function enterSchema(client: pg.Client, schema: string | undefined): Promise<void> {
  if (schema === undefined) return;
  const name = pg.escapeIdentifier(schema);
  await client.query(`create schema if not exists ${name}`);
  await client.query(`set search_path to ${name}`);
}

async function applyMissing(
  client: pg.Client,
  migrations: readonly Migration[],
  say: (line: string) => void,
): Promise<MigrateResult> {
  await client.query(RECORD_TABLE);
  const records = await readRecords(client);
  const already = migrations.filter((migration) => isApplied(migration, records.get(migration.name)));
  const missing = migrations.filter((migration) => !records.has(migration.name));
  for (const migration of missing) {
    await apply(client, migration);
    say(`Applied ${migration.name}.`);
  }
  return { applied: missing.map(({ name }) => name), already: already.map(({ name }) => name) };
}

/** As Prisma's engine creates it. */
const RECORD_TABLE = `create table if not exists _prisma_migrations (
  id varchar(36) primary key not null,
  checksum varchar(64) not null,
  finished_at timestamptz,
  migration_name varchar(255) not null,
  logs text,
  rolled_back_at timestamptz,
  started_at timestamptz not null default now(),
  applied_steps_count integer not null default 0
)`;

interface MigrationRecord {
  readonly migration_name: string;
  readonly checksum: string;
  readonly finished: boolean;
  readonly logs: string | null;
}

/** @throws MigrationError MIGRATION_FAILED_BEFORE */
async function readRecords(client: pg.Client): Promise<Map<string, MigrationRecord>> {
  const { rows } = await client.query<MigrationRecord>(
    `select migration_name, checksum, logs, finished_at is not null as finished
     from _prisma_migrations where rolled_back_at is null order by started_at`,
  );
  const failed = rows.find((row) => !row.finished);
  if (failed) {
    const text = `The database's record says that the migration ${failed.migration_name} failed, or is not finished: ${failed.logs ?? 'no logs'}. Repair the database by hand, then mark it with \`npx prisma migrate resolve --applied\` or \`--rolled-back ${failed.migration_name}\`.`;
    throw new MigrationError('MIGRATION_FAILED_BEFORE', text);
  }
  return new Map(rows.map((row) => [row.migration_name, row]));
}

/** @throws MigrationError MIGRATION_CHANGED */
function isApplied(migration: Migration, record: MigrationRecord | undefined): boolean {
  if (!record) return false;
  if (checksumsOf(migration.sql).includes(record.checksum)) return true;
  const text = `${migration.file} was changed after it had been applied to this database. Restore it, and put the change into a new migration.`;
  throw new MigrationError('MIGRATION_CHANGED', text);
}

/** A checkout may change the ends of lines, which Prisma forgives as well. The first is the one to record. */
function checksumsOf(sql: string): string[] {
  const lf = sql.replaceAll('\r\n', '\n');
  return [sql, lf, lf.replaceAll('\n', '\r\n')].map((text) =>
    createHash('sha256').update(text).digest('hex'),
  );
}

/** The record is written in the same transaction, so a migration that fails leaves nothing to repair. */
async function apply(client: pg.Client, migration: Migration): Promise<void> {
  const startedAt = new Date();
  try {
    await client.query('begin');
    await client.query(migration.sql);
    await client.query(
      `insert into _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
       values ($1, $2, $3, $4, clock_timestamp(), 1)`,
      [randomUUID(), checksumsOf(migration.sql)[0], migration.name, startedAt],
    );
    await client.query('commit');
  } catch (error) {
    // The session ends with this error, and an open transaction with the session.
    const text = `The database refused ${migration.file}: ${reasonOf(error)}. Nothing of it was applied: correct it and try again.`;
    throw new MigrationError('MIGRATION_FAILED', text, error);
  }
}

function isRefusal(error: unknown, sqlState: string): boolean {
  return error instanceof pg.DatabaseError && error.code === sqlState;
}

async function main(): Promise<void> {
  const say = (line: string) => void process.stderr.write(`${line}\n`);
  const services = await acquireServices({ say });
  try {
    const { applied, already } = await migrate({ databaseUrl: services.databaseUrl, say });
    say(
      `${services.description}: ${applied.length} migrations applied, ${already.length} were there already.`,
    );
  } finally {
    await services.release();
  }
}

const started = process.argv[1];
if (started !== undefined && realpathSync(started) === fileURLToPath(import.meta.url)) {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof MigrationError || error instanceof ServicesError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
