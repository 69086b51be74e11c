/** Whatever session the user's adapter brings: rows of all types are what plain Prisma makes of them in the usual one. */
import { PrismaPg } from '@prisma/adapter-pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { columnTypes } from '../support/column-types.js';
import { RotatingPool } from '../support/rotating-pool.js';
import { RowMatrix, type RowsOfType } from '../support/row-matrix.js';

const runLimitMs = 240_000;

const settings: readonly (readonly [name: string, settings: Readonly<Record<string, string>>])[] = [
  ['of New York', { TimeZone: 'America/New_York' }],
  ['of Kathmandu, with SQL dates', { TimeZone: 'Asia/Kathmandu', DateStyle: 'SQL, DMY' }],
  ['with German dates', { DateStyle: 'German', IntervalStyle: 'sql_standard' }],
  ['with few digits', { extra_float_digits: '-15' }],
  ['with the usual digits', { extra_float_digits: '0', IntervalStyle: 'iso_8601' }],
  ['with escaped bytes', { bytea_output: 'escape', standard_conforming_strings: 'off' }],
  ['that finds other tables of these names first', { search_path: 'decoy, pg_catalog' }],
  ['that finds nothing', { search_path: '' }],
  [
    'with all of that',
    {
      TimeZone: 'America/New_York',
      DateStyle: 'SQL, DMY',
      IntervalStyle: 'postgres_verbose',
      extra_float_digits: '-15',
      bytea_output: 'escape',
      standard_conforming_strings: 'off',
      search_path: 'decoy',
    },
  ],
];

/** As libpq's `options`. */
const optionsOf = (given: Readonly<Record<string, string>>): string =>
  Object.entries(given)
    .map(([name, value]) => `-c ${name}=${value.replaceAll(/[\\ ]/g, '\\$&')}`)
    .join(' ');

const declared: readonly RowsOfType[] = columnTypes.map((type) => ({
  type,
  rows: type.values.map((value) => ({ value, ...(type.hasNoList ? {} : { list: [value, value] }) })),
}));

let matrix: RowMatrix;
let schema: string;

beforeAll(async () => {
  matrix = await RowMatrix.open();
  schema = matrix.environment.config.prefix;
  const { prisma } = matrix.environment;
  await prisma.$executeRawUnsafe('CREATE SCHEMA IF NOT EXISTS decoy');
  await prisma.$executeRawUnsafe(
    `DO $$ BEGIN CREATE TYPE decoy.color AS ENUM ('other'); EXCEPTION WHEN duplicate_object THEN NULL; END $$`,
  );
  for (const table of [...columnTypes.map(({ name }) => `"Row${name}"`), 'forebay_ledger'])
    await prisma.$executeRawUnsafe(`CREATE TABLE IF NOT EXISTS decoy.${table} (LIKE ${table} INCLUDING ALL)`);
}, runLimitMs);

afterAll(async () => {
  await matrix?.environment.prisma.$executeRawUnsafe('DROP SCHEMA IF EXISTS decoy CASCADE');
  await matrix?.close();
});

async function decoyRows(): Promise<number> {
  const counts = await Promise.all(
    [...columnTypes.map(({ name }) => `"Row${name}"`), 'forebay_ledger'].map((table) =>
      matrix.environment.prisma.$queryRawUnsafe<{ count: number }[]>(
        `SELECT count(*)::int AS count FROM decoy.${table}`,
      ),
    ),
  );
  return counts.reduce((sum, [row]) => sum + (row?.count ?? 0), 0);
}

describe.each(settings)('in a session %s', (_name, given) => {
  it(
    'rows of all types are written, read and updated as plain Prisma does in the usual one',
    async () => {
      const config = { connectionString: inject('databaseUrl'), options: optionsOf(given), max: 4 };
      const session = await matrix.session(new PrismaPg(config, { schema }));
      await matrix.compare(session, declared);
      await matrix.compareForeign(session);
      expect(await decoyRows()).toBe(0);
      await session.close();
    },
    runLimitMs,
  );
});

describe('behind a pooler that gives each transaction another session, and resets nothing', () => {
  it(
    'rows of all types are written, read and updated as plain Prisma does',
    async () => {
      const pool = new RotatingPool(
        settings.map(([, given]) => ({ connectionString: inject('databaseUrl'), options: optionsOf(given) })),
      );
      const session = await matrix.session(new PrismaPg(pool, { schema }));
      await matrix.compare(session, declared);
      await matrix.compareForeign(session);
      expect(await decoyRows()).toBe(0);
      expect(pool.sessionsUsed).toBe(settings.length);
      await session.close();
      await pool.end();
    },
    runLimitMs,
  );
});
