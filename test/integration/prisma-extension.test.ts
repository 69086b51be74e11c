/** The Prisma extension: every operation, of models that a store covers and of others, alone and in transactions, beside plain Prisma. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, expectTypeOf, it } from 'vitest';
import * as models from '../../examples/platform/generated/models.js';
import { PrismaClient } from '../../examples/platform/generated/prisma/client.js';
import { createPrismaAdapter } from '../../src/connection/postgres.js';
import { counter } from '../../src/definitions/counter.js';
import { record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';
import { forebayExtension } from '../../src/prisma-extension.js';
import { createEnvironment, type Environment } from '../support/environment.js';

const options = { partitions: 2, delayMs: 1 };
const projects = record({ model: models.Project, counters: ['views', 'touches'], ...options });
const stores = defineStores({
  users: record({ model: models.User, ...options }),
  projects,
  projectViews: counter({ of: projects, field: 'views' }),
  members: record({ model: models.TeamMember, ...options }),
});

const connect = (environment: Environment) => environment.connect(stores);
const extend = (prisma: PrismaClient, app: App) => prisma.$extends(forebayExtension(app, { models }));

type App = Awaited<ReturnType<typeof connect>>;
type Extended = ReturnType<typeof extend>;
/** What the operations are done with: the extended client, or a transaction of it. */
type Db = Omit<Extended, '$extends' | '$transaction' | '$connect' | '$disconnect'>;

let environment: Environment;
let plain: PrismaClient;
let app: App;
let prisma: Extended;

/** Of the rows of a test: `a` and `b` are there, `c` and `d` are not. */
interface Ids {
  readonly a: string;
  readonly b: string;
  readonly c: string;
  readonly d: string;
  /** What only their names and addresses contain. */
  readonly mark: string;
}

let ids: Ids;

const userOf = (id: string, { mark }: Ids, name = 'old') => ({
  id,
  email: `${id}@${mark}`,
  name: `${name} ${mark}`,
});
const everyId = ({ a, b, c, d }: Ids): string[] => [a, b, c, d];

beforeAll(async () => {
  environment = await createEnvironment();
  plain = environment.prisma;
  app = await connect(environment);
  prisma = extend(plain, app);
  await environment.startWorker(stores);
}, 120_000);

afterAll(() => environment?.close());

beforeEach(async () => {
  const mark = randomUUID().slice(0, 8);
  ids = { a: `a-${mark}`, b: `b-${mark}`, c: `c-${mark}`, d: `d-${mark}`, mark };
  await plain.user.createMany({ data: [userOf(ids.a, ids), userOf(ids.b, ids)] });
  await app.stores.users.getMany(everyId(ids));
});

/** The cache shows what the database has. */
async function expectSame(): Promise<void> {
  const rows = await plain.user.findMany({ where: { id: { in: everyId(ids) } } });
  const byId = new Map(rows.map((row) => [row.id, row]));
  expect(await app.stores.users.getMany(everyId(ids))).toEqual(
    everyId(ids).map((id) => byId.get(id) ?? null),
  );
}

type Write = readonly [name: string, run: (db: Db, ids: Ids) => Promise<unknown>];

const writes: readonly Write[] = [
  ['create', (db, ids) => db.user.create({ data: userOf(ids.c, ids) })],
  [
    'create, without the id in its result',
    (db, ids) => db.user.create({ data: userOf(ids.c, ids), select: { name: true } }),
  ],
  ['createMany', (db, ids) => db.user.createMany({ data: [userOf(ids.c, ids), userOf(ids.d, ids)] })],
  [
    'createMany, ids made',
    (db, { mark }) => db.user.createMany({ data: [{ email: `e@${mark}`, name: 'made' }] }),
  ],
  [
    'createManyAndReturn',
    (db, ids) => db.user.createManyAndReturn({ data: [userOf(ids.c, ids)], select: { email: true } }),
  ],
  ['update by id', (db, { a }) => db.user.update({ where: { id: a }, data: { name: 'new' } })],
  [
    'update by another unique field',
    (db, { a, mark }) => db.user.update({ where: { email: `${a}@${mark}` }, data: { name: 'new' } }),
  ],
  [
    'update with a select',
    (db, { a, mark }) =>
      db.user.update({ where: { email: `${a}@${mark}` }, data: { name: 'new' }, select: { name: true } }),
  ],
  [
    'update with an omit',
    (db, { a, mark }) =>
      db.user.update({
        where: { email: `${a}@${mark}` },
        data: { name: 'new' },
        omit: { id: true, role: true },
      }),
  ],
  [
    'update with an include',
    (db, { a }) => db.user.update({ where: { id: a }, data: { name: 'new' }, include: { tasks: true } }),
  ],
  ['update of the id', (db, { a, c }) => db.user.update({ where: { id: a }, data: { id: c } })],
  [
    'update of the id by another field',
    (db, { a, c, mark }) => db.user.update({ where: { email: `${a}@${mark}` }, data: { id: c } }),
  ],
  [
    'upsert that creates',
    (db, ids) => db.user.upsert({ where: { id: ids.c }, create: userOf(ids.c, ids), update: {} }),
  ],
  [
    'upsert that updates',
    (db, ids) =>
      db.user.upsert({
        where: { email: `${ids.a}@${ids.mark}` },
        create: userOf(ids.c, ids),
        update: { name: 'new' },
      }),
  ],
  ['delete by id', (db, { a }) => db.user.delete({ where: { id: a } })],
  [
    'delete by another unique field',
    (db, { a, mark }) => db.user.delete({ where: { email: `${a}@${mark}` }, select: { name: true } }),
  ],
  [
    'updateMany of ids',
    (db, { a, b }) => db.user.updateMany({ where: { id: { in: [a, b] } }, data: { name: 'new' } }),
  ],
  [
    'updateMany of an id and more',
    (db, { a, mark }) => db.user.updateMany({ where: { id: a, name: `old ${mark}` }, data: { name: 'new' } }),
  ],
  [
    'updateMany of another field',
    (db, { mark }) => db.user.updateMany({ where: { name: `old ${mark}` }, data: { name: 'new' } }),
  ],
  [
    'updateMany with a limit',
    (db, { mark }) => db.user.updateMany({ where: { name: `old ${mark}` }, data: { name: 'new' }, limit: 1 }),
  ],
  [
    'updateMany of an id, by another field',
    (db, { a, c, mark }) => db.user.updateMany({ where: { email: `${a}@${mark}` }, data: { id: c } }),
  ],
  [
    'updateManyAndReturn',
    (db, { mark }) =>
      db.user.updateManyAndReturn({
        where: { name: `old ${mark}` },
        data: { name: 'new' },
        select: { name: true },
      }),
  ],
  ['deleteMany of ids', (db, { a, b }) => db.user.deleteMany({ where: { id: { in: [a, b] } } })],
  [
    'deleteMany of another field',
    (db, { mark }) => db.user.deleteMany({ where: { email: { endsWith: mark } } }),
  ],
  [
    'a nested write of a covered model',
    (db, ids) => db.project.create({ data: { name: 'p', manager: { create: userOf(ids.c, ids) } } }),
  ],
  [
    'a nested write of another model',
    (db, ids) =>
      db.client.create({
        data: {
          name: 'c',
          projects: {
            create: {
              name: 'p',
              manager: { connectOrCreate: { where: { id: ids.c }, create: userOf(ids.c, ids) } },
            },
          },
        },
      }),
  ],
];

const ownWrites: readonly Write[] = [
  ['upsertMany', (db, ids) => db.user.upsertMany([userOf(ids.a, ids, 'new'), userOf(ids.c, ids, 'new')])],
];

describe.each([...writes, ...ownWrites])('%s', (name, run) => {
  it('alone, drops the entries of the rows', async () => {
    await run(prisma, ids);
    await expectSame();
  });

  it('in a transaction, drops them when it has ended, also those that were read meanwhile', async () => {
    await prisma.$transaction(async (tx) => {
      await run(tx, ids);
      await app.stores.users.getMany(everyId(ids));
    });
    await expectSame();
  });

  it('in a transaction that is rolled back, changes nothing', async () => {
    const before = await app.stores.users.getMany(everyId(ids));
    const undone = prisma.$transaction(async (tx) => {
      await run(tx, ids);
      throw new Error('undo');
    });
    await expect(undone).rejects.toThrow('undo');
    expect(await app.stores.users.getMany(everyId(ids))).toEqual(before);
    await expectSame();
  });

  it.runIf(name !== 'upsertMany')('in a list of operations, is one transaction with the others', async () => {
    const list = (last: string) => [
      run(prisma, ids) as never,
      prisma.client.create({ data: { id: last, name: 'last' } }),
    ];
    await plain.client.create({ data: { id: `twice-${ids.mark}`, name: 'first' } });
    await expect(prisma.$transaction(list(`twice-${ids.mark}`))).rejects.toThrow();
    expect(await plain.user.count({ where: { name: `old ${ids.mark}`, id: { in: [ids.a, ids.b] } } })).toBe(
      2,
    );
    await expectSame();
    await prisma.$transaction(list(`once-${ids.mark}`));
    await expectSame();
  });
});

it('a write whose entries Redis does not drop succeeds, and that is told', async () => {
  const closed = await connect(environment);
  const db = extend(plain, closed);
  await closed.close();
  await db.user.update({ where: { id: ids.a }, data: { name: 'new' } });
  expect(await plain.user.findUnique({ where: { id: ids.a } })).toMatchObject({ name: 'new' });
  expect(environment.events).toContainEqual(
    expect.objectContaining({ type: 'entries.not-dropped', store: 'users' }),
  );
});

it('drops nothing of a parent that is only connected', async () => {
  await plain.user.update({ where: { id: ids.a }, data: { name: 'behind' } });
  await prisma.project.create({ data: { name: 'p', manager: { connect: { id: ids.a } } } });
  expect(await prisma.user.findUnique({ where: { id: ids.a } })).toMatchObject({ name: `old ${ids.mark}` });
});

it('leaves out what the client itself is to omit', async () => {
  const options = { connections: 1, name: 'omitting' };
  const adapter = createPrismaAdapter(environment.env.DATABASE_URL, options);
  const omitting = new PrismaClient({ adapter, omit: { user: { email: true, id: true } } });
  const db = omitting.$extends(forebayExtension(app));
  expect(await db.user.findUnique({ where: { id: ids.a } })).toEqual(
    await omitting.user.findUnique({ where: { id: ids.a } }),
  );
  const data = { name: 'new' };
  expect(await db.user.update({ where: { email: `${ids.a}@${ids.mark}` }, data })).not.toHaveProperty('id');
  await expectSame();
  await omitting.$disconnect();
});

describe('results', () => {
  it('are as plain Prisma gives them, without the id that was asked for in between', async () => {
    const { a, mark } = ids;
    const where = { email: `${a}@${mark}` };
    expect(await prisma.user.update({ where, data: { name: 'x' }, select: { name: true } })).toEqual({
      name: 'x',
    });
    const omit = { id: true, createdAt: true, updatedAt: true, lastSeenAt: true, role: true } as const;
    expect(await prisma.user.update({ where, data: { name: 'y' }, omit })).toEqual({
      email: where.email,
      name: 'y',
    });
    expect(await prisma.user.updateMany({ where: { id: a }, data: { name: 'z' } })).toEqual({ count: 1 });
  });

  it('of models without a store are Prisma’s own', async () => {
    const { mark } = ids;
    const made = await prisma.client.create({ data: { id: mark, name: 'c' } });
    expect(await plain.client.findUnique({ where: { id: mark } })).toEqual(made);
    expect(await prisma.client.findUnique({ where: { id: mark } })).toEqual(made);
    expect(await prisma.client.deleteMany({ where: { id: mark } })).toEqual({ count: 1 });
  });
});

type Read = readonly [name: string, run: (db: Db, ids: Ids) => Promise<unknown>, isCached: boolean];

const reads: readonly Read[] = [
  ['findUnique', (db, { a }) => db.user.findUnique({ where: { id: a } }), true],
  ['findUniqueOrThrow', (db, { a }) => db.user.findUniqueOrThrow({ where: { id: a } }), true],
  [
    'findUnique with a select of columns',
    (db, { a }) => db.user.findUnique({ where: { id: a }, select: { name: true, email: true } }),
    true,
  ],
  [
    'findUnique with an omit',
    (db, { a }) => db.user.findUnique({ where: { id: a }, omit: { email: true } }),
    true,
  ],
  ['findMany of ids', (db, { a }) => db.user.findMany({ where: { id: { in: [a] } } }), true],
  [
    'findMany of ids with a select',
    (db, { a }) => db.user.findMany({ where: { id: { in: [a] } }, select: { name: true } }),
    true,
  ],
  [
    'findUnique by another field',
    (db, { a, mark }) => db.user.findUnique({ where: { email: `${a}@${mark}` } }),
    false,
  ],
  [
    'findUnique by id and more',
    (db, { a }) => db.user.findUnique({ where: { id: a, role: 'MEMBER' } }),
    false,
  ],
  [
    'findUnique with a relation',
    (db, { a }) => db.user.findUnique({ where: { id: a }, include: { tasks: true } }),
    false,
  ],
  [
    'findUnique with a relation in its select',
    (db, { a }) => db.user.findUnique({ where: { id: a }, select: { name: true, tasks: true } }),
    false,
  ],
  [
    'findMany in an order',
    (db, { a }) => db.user.findMany({ where: { id: { in: [a] } }, orderBy: { name: 'asc' } }),
    false,
  ],
  [
    'findMany of ids and more',
    (db, { a }) => db.user.findMany({ where: { id: { in: [a] }, role: 'MEMBER' } }),
    false,
  ],
  ['findFirst', (db, { a }) => db.user.findFirst({ where: { id: a } }), false],
];

describe.each(reads)('%s', (_name, run, isCached) => {
  const changeBehind = () => plain.user.update({ where: { id: ids.a }, data: { name: 'behind' } });

  it(isCached ? 'is read through the cache' : 'goes to the database', async () => {
    const before = await run(plain as unknown as Db, ids);
    await changeBehind();
    const after = await run(plain as unknown as Db, ids);
    expect(after).not.toEqual(before);
    expect(await run(prisma, ids)).toEqual(isCached ? before : after);
    await app.stores.users.evict(ids.a);
    expect(await run(prisma, ids)).toEqual(after);
  });

  it('in a transaction, goes to the database', async () => {
    await changeBehind();
    const after = await run(plain as unknown as Db, ids);
    expect(await prisma.$transaction((tx) => run(tx, ids))).toEqual(after);
    expect(await prisma.$transaction([run(prisma, ids) as never])).toEqual([after]);
  });
});

describe('reads', () => {
  it('see what is accepted and not in the database yet', async () => {
    await prisma.user.writeBehind.put(userOf(ids.c, ids, 'pending'));
    expect(await prisma.user.findUnique({ where: { id: ids.c } })).toMatchObject({
      name: `pending ${ids.mark}`,
    });
    await app.flush();
    expect(await plain.user.findUnique({ where: { id: ids.c } })).toMatchObject({
      name: `pending ${ids.mark}`,
    });
  });

  it('of rows that are not there are null, and throw what Prisma throws', async () => {
    expect(await prisma.user.findUnique({ where: { id: ids.c } })).toBeNull();
    expect(await prisma.user.findUnique({ where: { id: '' } })).toBeNull();
    await expect(prisma.user.findUniqueOrThrow({ where: { id: ids.c } })).rejects.toMatchObject({
      code: 'P2025',
    });
    const twice = await prisma.user.findMany({ where: { id: { in: [ids.a, ids.c, ids.a] } } });
    expect(twice.map(({ id }) => id)).toEqual([ids.a]);
  });

  it('have the counters of the row, where these have a store', async () => {
    const { mark } = ids;
    await plain.project.create({ data: { id: mark, name: 'p' } });
    await app.stores.projectViews.add(mark, 3);
    const select = { id: true, name: true, views: true } as const;
    expect(await prisma.project.findUnique({ where: { id: mark }, select })).toEqual({
      id: mark,
      name: 'p',
      views: 3n,
    });
    // `touches` has none.
    await app.flush();
    expect(await prisma.project.findUnique({ where: { id: mark } })).toEqual(
      await plain.project.findUnique({ where: { id: mark } }),
    );
    await prisma.project.update({ where: { id: mark }, data: { views: 10 } });
    expect(await app.stores.projectViews.get(mark)).toBe(10n);
  });

  it('of composite ids go through the cache, and writes drop them', async () => {
    const { a, mark } = ids;
    await plain.project.create({ data: { id: mark, name: 'p' } });
    const where = { projectId_userId: { projectId: mark, userId: a } };
    const member = { projectId: mark, userId: a };
    expect(await prisma.teamMember.findUnique({ where })).toBeNull();
    const made = await plain.teamMember.create({ data: member });
    expect(await prisma.teamMember.findUnique({ where })).toBeNull();
    await prisma.teamMember.updateMany({ where: member, data: { role: 'LEAD' } });
    expect(await prisma.teamMember.findUnique({ where })).toMatchObject({
      ...member,
      role: 'LEAD',
      joinedAt: made.joinedAt,
    });
    await prisma.teamMember.delete({ where });
    expect(await prisma.teamMember.findUnique({ where })).toBeNull();
    expect(await prisma.teamMember.upsertMany([{ ...member, role: 'VIEWER' }])).toEqual({ count: 1 });
    expect(await prisma.teamMember.findUnique({ where })).toMatchObject({ role: 'VIEWER' });
  });

  it('have the fields that other extensions compute', async () => {
    const computing = prisma.$extends({
      result: { user: { label: { needs: { name: true }, compute: ({ name }) => `<${name}>` } } },
    });
    expect((await computing.user.findUnique({ where: { id: ids.a } }))?.label).toBe(`<old ${ids.mark}>`);
    await computing.user.update({ where: { id: ids.a }, data: { name: 'x' } });
    expect((await computing.user.findUnique({ where: { id: ids.a } }))?.label).toBe('<x>');
  });
});

describe('upsertMany', () => {
  const withoutTimes = ({ createdAt: _created, updatedAt: _updated, ...row }: Record<string, unknown>) => row;
  const withoutId = ({ id: _id, email: _email, ...row }: Record<string, unknown>) => withoutTimes(row);

  it('does with rows that are there and rows that are not what upsert does', async () => {
    const { a, b, c, d, mark } = ids;
    await plain.user.updateMany({
      where: { id: { in: [a, b] } },
      data: { role: 'ADMIN', lastSeenAt: new Date(5) },
    });
    const old = await plain.user.findUniqueOrThrow({ where: { id: a } });
    for (const [one, other] of [
      [a, b],
      [c, d],
    ] as const) {
      const row = { email: `${one}@${mark}`, name: 'upserted' };
      await plain.user.upsert({ where: { id: one }, create: { id: one, ...row }, update: row });
      await prisma.user.upsertMany([{ id: other, email: `${other}@${mark}`, name: 'upserted' }]);
      const [theirs, ours] = await Promise.all(
        [one, other].map((id) => plain.user.findUniqueOrThrow({ where: { id } })),
      );
      expect(withoutId(ours as never)).toEqual(withoutId(theirs as never));
    }
    const now = await plain.user.findUniqueOrThrow({ where: { id: b } });
    expect(now).toMatchObject({ role: 'ADMIN', createdAt: old.createdAt });
    expect(now.updatedAt.getTime()).toBeGreaterThan(old.updatedAt.getTime());
  });

  it('takes a row that comes again after those before it, and rows with other fields', async () => {
    const { a, c, mark } = ids;
    const rows = [
      { ...userOf(a, ids), role: 'ADMIN' as const },
      userOf(c, ids, 'first'),
      { ...userOf(a, ids), name: 'again' },
      { ...userOf(c, ids), name: 'third', role: 'MANAGER' as const },
    ];
    expect(await prisma.user.upsertMany(rows)).toEqual({ count: 4 });
    expect(await prisma.user.findUnique({ where: { id: a } })).toMatchObject({
      name: 'again',
      role: 'ADMIN',
    });
    expect(await plain.user.findUnique({ where: { id: c } })).toMatchObject({
      name: 'third',
      role: 'MANAGER',
    });
    expect(await plain.user.count({ where: { email: { endsWith: mark } } })).toBe(3);
  });

  it('of more rows, and more values, than one statement takes, writes all or none', async () => {
    const { mark } = ids;
    const rows = Array.from({ length: 22_001 }, (_, i) => ({
      id: `${mark}-${i}`,
      name: `n${i}`,
      email: 'e',
    }));
    expect(await prisma.client.upsertMany(rows)).toEqual({ count: rows.length });
    const changed = rows.map((row, i) => ({
      ...row,
      name: 'changed',
      ...(i === 22_000 ? { id: `${mark}-x` } : {}),
    }));
    const refused = [...changed, { id: `${mark}-y`, name: 'y', createdAt: null as never }];
    await expect(prisma.client.upsertMany(refused)).rejects.toMatchObject({
      code: 'INVALID_VALUE',
      context: { index: 22_001 },
    });
    await plain.$executeRawUnsafe(
      `ALTER TABLE clients ADD CONSTRAINT "not ${mark}" CHECK (id <> '${mark}-x')`,
    );
    await expect(prisma.client.upsertMany(changed)).rejects.toThrow();
    expect(await plain.client.count({ where: { name: 'changed' } })).toBe(0);
  });

  it('gives rows of a store with versions the time in µs', async () => {
    const versioned = defineStores({ versioned: record({ model: models.Project, version: 'views' }) });
    const db = plain.$extends(forebayExtension(await environment.connect(versioned)));
    const row = { id: ids.mark, name: 'p' };
    let before = BigInt(Date.now()) * 1_000n;
    for (let write = 1; write <= 2; write++) {
      await db.project.upsertMany([row]);
      const { views } = await plain.project.findUniqueOrThrow({ where: { id: ids.mark } });
      expect(views).toBeGreaterThanOrEqual(before);
      before = views;
    }
    expect(before).toBeLessThanOrEqual(BigInt(Date.now()) * 1_000n);
  });

  it('makes ids that are left out, and refuses what the columns can’t hold, with the row’s index', async () => {
    expect(
      await prisma.client.upsertMany([{ name: `made ${ids.mark}` }, { name: `made ${ids.mark}` }]),
    ).toEqual({ count: 2 });
    expect(await plain.client.count({ where: { name: `made ${ids.mark}` } })).toBe(2);
    const bad = [userOf(ids.a, ids, 'new'), { ...userOf(ids.c, ids), role: 'KING' as never }];
    await expect(prisma.user.upsertMany(bad)).rejects.toMatchObject({
      code: 'INVALID_VALUE',
      context: { index: 1 },
    });
    await expect(prisma.user.upsertMany([{ ...userOf('', ids) }])).rejects.toMatchObject({
      code: 'INVALID_ID',
      context: { index: 0 },
    });
    expect(await plain.user.findUnique({ where: { id: ids.a } })).toMatchObject({ name: `old ${ids.mark}` });
    expect(await prisma.user.upsertMany([])).toEqual({ count: 0 });
  });

  it('is typed by the model', () => {
    type Rows = Parameters<Extended['user']['upsertMany']>[0];
    expectTypeOf<{ email: string; name: string }[]>().toExtend<Rows>();
    expectTypeOf<{ email: string }[]>().not.toExtend<Rows>();
    expectTypeOf<{ email: string; name: number }[]>().not.toExtend<Rows>();
    expectTypeOf<{ name: string; views: bigint }[]>().toExtend<
      Parameters<Extended['project']['upsertMany']>[0]
    >();
    expectTypeOf<{ projectId: string }[]>().not.toExtend<
      Parameters<Extended['teamMember']['upsertMany']>[0]
    >();
    expectTypeOf<{ name: string }[]>().toExtend<Parameters<Extended['client']['upsertMany']>[0]>();
    expectTypeOf<Extended['user']['writeBehind']>().toEqualTypeOf<App['stores']['users']>();
    expectTypeOf<Extended['client']>().not.toHaveProperty('writeBehind');
    expectTypeOf<Db['user']['findUnique']>().toBeFunction();
  });
});
