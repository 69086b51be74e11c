/** Models that a stranger's schema may have, through every verb and through `upsertMany`, beside plain Prisma. */
import { deepStrictEqual } from 'node:assert/strict';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Forebay } from '../../src/app/connect.js';
import { createPrismaAdapter } from '../../src/connection/postgres.js';
import type { Database } from '../../src/database/database.js';
import { record } from '../../src/definitions/record.js';
import { type Definitions, defineStores, type Stores } from '../../src/definitions/stores.js';
import { forebayExtension } from '../../src/prisma-extension.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import {
  type Delegate,
  type GeneratedSchema,
  generateSchema,
  generatorProvider,
} from '../support/generated-schema.js';
import { type OddModel, oddModels, oddSchema, oddTables } from '../support/odd-models.js';

type Row = Readonly<Record<string, unknown>>;

interface RowStore {
  put(row: Row): Promise<unknown>;
  putMany(rows: readonly Row[]): Promise<unknown>;
  patch(id: unknown, fields: Row): Promise<unknown>;
  update(id: unknown, change: (row: Row | null) => Row | null): Promise<unknown>;
  get(id: unknown): Promise<Row | null>;
  getMany(ids: readonly unknown[]): Promise<(Row | null)[]>;
  delete(id: unknown): Promise<unknown>;
  evict(id: unknown): Promise<void>;
}

interface Writing extends Delegate {
  upsert(args: { where: object; create: object; update: object }): Promise<Row>;
  upsertMany(rows: readonly Row[]): Promise<{ count: number }>;
}

type Delegates = Record<string, Writing>;
type Extended = Delegates & { $transaction(work: (tx: Delegates) => Promise<unknown>): Promise<unknown> };

// Names with double quotes are beyond Prisma itself.
const [one, other] = [`test 'odd'.${process.pid}`, `Test Other ${process.pid}`];
const models = oddModels(one, other);

let environment: Environment;
let schema: GeneratedSchema;
let prisma: Database & Delegates;
let extended: Extended;
let app: Forebay<Definitions>;
let stores: Stores;

beforeAll(async () => {
  schema = await generateSchema(oddSchema(one, other, generatorProvider));
  environment = await createEnvironment();
  for (const statement of oddTables(one, other)) await environment.prisma.$executeRawUnsafe(statement);
  const adapter = createPrismaAdapter(environment.env.DATABASE_URL, { connections: 4, name: 'odd' });
  prisma = schema.createClient(adapter) as Database & Delegates;
  const definitions = models.map(({ name }) => [
    name,
    record({ model: schema.models[name] as never, partitions: 1, delayMs: 1 }),
  ]);
  stores = defineStores(Object.fromEntries(definitions) as Definitions);
  app = (await environment.connect(stores, { prisma })) as Forebay<Definitions>;
  const client = prisma as unknown as { $extends(extension: unknown): Extended };
  extended = client.$extends(forebayExtension(app));
  await environment.startWorker(stores, {}, prisma);
}, 240_000);

beforeEach(async () => {
  await prisma.$executeRawUnsafe(`TRUNCATE ${models.map(({ table }) => table).join(', ')}`);
});

afterAll(async () => {
  for (const name of [one, other])
    await environment?.prisma.$executeRawUnsafe(
      `DROP SCHEMA IF EXISTS "${name.replaceAll('"', '""')}" CASCADE`,
    );
  await environment?.close();
  await prisma?.$disconnect();
  schema?.remove();
});

const delegateOf = (of: object, { name }: OddModel): Writing =>
  (of as Delegates)[name.charAt(0).toLowerCase() + name.slice(1)] as Writing;
const idOf = ({ id }: OddModel, row: Row): unknown =>
  id.length === 1 ? row[id[0] as string] : Object.fromEntries(id.map((field) => [field, row[field]]));
const fieldsOf = ({ id }: OddModel, row: Row): Row =>
  Object.fromEntries(Object.entries(row).filter(([name]) => !id.includes(name)));
const whereOf = (model: OddModel, row: Row): object => {
  if (model.id.length === 1) return { [model.id[0] as string]: idOf(model, row) };
  return { [model.name === 'Pair' ? 'quad' : model.id.join('_')]: idOf(model, row) };
};
const found = (model: OddModel) => delegateOf(prisma, model).findMany({ where: {} });

/** One after the other. */
async function upsertPlain(model: OddModel, rows: readonly Row[]): Promise<void> {
  for (const row of rows) {
    const update = fieldsOf(model, row);
    await delegateOf(prisma, model).upsert({ where: whereOf(model, row), create: row, update });
  }
}

/** What plain Prisma gives after the model's changes: rows by id, in the order of the ids. */
async function expectedOf(model: OddModel, changes: readonly Row[]): Promise<unknown[]> {
  await upsertPlain(model, model.rows);
  for (const change of changes) await upsertPlain(model, [merged(model, change)]);
  const rows = await sorted(model);
  await prisma.$executeRawUnsafe(`TRUNCATE ${model.table}`);
  return rows;
}

const isOf = (model: OddModel, row: Row) => (one: Row) =>
  model.id.every((field) => String(one[field]).trim() === String(row[field]).trim());
const merged = (model: OddModel, change: Row): Row => ({
  ...model.rows.find(isOf(model, change)),
  ...change,
});

async function sorted(model: OddModel): Promise<Row[]> {
  const key = (row: Row): string => model.id.map((field) => String(row[field])).join();
  return (await found(model)).sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

const ordered: readonly (readonly [what: string, isRefused: boolean, rows: readonly Row[]])[] = [
  [
    'a unique value that one row gives up for the next',
    false,
    [
      { id: 2, code: 'c', label: 'x' },
      { id: 1, code: 'b' },
      { id: 3, code: 'a', label: 'y' },
    ],
  ],
  [
    'a parent in the same table',
    false,
    [
      { id: 10, parentId: 1, code: 'x' },
      { id: 11, code: 'y' },
      { id: 12, parentId: 11, code: 'z' },
    ],
  ],
  [
    'a row that comes again',
    false,
    [
      { id: 1, code: 'c' },
      { id: 3, code: 'a', label: 'y' },
      { id: 1, code: 'd' },
      { id: 4, code: 'c' },
    ],
  ],
  [
    'a unique value that is taken',
    true,
    [
      { id: 3, code: 'c', label: 'x' },
      { id: 1, code: 'b' },
    ],
  ],
  [
    'a parent that is not there',
    true,
    [
      { id: 3, code: 'c' },
      { id: 4, code: 'd', parentId: 99 },
    ],
  ],
];

describe.each(['alone', 'in a transaction'])('upsertMany %s', (where) => {
  it.each(ordered)('with %s ends as upserts one by one', async (_, isRefused, rows) => {
    const model = models.find(({ name }) => name === 'Tree') as OddModel;
    const start = [
      { id: 1, code: 'a' },
      { id: 2, code: 'b' },
    ];
    await upsertPlain(model, start);
    if (isRefused) await expect(upsertPlain(model, rows)).rejects.toThrow();
    else await upsertPlain(model, rows);
    const expected = await sorted(model);
    await prisma.$executeRawUnsafe(`TRUNCATE ${model.table}`);
    await upsertPlain(model, start);
    const before = await sorted(model);
    const upserting =
      where === 'alone'
        ? extended.tree?.upsertMany(rows)
        : extended.$transaction((tx) => delegateOf(tx, model).upsertMany(rows));
    if (isRefused) await expect(upserting).rejects.toThrow();
    else await upserting;
    deepStrictEqual(await sorted(model), isRefused ? before : expected);
  });

  it('with rows larger than a statement should be writes them all', async () => {
    const rows = [9_000_000, 1, 5_000_000, 5_000_000].map((size, i) => ({
      id: `${i}`,
      from: 'x'.repeat(size),
    }));
    const upsert = (db: object) => delegateOf(db, models[0] as OddModel).upsertMany(rows);
    const upserted = where === 'alone' ? await upsert(extended) : await extended.$transaction(upsert);
    expect(upserted).toEqual({ count: rows.length });
    const lengths = await prisma.$queryRawUnsafe(
      `SELECT length("from  table") FROM ${models[0]?.table} ORDER BY "where"`,
    );
    expect(lengths).toEqual(rows.map(({ from }) => ({ length: from.length })));
  });
});

describe.each(models.map((model) => [model.name, model] as const))('model %s', (_, model) => {
  const { rows, changes } = model;
  const store = (): RowStore => (app.stores as unknown as Record<string, RowStore>)[model.name] as RowStore;
  const evictAll = () => Promise.all(rows.map((row) => store().evict(idOf(model, row))));

  async function expectInCache(expected: readonly unknown[]): Promise<void> {
    const cached = await store().getMany(expected.map((row) => idOf(model, row as Row)));
    deepStrictEqual(cached, expected);
  }

  it.each(['patch', 'update', 'put'] as const)('is put, changed by %s, read and deleted', async (verb) => {
    const before = await expectedOf(model, []);
    const after = await expectedOf(model, changes);
    await store().putMany(rows);
    await expectInCache(before);
    await app.flush();
    deepStrictEqual(await sorted(model), before);
    await evictAll();
    await expectInCache(before);
    for (const change of changes) {
      const id = idOf(model, change);
      if (verb === 'patch') await store().patch(id, change);
      if (verb === 'update') await store().update(id, (row) => ({ ...row, ...change }));
      if (verb === 'put') await store().put(merged(model, change));
    }
    await expectInCache(after);
    await app.flush();
    deepStrictEqual(await sorted(model), after);
    await evictAll();
    await expectInCache(after);
    for (const row of [...rows].reverse()) await store().delete(idOf(model, row));
    await app.flush();
    expect(await found(model)).toEqual([]);
    expect(await store().get(idOf(model, rows[0] as Row))).toBeNull();
  });

  it('is read by the extension as by plain Prisma', async () => {
    await upsertPlain(model, rows);
    await evictAll();
    for (const row of rows) {
      const where = whereOf(model, row);
      deepStrictEqual(
        await delegateOf(extended, model).findUnique({ where }),
        await delegateOf(prisma, model).findUnique({ where }),
      );
    }
    await evictAll();
  });

  it.each(['alone', 'in a transaction'])('is upserted in bulk %s as one by one', async (where) => {
    const upsert = (given: readonly Row[]) =>
      where === 'alone'
        ? delegateOf(extended, model).upsertMany(given)
        : extended.$transaction((tx) => delegateOf(tx, model).upsertMany(given));
    const given = [...rows, ...changes.map((change) => merged(model, change)), ...rows.slice(0, 1)];
    await upsertPlain(model, given);
    const expected = await sorted(model);
    await prisma.$executeRawUnsafe(`TRUNCATE ${model.table}`);
    await store().getMany(rows.map((row) => idOf(model, row)));
    expect(await upsert([])).toEqual({ count: 0 });
    await upsert(given);
    deepStrictEqual(await sorted(model), expected);
    await expectInCache(expected);
    await upsert(given);
    deepStrictEqual(await sorted(model), expected);
    await evictAll();
  });
});
