/** Rows of every type of column, made from one table: what forebay gives and writes is what plain Prisma does with the same row. */
import { DbNull } from '@prisma/client/runtime/client';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Forebay } from '../../src/app/connect.js';
import { createPrismaAdapter } from '../../src/connection/postgres.js';
import type { Database } from '../../src/database/database.js';
import { counter } from '../../src/definitions/counter.js';
import { record } from '../../src/definitions/record.js';
import { type Definitions, defineStores, type Stores } from '../../src/definitions/stores.js';
import type { ChangesService } from '../../src/services/changes/changes.js';
import { startChangeWorker } from '../support/change-worker.js';
import { columnTypes, schemaOf, tablesOf } from '../support/column-types.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import {
  type Delegate,
  type GeneratedSchema,
  generateSchema,
  generatorProvider,
} from '../support/generated-schema.js';

type Row = Record<string, unknown>;

/** A store of the matrix, whose types the test does not know. */
interface RowStore {
  put(row: Row): Promise<unknown>;
  putMany(rows: readonly Row[]): Promise<unknown>;
  patch(id: unknown, fields: Row): Promise<unknown>;
  update(id: unknown, change: (row: Row | null) => Row | null): Promise<unknown>;
  get(id: unknown): Promise<Row | null>;
  getMany(ids: readonly unknown[]): Promise<(Row | null)[]>;
  delete(id: unknown): Promise<unknown>;
  evict(id: unknown): Promise<void>;
  explain(id: unknown): Promise<{ readonly state: string }>;
  add(id: unknown, delta: number): Promise<unknown>;
}

const runLimitMs = 240_000;

/** For each type. */
const anyCount = 250;

const seedOf = (name: string): number => [...name].reduce((sum, one) => sum * 31 + one.charCodeAt(0), 7) | 0;

let environment: Environment;
let schema: GeneratedSchema;
let prisma: Database & Record<string, Delegate>;
let stores: Stores;
let app: Forebay<Definitions>;
let changes: ChangesService;

const storeOf = (name: string): RowStore => (app.stores as Record<string, unknown>)[name] as RowStore;
const delegateOf = (name: string): Delegate =>
  prisma[name.charAt(0).toLowerCase() + name.slice(1)] as Delegate;

/** What the columns hold, in Postgres's own words. */
async function textsOf(table: string, id: string): Promise<Record<string, unknown> | undefined> {
  const [row] = await prisma.$queryRawUnsafe<Row[]>(
    `SELECT t.value::text, t.note, to_jsonb(t) ->> 'list' AS list FROM "${table}" AS t WHERE id = $1`,
    id,
  );
  return row;
}

/** That change nothing: what is written is compared with the row. */
const triggersOf = (types: readonly { readonly name: string }[]): string[] => [
  'CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$',
  ...types.map(
    ({ name }) =>
      `CREATE TRIGGER nothing BEFORE INSERT OR UPDATE ON "Row${name}" FOR EACH ROW EXECUTE FUNCTION nothing()`,
  ),
];

beforeAll(async () => {
  schema = await generateSchema(schemaOf(columnTypes, generatorProvider));
  environment = await createEnvironment();
  for (const statement of [...tablesOf(columnTypes), ...triggersOf(columnTypes)])
    await environment.prisma.$executeRawUnsafe(statement);
  prisma = schema.createClient(
    createPrismaAdapter(environment.env.DATABASE_URL, { connections: 4, name: 'rows' }),
  );
  const definitions = columnTypes.flatMap(({ name, ids, isCounter }) => {
    const options = { partitions: 1, delayMs: 1 };
    const count = { model: schema.models[`Count${name}`] as never, field: 'count' as never, ...options };
    return [
      [`Row${name}`, record({ model: schema.models[`Row${name}`] as never, ...options })],
      ...(isCounter ? [[`Count${name}`, counter(count)]] : []),
      ...(ids ? [[`Id${name}`, record({ model: schema.models[`Id${name}`] as never, ...options })]] : []),
    ] as [string, Definitions[string]][];
  });
  stores = defineStores(Object.fromEntries(definitions) as Definitions);
  app = (await environment.connect(stores, { prisma })) as Forebay<Definitions>;
  await environment.startWorker(stores, {}, prisma);
  changes = await startChangeWorker({ ...environment, prisma: prisma as never }, stores);
}, runLimitMs);

afterAll(async () => {
  await changes?.stop(5_000);
  await environment?.close();
  await prisma?.$disconnect();
  schema?.remove();
});

/** A value as forebay gives it, or the error's code. */
async function outcomeOf(write: () => Promise<unknown>): Promise<string> {
  try {
    await write();
    return 'accepted';
  } catch (error) {
    return String((error as { code?: unknown }).code ?? error);
  }
}

describe.each(columnTypes)(
  'a column of type $name',
  ({ name, values, any, refused, foreign = [], ids, refusedIds = [], hasNoList, isCounter }) => {
    const table = `Row${name}`;
    const listOf = (value: unknown): Row => (hasNoList ? {} : { list: [value, value] });

    it('holds and gives what plain Prisma does: pending, in the database, loaded again; also in lists and as null', async () => {
      const store = storeOf(table);
      for (const [i, value] of [...values, null].entries()) {
        const given = { value, ...listOf(value), note: 'n' };
        const row =
          value === null
            ? { value: name.startsWith('Json') ? DbNull : null, ...(hasNoList ? {} : { list: [] }) }
            : given;
        await delegateOf(table).create({ data: { id: `p${i}`, ...row } });
        await store.put({ id: `f${i}`, ...row });
        const { id, ...theirs } = (await delegateOf(table).findUnique({ where: { id: `p${i}` } })) as Row;
        expect(await store.get(`f${i}`), `${String(value)}, pending`).toEqual({ id: `f${i}`, ...theirs });
        await app.flush();
        expect(await textsOf(table, `f${i}`)).toEqual(await textsOf(table, `p${i}`));
        expect(await store.explain(`f${i}`), String(value)).toMatchObject({ state: 'fresh' });
        await store.evict(`f${i}`);
        expect(await store.get(`f${i}`), `${String(value)}, loaded`).toEqual({ id: `f${i}`, ...theirs });
      }
    });

    it('stays to the byte when another column is updated', async () => {
      const store = storeOf(table);
      for (const [i, value] of values.entries()) await store.put({ id: `u${i}`, value, ...listOf(value) });
      await app.flush();
      for (const [i] of values.entries()) {
        const before = await textsOf(table, `u${i}`);
        await store.update(`u${i}`, (row) => ({ ...row, note: 'changed' }));
        await store.evict(`u${i}`);
        await store.update(`u${i}`, (row) => ({ ...row, note: `${row?.note} again` }));
        await app.flush();
        expect(await textsOf(table, `u${i}`)).toEqual({ ...before, note: 'changed again' });
      }
    });

    it('is patched as plain Prisma updates it, and stays to the byte when another column is', async () => {
      const store = storeOf(table);
      const ids = values.map((_, i) => `t${i}`);
      await delegateOf(table).createMany({
        data: ids.map((id) => ({ id, value: values[0], ...listOf(values[0]) })),
      });
      await delegateOf(table).createMany({
        data: values.map((value, i) => ({ id: `q${i}`, value, ...listOf(value), note: 'n' })),
      });
      for (const [i, value] of values.entries()) {
        await store.patch(`t${i}`, { value, ...listOf(value) });
        await store.patch(`t${i}`, { note: 'n' });
      }
      const expected = async (i: number) => ({
        ...(await delegateOf(table).findUnique({ where: { id: `q${i}` } })),
        id: `t${i}`,
      });
      for (const i of values.keys()) expect(await store.get(`t${i}`), 'pending').toEqual(await expected(i));
      await app.flush();
      for (const i of values.keys()) {
        expect(await textsOf(table, `t${i}`)).toEqual(await textsOf(table, `q${i}`));
        await store.evict(`t${i}`);
        expect(await store.get(`t${i}`), 'loaded').toEqual(await expected(i));
      }
    });

    it.runIf(any !== undefined)(`gives ${anyCount} values of chance as plain Prisma does`, async () => {
      const store = storeOf(table);
      const sample = fc.sample(any as fc.Arbitrary<unknown>, { numRuns: anyCount, seed: seedOf(name) });
      const ids = sample.map((_, i) => `a${i}`);
      await delegateOf(table).createMany({ data: sample.map((value, i) => ({ id: `b${i}`, value })) });
      const found = await delegateOf(table).findMany({ where: { id: { startsWith: 'b' } } });
      const byId = new Map(found.map((row) => [row.id, row]));
      const theirs = ids.map((id, i) => ({ ...byId.get(`b${i}`), id }));
      await store.putMany(sample.map((value, i) => ({ id: ids[i], value })));
      expect(await store.getMany(ids)).toEqual(theirs);
      await app.flush();
      await Promise.all(ids.map((id) => store.evict(id)));
      await Promise.all(ids.map((id) => store.update(id, (row) => ({ ...row, note: 'changed' }))));
      await app.flush();
      await Promise.all(ids.map((id) => store.evict(id)));
      expect(await store.getMany(ids)).toEqual(theirs.map((row) => ({ ...row, note: 'changed' })));
      const differing = await prisma.$queryRawUnsafe(
        `SELECT a.id, a.value::text AS ours, b.value::text AS theirs FROM "${table}" AS a JOIN "${table}" AS b ON b.id = replace(a.id, 'a', 'b')
         WHERE a.id LIKE 'a%' AND a.value::text <> b.value::text`,
      );
      expect(differing).toEqual([]);
    });

    it.runIf(isCounter)('counts', async () => {
      const store = storeOf(`Count${name}`);
      for (const delta of [5, -7, 2 ** 14]) await store.add('c', delta);
      expect(Number(await store.get('c'))).toBe(2 ** 14 - 2);
      await app.flush();
      const { count } = (await delegateOf(`Count${name}`).findUnique({ where: { id: 'c' } })) as Row;
      expect(Number(count)).toBe(2 ** 14 - 2);
    });

    it('refuses at once what it can’t hold', async () => {
      for (const value of refused) {
        expect(await outcomeOf(() => storeOf(table).put({ id: 'r', value })), String(value)).toBe(
          'INVALID_VALUE',
        );
      }
    });

    it.runIf(foreign.length > 0)('gives what other programs wrote as Prisma does, and keeps it', async () => {
      const store = storeOf(table);
      for (const [i, literal] of foreign.entries()) {
        const list = hasNoList
          ? 'DEFAULT'
          : `ARRAY[${literal}, ${literal}]::${columnTypes.find((type) => type.name === name)?.sql}[]`;
        await prisma.$executeRawUnsafe(
          hasNoList
            ? `INSERT INTO "${table}" (id, value) VALUES ('x${i}', ${literal})`
            : `INSERT INTO "${table}" (id, value, list) VALUES ('x${i}', ${literal}, ${list})`,
        );
        const ours = await store.get(`x${i}`);
        expect(ours, literal).toEqual(await delegateOf(table).findUnique({ where: { id: `x${i}` } }));
        const before = await textsOf(table, `x${i}`);
        await store.update(`x${i}`, (row) => ({ ...row, note: 'changed' }));
        await app.flush();
        expect(await textsOf(table, `x${i}`)).toEqual({ ...before, note: 'changed' });
        expect(await store.get(`x${i}`)).toEqual({ ...ours, note: 'changed' });
      }
    });

    it.runIf(ids !== undefined)(
      'as an id is one record, however it is written, and whoever changes it',
      async () => {
        const store = storeOf(`Id${name}`);
        for (const [one, other] of ids ?? []) {
          await store.put({ id: one, note: 'one' });
          await store.put({ id: other, note: 'other' });
          await app.flush();
          for (const id of [one, other]) {
            await store.evict(id);
            expect(await store.getMany([one, other])).toEqual([await store.get(id), await store.get(id)]);
            expect(await store.get(id)).toMatchObject({ note: 'other' });
          }
          expect(await store.get(one)).toEqual(
            await delegateOf(`Id${name}`).findUnique({ where: { id: other } }),
          );
          expect(await prisma.$queryRawUnsafe(`SELECT note FROM "Id${name}"`)).toEqual([{ note: 'other' }]);
          await prisma.$executeRawUnsafe(`UPDATE "Id${name}" SET note = 'foreign'`);
          await expect.poll(() => store.get(one), { interval: 5 }).toMatchObject({ note: 'foreign' });
          await store.delete(other);
          await app.flush();
          expect(await prisma.$queryRawUnsafe(`SELECT note FROM "Id${name}"`)).toEqual([]);
        }
        for (const id of refusedIds)
          expect(await outcomeOf(() => store.get(id)), String(id)).toBe('INVALID_ID');
      },
    );
  },
);
