/** `upsertMany` of every type of column, beside plain Prisma's `upsert` with the same values: as new rows, and over others. */
import { DbNull, JsonNull } from '@prisma/client/runtime/client';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPrismaAdapter } from '../../src/connection/postgres.js';
import type { Database } from '../../src/database/database.js';
import { defineStores } from '../../src/definitions/stores.js';
import { forebayExtension } from '../../src/prisma-extension.js';
import { columnTypes, schemaOf, tablesOf } from '../support/column-types.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import {
  type Delegate,
  type GeneratedSchema,
  generateSchema,
  generatorProvider,
} from '../support/generated-schema.js';

type Row = Record<string, unknown>;

interface Upserting extends Delegate {
  upsert(args: { where: object; create: object; update: object }): Promise<Row>;
  upsertMany(rows: readonly Row[]): Promise<{ count: number }>;
}

/** For each type. */
const anyCount = 100;

let environment: Environment;
let schema: GeneratedSchema;
let prisma: Database & Record<string, Delegate>;
let extended: Record<string, Delegate>;

const nameOf = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);
const plainOf = (name: string): Upserting => prisma[nameOf(name)] as Upserting;
const oursOf = (name: string): Upserting => extended[nameOf(name)] as Upserting;

beforeAll(async () => {
  schema = await generateSchema(schemaOf(columnTypes, generatorProvider));
  environment = await createEnvironment();
  for (const statement of tablesOf(columnTypes)) await environment.prisma.$executeRawUnsafe(statement);
  prisma = schema.createClient(
    createPrismaAdapter(environment.env.DATABASE_URL, { connections: 4, name: 'upserts' }),
  );
  const app = await environment.connect(defineStores({}), { prisma });
  const client = prisma as unknown as { $extends(extension: unknown): Record<string, Delegate> };
  extended = client.$extends(forebayExtension(app, { models: schema.models }));
}, 240_000);

afterAll(async () => {
  await environment?.close();
  await prisma?.$disconnect();
  schema?.remove();
});

/** The rows of a table whose ids begin so, in Postgres's own words, without that beginning. */
async function textsOf(table: string, beginning: string): Promise<unknown> {
  return prisma.$queryRawUnsafe(
    `SELECT substr(id, 2) AS id, t.value::text, t.note, to_jsonb(t) ->> 'list' AS list FROM "${table}" AS t
     WHERE id LIKE '${beginning}%' ORDER BY 1`,
  );
}

describe.each(columnTypes)('a column of type $name', ({ name, values, any, refused, ids, hasNoList }) => {
  const table = `Row${name}`;
  const listOf = (value: unknown): Row => (hasNoList ? {} : { list: [value] });

  async function upsertBoth(rows: readonly Row[]): Promise<void> {
    for (const row of rows) {
      const { id, ...fields } = row;
      await plainOf(table).upsert({
        where: { id: `p${id}` },
        create: { ...fields, id: `p${id}` },
        update: fields,
      });
    }
    const ours = rows.map((row) => ({ ...row, id: `f${row.id}` }));
    expect(await oursOf(table).upsertMany(ours)).toEqual({ count: rows.length });
    expect(await textsOf(table, 'f')).toEqual(await textsOf(table, 'p'));
  }

  it('holds what upsert leaves in it: of new rows, of rows that are there, and where it is left out', async () => {
    const nulls = name.startsWith('Json') ? [DbNull, JsonNull] : [null];
    const all = [...values, ...nulls];
    const lists = (value: unknown) => ((nulls as unknown[]).includes(value) ? {} : listOf(value));
    await upsertBoth(all.map((value, i) => ({ id: i, value, ...lists(value), note: 'first' })));
    const others = [...all.slice(1), all[0]];
    await upsertBoth(others.map((value, i) => ({ id: i, value, ...lists(value) })));
    await upsertBoth(all.map((_, i) => ({ id: i, note: 'changed' })));
  });

  it.runIf(any !== undefined)(`holds ${anyCount} values of chance as upsert leaves them`, async () => {
    const sample = fc.sample(any as fc.Arbitrary<unknown>, { numRuns: anyCount, seed: 5 });
    await upsertBoth(sample.map((value, i) => ({ id: `a${i}`, value })));
  });

  it('refuses what it can’t hold, with the row’s index, and writes nothing', async () => {
    for (const value of refused) {
      const rows = [
        { id: 'r1', note: 'not written' },
        { id: 'r2', value },
      ];
      await expect(oursOf(table).upsertMany(rows), String(value)).rejects.toMatchObject({
        code: 'INVALID_VALUE',
        context: { index: 1 },
      });
    }
    expect(await textsOf(table, 'r')).toEqual([]);
  });

  it.runIf(ids !== undefined)('as an id is one row, however it is written', async () => {
    for (const [one, other] of ids ?? []) {
      const rows = [
        { id: one, note: 'one' },
        { id: other, note: 'other' },
      ];
      await oursOf(`Id${name}`).upsertMany(rows);
      expect(await prisma.$queryRawUnsafe(`SELECT note FROM "Id${name}"`)).toEqual([{ note: 'other' }]);
    }
  });
});
