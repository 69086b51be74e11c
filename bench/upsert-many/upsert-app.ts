/** The process in which all ways upsert, one after the other, on one connection each. */
import { Client, Task } from '../../examples/platform/generated/models.js';
import { createPrisma } from '../../examples/platform/prisma.js';
import { connect, defineStores, readConfig, record, requireDatabaseUrl } from '../../src/index.js';
import { forebayExtension } from '../../src/prisma-extension.js';
import { ByHand } from '../by-hand.js';
import { serve } from '../serve.js';
import { parentIds, type Row, type Rows, rowOf, type Table } from '../write-behind/rows.js';

export interface UpsertAppHandlers {
  names(): Promise<string[]>;
  /** New rows, then the same with other values. */
  measure(way: string, table: Table, rows: number): Promise<UpsertFigures>;
}

export interface UpsertFigures {
  readonly insertedPerSecond: number;
  readonly updatedPerSecond: number;
  /** Of all rows as they are at the end: the same for all ways. */
  readonly digest: string;
}

/** As large as upsertMany's own. */
const chunkRows = 2_000;

const config = readConfig();
const databaseUrl = requireDatabaseUrl(config);
const prisma = createPrisma(databaseUrl, { connections: 1, name: 'bench-upsert-many' });
const models = { Client, Task };
const without = await connect(defineStores({}), { prisma, config });
const stores = defineStores({ clients: record({ model: Client }), tasks: record({ model: Task }) });
const covering = await connect(stores, { prisma, config });
const extended = prisma.$extends(forebayExtension(without, { models }));
const covered = prisma.$extends(forebayExtension(covering));
const byHand = new ByHand(databaseUrl);

type Upsert = (table: Table, rows: readonly Row[]) => Promise<unknown>;

const ways: Readonly<Record<string, Upsert>> = {
  'SQL by hand': (table, rows) => byHand.upsert(table, rows, chunkRows),
  upsertMany: (table, rows) =>
    table === 'clients'
      ? extended.client.upsertMany(rows as Rows['clients'][])
      : extended.task.upsertMany(rows as Rows['tasks'][]),
  'upsertMany, with a store': (table, rows) =>
    table === 'clients'
      ? covered.client.upsertMany(rows as Rows['clients'][])
      : covered.task.upsertMany(rows as Rows['tasks'][]),
  '$transaction of upserts': (table, rows) =>
    table === 'clients'
      ? prisma.$transaction((rows as Rows['clients'][]).map(upsertClient))
      : prisma.$transaction((rows as Rows['tasks'][]).map(upsertTask)),
};

// Conditions under which Prisma makes each one `insert … on conflict do update`.
function upsertClient({ id, ...rest }: Rows['clients']) {
  return prisma.client.upsert({
    where: { id },
    create: { id, ...rest },
    update: rest,
    select: { id: true },
  });
}

function upsertTask({ id, ...rest }: Rows['tasks']) {
  return prisma.task.upsert({ where: { id }, create: { id, ...rest }, update: rest, select: { id: true } });
}

const handlers: UpsertAppHandlers = {
  names: async () => Object.keys(ways),
  async measure(way, table, rows) {
    await clear();
    const upsert = ways[way] as Upsert;
    const insertedPerSecond = await rate(upsert, table, rowsOf(table, rows, 1));
    await prisma.$executeRawUnsafe(`VACUUM ANALYZE ${table}`);
    const updatedPerSecond = await rate(upsert, table, rowsOf(table, rows, 2));
    return { insertedPerSecond, updatedPerSecond, digest: await digestOf(table) };
  },
};

const rowsOf = (table: Table, count: number, write: number): Row[] =>
  Array.from({ length: count }, (_, key) => rowOf(table, key, write));

async function rate(upsert: Upsert, table: Table, rows: readonly Row[]): Promise<number> {
  const startedAt = performance.now();
  await upsert(table, rows);
  return (1_000 * rows.length) / (performance.now() - startedAt);
}

async function clear(): Promise<void> {
  await prisma.$executeRawUnsafe('TRUNCATE clients, tasks, projects, users CASCADE');
  await prisma.user.createMany({
    data: parentIds.map((id) => ({ id, email: `${id}@example.com`, name: id })),
  });
  await prisma.project.createMany({ data: parentIds.map((id) => ({ id, name: id })) });
}

async function digestOf(table: Table): Promise<string> {
  const [found] = await prisma.$queryRawUnsafe<{ digest: string }[]>(
    `SELECT md5(string_agg(t::text, ',' ORDER BY id)) AS digest FROM ${table} AS t`,
  );
  return found?.digest ?? '';
}

serve(handlers, async () => {
  await byHand.close();
  await covering.close();
  await without.close();
  await prisma.$disconnect();
});
