/**
 * The migration runner against a real Postgres: every test in a schema of its own.
 */

import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { acquireServices, type Services } from '../../dev/services/acquire.js';
import { migrate } from '../../prisma/migrate.js';

const FIRST = 'create table team (id int primary key);\ninsert into team values (1);\n';
const SECOND = 'alter table team add column name text;\n';

let services: Services;
let client: pg.Client;
let folder: string;
let schema: string;
let databaseUrl: string;

beforeAll(async () => {
  services = await acquireServices();
  client = new pg.Client({ connectionString: services.databaseUrl });
  await client.connect();
});

afterAll(async () => {
  await client?.end();
  await services?.release();
});

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'forebay-migrations-'));
  schema = `Migrate "${randomBytes(4).toString('hex')}"`;
  const url = new URL(services.databaseUrl);
  url.searchParams.set('schema', schema);
  databaseUrl = url.href;
  await writeMigration('20260101000000_first', FIRST);
  await writeMigration('20260102000000_second', SECOND);
  await writeFile(path.join(folder, 'migration_lock.toml'), 'provider = "postgresql"\n');
});

afterEach(async () => {
  await client.query(`drop schema if exists ${pg.escapeIdentifier(schema)} cascade`);
  await rm(folder, { recursive: true, force: true });
});

describe('migrate', () => {
  it('applies all migrations in order, in the schema of the URL, and records them as Prisma does', async () => {
    const result = await migrate({ databaseUrl, folder });
    expect(result).toEqual({ applied: ['20260101000000_first', '20260102000000_second'], already: [] });
    expect(await rowsOf('team')).toEqual([{ id: 1, name: null }]);
    const records = await rowsOf('_prisma_migrations order by migration_name');
    expect(records[0]).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      checksum: createHash('sha256').update(FIRST).digest('hex'),
      migration_name: '20260101000000_first',
      started_at: expect.any(Date),
      finished_at: expect.any(Date),
      applied_steps_count: 1,
      logs: null,
      rolled_back_at: null,
    });
    expect(records).toHaveLength(2);
  });

  it('does nothing the second time', async () => {
    await migrate({ databaseUrl, folder });
    const before = await rowsOf('_prisma_migrations');
    const result = await migrate({ databaseUrl, folder });
    expect(result).toEqual({ applied: [], already: ['20260101000000_first', '20260102000000_second'] });
    expect(await rowsOf('_prisma_migrations')).toEqual(before);
  });

  it('applies each migration once when several run at once', async () => {
    const results = await Promise.all([1, 2, 3, 4].map(() => migrate({ databaseUrl, folder })));
    expect(results.map(({ applied }) => applied.length).sort()).toEqual([0, 0, 0, 2]);
    expect(await rowsOf('team')).toHaveLength(1);
  });

  it('refuses when an applied migration was changed, and forgives changed ends of lines', async () => {
    await migrate({ databaseUrl, folder });
    await writeMigration('20260101000000_first', FIRST.replaceAll('\n', '\r\n'));
    expect(await migrate({ databaseUrl, folder })).toMatchObject({ applied: [] });
    await writeMigration('20260101000000_first', `${FIRST}-- one more line\n`);
    await writeMigration('20260103000000_third', 'create table third ();');
    await expect(migrate({ databaseUrl, folder })).rejects.toMatchObject({ code: 'MIGRATION_CHANGED' });
    await expect(rowsOf('third')).rejects.toThrow('does not exist');
  });

  it('leaves nothing of a migration that the database refuses, and keeps those before it', async () => {
    await writeMigration(
      '20260103000000_third',
      'create table third ();\nselect no_such_column from team;\n',
    );
    await expect(migrate({ databaseUrl, folder })).rejects.toMatchObject({
      code: 'MIGRATION_FAILED',
      message: expect.stringMatching(/20260103000000_third.*no_such_column/),
    });
    await expect(rowsOf('third')).rejects.toThrow('does not exist');
    await writeMigration('20260103000000_third', 'create table third ();\n');
    expect(await migrate({ databaseUrl, folder })).toMatchObject({ applied: ['20260103000000_third'] });
  });

  it('refuses when a failed migration is recorded, until that is resolved', async () => {
    await migrate({ databaseUrl, folder });
    const table = `${pg.escapeIdentifier(schema)}._prisma_migrations`;
    await client.query(
      `update ${table} set finished_at = null, logs = 'boom' where migration_name like '%second'`,
    );
    await expect(migrate({ databaseUrl, folder })).rejects.toMatchObject({
      code: 'MIGRATION_FAILED_BEFORE',
      message: expect.stringContaining('20260102000000_second'),
    });
    await client.query(`update ${table} set rolled_back_at = now() where finished_at is null`);
    await client.query(`alter table ${pg.escapeIdentifier(schema)}.team drop column name`);
    expect(await migrate({ databaseUrl, folder })).toMatchObject({ applied: ['20260102000000_second'] });
  });

  it('says where the database is when it can not be reached, without the password', async () => {
    const url = new URL(databaseUrl);
    url.port = '1';
    const outcome = await migrate({ databaseUrl: url.href, folder }).catch((error: unknown) => error);
    expect(outcome).toMatchObject({
      code: 'DATABASE_UNREACHABLE',
      message: expect.stringContaining('127.0.0.1:1'),
    });
    expect(String(outcome)).not.toContain(url.password);
  });

  it('says which folder is unreadable', async () => {
    await mkdir(path.join(folder, '20260103000000_empty'));
    await expect(migrate({ databaseUrl, folder })).rejects.toMatchObject({ code: 'MIGRATIONS_UNREADABLE' });
  });
});

async function writeMigration(name: string, sql: string): Promise<void> {
  await mkdir(path.join(folder, name), { recursive: true });
  await writeFile(path.join(folder, name, 'migration.sql'), sql);
}

async function rowsOf(table: string): Promise<Record<string, unknown>[]> {
  return (await client.query(`select * from ${pg.escapeIdentifier(schema)}.${table}`)).rows;
}
