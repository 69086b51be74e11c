/** Which columns a write touches: defaults, generated columns, what others write, and tables that can't be written. */

import { PrismaPg } from '@prisma/adapter-pg';
import { DbNull, JsonNull } from '@prisma/client/runtime/client';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import type { Forebay } from '../../src/app/connect.js';
import { createPrismaAdapter } from '../../src/connection/postgres.js';
import type { Database } from '../../src/database/database.js';
import { tableProblems } from '../../src/database/table-check.js';
import { record } from '../../src/definitions/record.js';
import { type Definitions, defineStores } from '../../src/definitions/stores.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import {
  type Delegate,
  type GeneratedSchema,
  generateSchema,
  generatorProvider,
} from '../support/generated-schema.js';
import { patient } from '../support/patient.js';

type Row = Record<string, unknown>;

interface RowStore {
  put(row: Row): Promise<{ id: unknown; persisted(): Promise<void> }>;
  update(id: unknown, change: (row: Row | null) => Row | null): Promise<unknown>;
  get(id: unknown): Promise<Row | null>;
  evict(id: unknown): Promise<void>;
  refresh(id: unknown): Promise<Row | null>;
}

const runLimitMs = 240_000;

const text = `generator client {
  provider = "prisma-client"
  output = "./client"
  moduleFormat = "esm"
}
generator forebay {
  provider = "${generatorProvider}"
  output = "."
}
datasource db {
  provider = "postgresql"
}
model Person {
  id String @id
  name String
  role String @default("MEMBER")
  balance Decimal @default(0) @db.Decimal(10, 2)
  token String? @unique
  data Json @default("{}")
  seenAt DateTime? @db.Timestamptz(6)
  createdAt DateTime @default(now()) @db.Timestamptz(6)
  updatedAt DateTime @updatedAt @db.Timestamptz(3)
}
model Made {
  id String @id @default(uuid())
  seven String @default(uuid(7))
  one String @default(cuid())
  two String @default(cuid(2))
  short String @default(nanoid(7))
  ul String @default(ulid())
  fromDatabase String @default(dbgenerated("gen_random_uuid()")) @db.Uuid
  code String @default(dbgenerated("('code-' || floor(random() * 1000)::text)"))
  counted Int @default(autoincrement())
}
model Cuid {
  id String @id @default(cuid())
  name String
}
model Counted {
  id Int @id @default(autoincrement())
  name String
}
model Always {
  id Int @id @default(autoincrement())
  number Int @default(autoincrement())
  name String
  search String? @default(dbgenerated())
}
model Keyless {
  id String @id
}
model Shy {
  id String @id
  point Unsupported("point")
}
model Lacking {
  id String @id
  gone String?
}
`;

const tables = [
  `CREATE TABLE "Person" (id text PRIMARY KEY, name text NOT NULL, role text NOT NULL DEFAULT 'MEMBER', balance decimal(10,2) NOT NULL DEFAULT 0,
    token text UNIQUE, data jsonb NOT NULL DEFAULT '{}', "seenAt" timestamptz(6),
    "createdAt" timestamptz(6) NOT NULL DEFAULT now(), "updatedAt" timestamptz(3) NOT NULL)`,
  `CREATE TABLE "Made" (id text PRIMARY KEY, seven text NOT NULL, one text NOT NULL, two text NOT NULL, short text NOT NULL, ul text NOT NULL,
    "fromDatabase" uuid NOT NULL DEFAULT gen_random_uuid(), code text NOT NULL DEFAULT ('code-' || floor(random() * 1000)::text), counted serial)`,
  'CREATE TABLE "Cuid" (id text PRIMARY KEY, name text NOT NULL)',
  'CREATE TABLE "Counted" (id serial PRIMARY KEY, name text NOT NULL)',
  `CREATE TABLE "Always" (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, number int GENERATED ALWAYS AS IDENTITY (START 7), name text NOT NULL,
    search text GENERATED ALWAYS AS (upper(name)) STORED)`,
  'CREATE TABLE "Keyless" (id text NOT NULL)',
  'CREATE TABLE "Shy" (id text PRIMARY KEY, point point NOT NULL)',
  'CREATE TABLE "Lacking" (id text PRIMARY KEY)',
];

let environment: Environment;
let schema: GeneratedSchema;
let prisma: Database & Record<string, Delegate>;
let app: Forebay<Definitions>;

const storesOf = (...names: string[]) =>
  defineStores(
    Object.fromEntries(
      names.map((name) => [
        name.toLowerCase(),
        record({ model: schema.models[name] as never, partitions: 1, delayMs: 1 }),
      ]),
    ) as Definitions,
  );
const storeOf = (name: string): RowStore => (app.stores as Row)[name] as RowStore;
const sql = (statement: string): Promise<Row[]> => prisma.$queryRawUnsafe<Row[]>(statement);

beforeAll(async () => {
  schema = await generateSchema(text);
  environment = await createEnvironment();
  for (const statement of tables) await environment.prisma.$executeRawUnsafe(statement);
  prisma = schema.createClient(
    createPrismaAdapter(environment.env.DATABASE_URL, { connections: 4, name: 'rows' }),
  );
  const stores = storesOf('Person', 'Made', 'Cuid', 'Counted', 'Always');
  app = (await environment.connect(stores, { prisma })) as Forebay<Definitions>;
  await environment.startWorker(stores, {}, prisma);
}, runLimitMs);

beforeEach(async () => {
  await prisma.$executeRawUnsafe('TRUNCATE "Person", "Made", "Cuid", "Counted", "Always"');
});

afterAll(async () => {
  await environment?.close();
  await prisma?.$disconnect();
  schema?.remove();
});

describe('an update writes what it changes', () => {
  it('and leaves what others wrote meanwhile in other columns', async () => {
    const store = storeOf('person');
    await store.put({ id: 'u1', name: 'first' });
    await app.flush();
    await sql(`UPDATE "Person" SET role = 'ADMIN', data = '{"n": 12345678901234567890}', "seenAt" = '2024-01-01 10:00:00.123456+00',
      token = 't' WHERE id = 'u1' RETURNING id`);
    await store.update('u1', (row) => ({ ...row, name: 'second' }));
    await app.flush();
    const [row] = await sql(
      `SELECT name, role, data::text, token, extract(microseconds FROM "seenAt")::text AS us FROM "Person"`,
    );
    expect(row).toEqual({
      name: 'second',
      role: 'ADMIN',
      data: '{"n": 12345678901234567890}',
      token: 't',
      us: '123456',
    });
  });

  it('also on top of what waits: both changes land, and a put that waits lands whole', async () => {
    const store = storeOf('person');
    await store.put({ id: 'u2', name: 'first', role: 'GUEST', token: 'mine' });
    await store.update('u2', (row) => ({ ...row, role: 'ADMIN' }));
    await store.update('u2', (row) => ({ ...row, balance: '1.005' }));
    await app.flush();
    await store.update('u2', (row) => ({ ...row, token: 'other' }));
    await store.update('u2', (row) => ({ ...row, name: 'last' }));
    expect(await store.get('u2')).toMatchObject({ name: 'last', role: 'ADMIN', token: 'other' });
    await app.flush();
    await store.evict('u2');
    const row = await store.get('u2');
    expect(row).toMatchObject({ name: 'last', role: 'ADMIN', token: 'other' });
    expect(String(row?.balance)).toBe('1.01');
  });

  it('moves @updatedAt, takes what is left out for unchanged, and makes a row that is not there', async () => {
    const store = storeOf('person');
    const old = new Date('2020-01-01T00:00:00Z');
    await store.put({ id: 'u3', name: 'first', role: 'ADMIN', createdAt: old, updatedAt: old });
    await store.update('u3', () => ({ name: 'second' }));
    await app.flush();
    const row = await delegate('person').findUnique({ where: { id: 'u3' } });
    expect(row).toMatchObject({ name: 'second', role: 'ADMIN', createdAt: old });
    expect(Number(row?.updatedAt)).toBeGreaterThan(old.getTime());
    await store.update('u4', (none) => ({ ...none, name: 'new' }));
    expect(await store.get('u4')).toMatchObject({ id: 'u4', name: 'new', role: 'MEMBER' });
  });

  it('keeps a row that was gone from the database: it is made anew, whole', async () => {
    const store = storeOf('person');
    await store.put({ id: 'u5', name: 'first', role: 'ADMIN' });
    await store.get('u5');
    await app.flush();
    await sql(`DELETE FROM "Person" RETURNING id`);
    await store.update('u5', (row) => ({ ...row, name: 'second' }));
    await app.flush();
    expect(await delegate('person').findUnique({ where: { id: 'u5' } })).toMatchObject({
      name: 'second',
      role: 'ADMIN',
    });
  });
});

describe('a put is the whole row', () => {
  it('but for when it was made: @default(now()) stays, in the database and, once written, in the cache', async () => {
    const store = storeOf('person');
    const { createdAt } = await delegate('person').create({
      data: { id: 'p1', name: 'theirs', role: 'ADMIN' },
    });
    await store.put({ id: 'p1', name: 'ours' });
    await app.flush();
    const row = await delegate('person').findUnique({ where: { id: 'p1' } });
    expect(row).toMatchObject({ name: 'ours', role: 'MEMBER', createdAt });
    await expect.poll(() => store.get('p1')).toEqual(row);
  });

  it('and what it gives is written', async () => {
    const store = storeOf('person');
    const createdAt = new Date('2020-01-01T00:00:00Z');
    await store.put({ id: 'p2', name: 'first' });
    await app.flush();
    await store.put({ id: 'p2', name: 'second', createdAt });
    await app.flush();
    expect(await delegate('person').findUnique({ where: { id: 'p2' } })).toMatchObject({
      name: 'second',
      createdAt,
    });
  });

  it('leaves what is pending of a column that the database makes', async () => {
    const store = storeOf('made');
    const id = 'left';
    await store.put({ id });
    await app.flush();
    await store.update(id, (row) => ({ ...row, code: 'updated' }));
    await store.put({ id });
    expect(await store.get(id)).toMatchObject({ code: 'updated' });
    await app.flush();
    const { counted } = (await delegate('made').findUnique({ where: { id } })) as { counted: number };
    await store.put({ id, code: 'put' });
    await store.put({ id });
    await app.flush();
    expect(await delegate('made').findUnique({ where: { id } })).toMatchObject({ code: 'put', counted });
  });

  it('makes ids as Prisma’s client does, tells them in the receipt, and leaves to the database what that makes', async () => {
    const { id, persisted } = await receiptOf(storeOf('made').put({}));
    await persisted();
    const row = await delegate('made').findUnique({ where: { id } });
    expect(row).toMatchObject({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
      seven: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
      one: expect.stringMatching(/^c[0-9a-z]{24}$/),
      two: expect.stringMatching(/^[a-z][0-9a-z]{23}$/),
      short: expect.stringMatching(/^[\w-]{7}$/),
      ul: expect.stringMatching(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/),
      code: expect.stringMatching(/^code-\d+$/),
      counted: expect.any(Number),
    });
    await expect.poll(() => storeOf('made').get(id)).toEqual(row);
    const cuid = await storeOf('cuid').put({ name: 'x' });
    expect(await storeOf('cuid').get(cuid.id)).toEqual({ id: cuid.id, name: 'x' });
  });

  it('needs an id that a sequence would make, and says why', async () => {
    await expect(storeOf('counted').put({ name: 'x' })).rejects.toMatchObject({
      code: 'INVALID_VALUE',
      message: expect.stringContaining('sequence'),
    });
  });

  it('leaves out columns that the database alone writes', async () => {
    const store = storeOf('always');
    await store.put({ id: 5, name: 'first' });
    await app.flush();
    await store.put({ id: 5, name: 'second', search: null, number: 1 });
    await store.update(5, (row) => ({ ...row, name: `${row?.name}!` }));
    await app.flush();
    expect(await sql('SELECT * FROM "Always"')).toEqual([
      { id: 5, number: 7, name: 'second!', search: 'SECOND!' },
    ]);
    await expect.poll(() => store.get(5)).toEqual({ id: 5, number: 7, name: 'second!', search: 'SECOND!' });
  });

  it('tells the JSON null from NULL', async () => {
    const store = storeOf('person');
    await store.put({ id: 'j1', name: 'x', data: JsonNull });
    await store.put({ id: 'j2', name: 'x', data: null });
    await expect(store.put({ id: 'j3', name: 'x', data: DbNull })).rejects.toMatchObject({
      code: 'INVALID_VALUE',
    });
    expect(await store.get('j1')).toMatchObject({ data: null });
    await app.flush();
    expect(await sql(`SELECT data::text FROM "Person"`)).toEqual([{ data: 'null' }, { data: 'null' }]);
    await store.evict('j1');
    await store.update('j1', (row) => ({ ...row, name: 'y' }));
    expect(await store.get('j1')).toMatchObject({ name: 'y', data: null });
  });
});

describe('a row', () => {
  it('that can’t be cached is given all the same, and an update of it says at once why not', async () => {
    const store = storeOf('person');
    await sql(
      `INSERT INTO "Person" (id, name, "updatedAt") VALUES ('big', repeat('x', 2000000), now()) RETURNING id`,
    );
    expect((await store.get('big'))?.name).toHaveLength(2_000_000);
    const startedAt = Date.now();
    await expect(store.update('big', (row) => row)).rejects.toMatchObject({ code: 'VALUE_TOO_LARGE' });
    expect(Date.now() - startedAt).toBeLessThan(patient(5_000));
  });

  it('of a load of one’s own that is no JSON is given, and an update of it says at once why not', async () => {
    const made = new Date();
    const own = defineStores({
      own: record<Row & { id: string }, 'id'>({
        id: 'id',
        load: async (ids) => ids.map((id) => ({ id, made })),
        persist: async () => undefined,
      }),
    });
    const { stores } = await environment.connect(own, { prisma });
    expect(await stores.own.get('o')).toEqual({ id: 'o', made });
    const startedAt = Date.now();
    await expect(stores.own.update('o', (row) => row)).rejects.toMatchObject({
      code: 'INVALID_VALUE',
      message: expect.stringContaining('at made'),
    });
    expect(Date.now() - startedAt).toBeLessThan(patient(10_000));
  });

  it('is read anew after refresh and evict', async () => {
    const store = storeOf('person');
    await store.put({ id: 'e1', name: 'old' });
    await app.flush();
    expect(await store.get('e1')).toMatchObject({ name: 'old' });
    await sql(`UPDATE "Person" SET name = 'new' RETURNING id`);
    expect(await store.get('e1')).toMatchObject({ name: 'old' });
    expect(await store.refresh('e1')).toMatchObject({ name: 'new' });
    await store.put({ id: 'e1', name: 'pending' });
    expect(await store.refresh('e1')).toMatchObject({ name: 'pending' });
  });
});

describe('a worker does not start', () => {
  it.each([
    ['Keyless', 'no primary key'],
    ['Shy', 'column point (point)'],
    ['Lacking', 'no column gone'],
  ])('on table %s, and says that it has %s', async (name, words) => {
    const starting = environment.startWorker(storesOf(name), {}, prisma);
    await expect(starting).rejects.toMatchObject({
      code: 'INVALID_DEFINITION',
      message: expect.stringContaining(words),
    });
    expect(await tableProblems(storesOf(name), prisma)).toHaveLength(1);
  });
});

describe.each(['UTC', 'America/New_York', 'Asia/Kolkata'])('in a session whose time zone is %s', (zone) => {
  it('a row is written, read and updated as in any other', async () => {
    const url = new URL(inject('databaseUrl'));
    const name = environment.config.prefix;
    const settings = `-c search_path=${name} -c TimeZone=${zone} -c DateStyle=German -c IntervalStyle=sql_standard -c bytea_output=escape -c extra_float_digits=-5`;
    const client = schema.createClient(
      new PrismaPg({ connectionString: url.toString(), options: settings }, { schema: name }),
    );
    const stores = storesOf('Person');
    const config = { ...environment.config, prefix: `${name}_${zone.length}` };
    const there = (await environment.connect(stores, { prisma: client, config })) as Forebay<Definitions>;
    const worker = await environment.startWorker(stores, {}, client, config);
    const store = (there.stores as Row).person as RowStore;
    const seenAt = new Date('2024-07-01T10:00:00.123Z');
    await store.put({ id: 'z', name: 'first', seenAt, createdAt: seenAt, updatedAt: seenAt });
    for (const change of ['second', 'third']) {
      await there.flush();
      await store.evict('z');
      await store.update('z', (row) => ({ ...row, name: change }));
      expect(await store.get('z')).toMatchObject({ name: change, seenAt, createdAt: seenAt });
    }
    await there.flush();
    await store.evict('z');
    expect(await store.get('z')).toMatchObject({ name: 'third', seenAt, createdAt: seenAt });
    expect(await delegate('person').findUnique({ where: { id: 'z' } })).toMatchObject({
      seenAt,
      createdAt: seenAt,
    });
    await worker.stop(5_000);
    await there.close();
    await client.$disconnect();
  });
});

function delegate(name: string): Delegate {
  return prisma[name] as Delegate;
}

async function receiptOf(put: Promise<{ id: unknown; persisted(): Promise<void> }>) {
  const receipt = await put;
  return { id: receipt.id as string, persisted: () => receipt.persisted() };
}
