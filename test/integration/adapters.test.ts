/** Whatever adapter the user brings: schemas, limits of transactions, PgBouncer. */
import { randomBytes } from 'node:crypto';
import { PrismaPg } from '@prisma/adapter-pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Forebay } from '../../src/app/connect.js';
import { createPrismaAdapter } from '../../src/connection/postgres.js';
import type { Database } from '../../src/database/database.js';
import { counter } from '../../src/definitions/counter.js';
import { type RecordBatch, record, type Transaction } from '../../src/definitions/record.js';
import { type Definitions, defineStores } from '../../src/definitions/stores.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import {
  type Delegate,
  type GeneratedSchema,
  generateSchema,
  generatorProvider,
} from '../support/generated-schema.js';
import { hasPgBouncer, startPgBouncer } from '../support/pgbouncer.js';

type Row = Record<string, unknown>;
type Client = Database & Record<string, Delegate>;

interface ThingStore {
  put(row: Row): Promise<unknown>;
  update(id: unknown, change: (row: Row | null) => Row | null): Promise<unknown>;
  get(id: unknown): Promise<Row | null>;
  evict(id: unknown): Promise<void>;
}

interface CountStore {
  add(id: string, delta: number): Promise<unknown>;
  get(id: string): Promise<number | null>;
}

const runLimitMs = 240_000;
const schemas = ['Rows', 'ledger'].map((name) => `${name} ${randomBytes(4).toString('hex')}`) as [
  string,
  string,
];
const [rowsSchema, ledgerSchema] = schemas;

/** @param place an attribute for what has a schema of its own */
const textOf = (place: (schema: string) => string, datasource: string): string => `generator client {
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
  ${datasource}
}
enum Shade {
  LIGHT
  DARK
  ${place(rowsSchema)}
}
model Thing {
  id String @id
  shade Shade
  shades Shade[]
  token String? @unique
  count Int @default(0)
  ${place(rowsSchema)}
}
model ForebayLedger {
  lane String @id
  batch BigInt
  isVoid Boolean @default(false) @map("is_void")
  generation String?
  persisted BigInt?
  appliedAt DateTime @default(now()) @map("applied_at") @db.Timestamptz(3)
  @@map("forebay_ledger")
  ${place(ledgerSchema)}
}
`;

const tables = (rows: string): string[] => [
  `CREATE TYPE "${rows}"."Shade" AS ENUM ('LIGHT', 'DARK')`,
  `CREATE TABLE "${rows}"."Thing" (id text PRIMARY KEY, shade "${rows}"."Shade" NOT NULL, shades "${rows}"."Shade"[],
     token text UNIQUE CHECK (token <> 'refused'), count int NOT NULL DEFAULT 0)`,
];

let environment: Environment;
let qualified: GeneratedSchema;
let plain: GeneratedSchema;

beforeAll(async () => {
  const named = schemas.map((name) => JSON.stringify(name)).join(', ');
  qualified = await generateSchema(textOf((name) => `@@schema("${name}")`, `schemas = [${named}]`));
  plain = await generateSchema(textOf(() => '', ''));
  environment = await createEnvironment();
  const { prisma, config } = environment;
  for (const name of schemas) await prisma.$executeRawUnsafe(`CREATE SCHEMA "${name}"`);
  for (const statement of [...tables(rowsSchema), ...tables(config.prefix)])
    await prisma.$executeRawUnsafe(statement);
  await prisma.$executeRawUnsafe(
    `CREATE TABLE "${ledgerSchema}".forebay_ledger (LIKE forebay_ledger INCLUDING ALL)`,
  );
}, runLimitMs);

afterAll(async () => {
  for (const name of schemas) await environment?.prisma.$executeRawUnsafe(`DROP SCHEMA "${name}" CASCADE`);
  await environment?.close();
  qualified?.remove();
  plain?.remove();
});

const withSchema = (url: string): string => {
  const withIt = new URL(url);
  withIt.searchParams.set('schema', environment.config.prefix);
  return withIt.toString();
};

/** Writes, reads, updates, counts and has a row refused, through a client; and looks at it with plain Prisma. */
async function useStores(
  schema: GeneratedSchema,
  adapter: PrismaPg,
  lookWith: () => PrismaPg,
): Promise<void> {
  const prisma: Client = schema.createClient(adapter);
  const things = record({
    model: schema.models.Thing as never,
    counters: ['count'],
    partitions: 1,
    delayMs: 1,
  } as never);
  const stores = defineStores({
    things,
    counts: counter({ of: things, field: 'count' } as never),
  } as Definitions);
  const config = {
    ...environment.config,
    prefix: `${environment.config.prefix}:${randomBytes(4).toString('hex')}`,
  };
  const app = (await environment.connect(stores, { prisma, config })) as Forebay<Definitions>;
  const worker = await environment.startWorker(stores, {}, prisma, config);
  const store = (app.stores as Row).things as ThingStore;
  const counts = (app.stores as Row).counts as CountStore;
  await store.put({ id: 't', shade: 'DARK', shades: ['LIGHT', 'DARK'], token: 'one' });
  await store.put({ id: 'r', shade: 'DARK', shades: [], token: 'refused' });
  await counts.add('t', 5);
  await app.flush();
  await store.evict('t');
  await store.update('t', (row) => ({ ...row, token: 'two', shade: 'LIGHT' }));
  expect(await counts.get('t')).toBe(5);
  await app.flush();
  await store.evict('t');
  const expected = { id: 't', shade: 'LIGHT', shades: ['LIGHT', 'DARK'], token: 'two' };
  expect(await store.get('t')).toEqual(expected);
  expect((await app.backlog()).dead).toBe(1);
  await worker.stop(5_000);
  await app.close();
  await prisma.$disconnect();
  const look: Client = schema.createClient(lookWith());
  expect(await look.thing?.findMany({ where: {} })).toEqual([{ ...expected, count: 5 }]);
  await look.$executeRawUnsafe(
    `DELETE FROM "${schema === plain ? environment.config.prefix : rowsSchema}"."Thing"`,
  );
  await look.$disconnect();
}

describe('tables are found', () => {
  it('in the schemas of their models, the ledger too', async () => {
    const adapter = () => new PrismaPg({ connectionString: inject('databaseUrl') });
    await useStores(qualified, adapter(), adapter);
    const ledgers = await environment.prisma.$queryRawUnsafe<Row[]>(
      `SELECT count(*)::int AS lanes FROM "${ledgerSchema}".forebay_ledger WHERE NOT is_void`,
    );
    expect(ledgers).toEqual([{ lanes: 1 }]);
  });

  it('in the adapter’s schema, as plain Prisma finds them', async () => {
    const adapter = () =>
      new PrismaPg({ connectionString: inject('databaseUrl') }, { schema: environment.config.prefix });
    await useStores(plain, adapter(), adapter);
  });

  it('in the schema that the URL of the user’s adapter names', async () => {
    const connectionString = withSchema(inject('databaseUrl'));
    await useStores(plain, new PrismaPg({ connectionString }), () =>
      createPrismaAdapter(connectionString, { connections: 1, name: 'look' }),
    );
  });

  it('or the worker says where it has looked', async () => {
    const prisma = plain.createClient(
      new PrismaPg({ connectionString: inject('databaseUrl') }, { schema: 'nowhere' }),
    );
    await expect(environment.startWorker(defineStores({}), {}, prisma)).rejects.toMatchObject({
      code: 'DATABASE_NOT_READY',
      message: expect.stringContaining('"nowhere"."forebay_ledger"'),
    });
    await prisma.$disconnect();
  });
});

describe('a worker’s transaction', () => {
  it('has limits of its own, which end with it', async () => {
    const names = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'];
    const read = (tx: Transaction): Promise<Row[]> =>
      tx.$queryRawUnsafe(`SELECT ${names.map((name) => `current_setting('${name}') AS ${name}`).join(', ')}`);
    const adapter = new PrismaPg(
      { connectionString: inject('databaseUrl'), max: 1 },
      { schema: environment.config.prefix },
    );
    const prisma: Client = plain.createClient(adapter);
    const found: Row[] = [];
    const stores = defineStores({
      notes: record({
        id: 'id',
        load: async () => [],
        async persist(_batch: RecordBatch<{ id: string }, string>, tx: Transaction) {
          found.push(...(await read(tx)));
        },
        partitions: 1,
        delayMs: 1,
      } as never),
    } as Definitions);
    const config = { ...environment.config, prefix: `${environment.config.prefix}:limits` };
    const app = await environment.connect(stores, { prisma, config });
    const worker = await environment.startWorker(stores, {}, prisma, config);
    await (app.stores as unknown as { notes: ThingStore }).notes.put({ id: 'n' });
    await app.flush();
    expect(found).toEqual([
      { statement_timeout: '1min', lock_timeout: '30s', idle_in_transaction_session_timeout: '3s' },
    ]);
    expect(await read(prisma)).toEqual([
      { statement_timeout: '0', lock_timeout: '0', idle_in_transaction_session_timeout: '0' },
    ]);
    await worker.stop(5_000);
    await app.close();
    await prisma.$disconnect();
  });
});

describe.runIf(hasPgBouncer)('through PgBouncer in transaction mode', () => {
  it('stores work, with the user’s adapter and with forebay’s own', async () => {
    const pooler = await startPgBouncer(inject('databaseUrl'));
    const adapters = [
      () => new PrismaPg({ connectionString: pooler.url, max: 6 }, { schema: environment.config.prefix }),
      () =>
        createPrismaAdapter(`${withSchema(pooler.url)}&pgbouncer=true`, { connections: 6, name: 'pooled' }),
    ];
    try {
      for (const adapter of adapters) await useStores(plain, adapter(), adapter);
    } finally {
      await pooler.stop();
    }
  });
});
