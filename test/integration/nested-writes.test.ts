/** Nested writes of Prisma's with the extension: they drop the entries of the rows that they name, or of all where they name none. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as models from '../../examples/platform/generated/models.js';
import type { Prisma, PrismaClient } from '../../examples/platform/generated/prisma/client.js';
import { record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';
import { forebayExtension } from '../../src/prisma-extension.js';
import { createEnvironment, type Environment } from '../support/environment.js';

const stores = defineStores({
  projects: record({ model: models.Project }),
  members: record({ model: models.TeamMember }),
});
const connect = (environment: Environment) => environment.connect(stores);
type App = Awaited<ReturnType<typeof connect>>;

let environment: Environment;
let plain: PrismaClient;
let app: App;
let prisma: PrismaClient;
/** A client, `a` and `b`: its projects, `c`: nobody's, `d`: none, and `e`: another client's. */
let ids: Record<'client' | 'a' | 'b' | 'c' | 'd' | 'e' | 'user', string>;

beforeAll(async () => {
  environment = await createEnvironment();
  plain = environment.prisma;
  app = await connect(environment);
  prisma = plain.$extends(forebayExtension(app)) as unknown as PrismaClient;
}, 120_000);

afterAll(() => environment?.close());

beforeEach(async () => {
  const mark = randomUUID().slice(0, 8);
  const of = (name: string) => `${name}-${mark}`;
  ids = { client: of('x'), a: of('a'), b: of('b'), c: of('c'), d: of('d'), e: of('e'), user: of('u') };
  await plain.client.createMany({ data: [ids.client, of('y')].map((id) => ({ id, name: id })) });
  await plain.user.create({ data: { id: ids.user, name: 'u', email: ids.user } });
  const project = (id: string, clientId: string | null) => ({ id, name: 'old', clientId });
  await plain.project.createMany({
    data: [
      project(ids.a, ids.client),
      project(ids.b, ids.client),
      project(ids.c, null),
      project(ids.e, of('y')),
    ],
  });
  await app.stores.projects.getMany(projectIds());
  // What is not dropped shows the old name.
  await plain.project.updateMany({ data: { name: 'behind' } });
});

const projectIds = (): string[] => [ids.a, ids.b, ids.c, ids.d, ids.e];

/** Of the projects, those whose entries were dropped. */
async function dropped(): Promise<string[]> {
  const cached = await app.stores.projects.getMany(projectIds());
  const rows = await plain.project.findMany({ where: { id: { in: projectIds() } } });
  const isFresh = (id: string, i: number): boolean => {
    const row = rows.find((one) => one.id === id);
    return row === undefined ? cached[i] === null && id !== ids.d : row.name === cached[i]?.name;
  };
  return projectIds().flatMap((id, i) => (isFresh(id, i) ? [id.charAt(0)] : []));
}

type Nested = Prisma.ProjectUpdateManyWithoutClientNestedInput;

const named: readonly (readonly [verb: string, dropped: string, nested: (id: typeof ids) => Nested])[] = [
  ['connect', 'c', ({ c }) => ({ connect: { id: c } })],
  ['connect of several', 'ce', ({ c, e }) => ({ connect: [{ id: c }, { id: e }] })],
  ['disconnect', 'a', ({ a }) => ({ disconnect: { id: a } })],
  ['update', 'a', ({ a }) => ({ update: { where: { id: a }, data: { name: 'new' } } })],
  [
    'update of a row and its other parent',
    'a',
    ({ a, user }) => ({
      update: [{ where: { id: a }, data: { name: 'new', manager: { connect: { id: user } } } }],
    }),
  ],
  [
    'updateMany of ids',
    'ab',
    ({ a, b }) => ({ updateMany: { where: { id: { in: [a, b] } }, data: { name: 'new' } } }),
  ],
  [
    'upsert that updates',
    'a',
    ({ a }) => ({ upsert: { where: { id: a }, create: { id: a, name: 'n' }, update: { name: 'new' } } }),
  ],
  [
    'upsert that creates',
    'd',
    ({ d }) => ({ upsert: { where: { id: d }, create: { id: d, name: 'n' }, update: { name: 'new' } } }),
  ],
  ['delete', 'a', ({ a }) => ({ delete: { id: a } })],
  ['delete of several', 'ab', ({ a, b }) => ({ delete: [{ id: a }, { id: b }] })],
  ['deleteMany of ids', 'b', ({ b }) => ({ deleteMany: { id: b } })],
  ['create', 'd', ({ d }) => ({ create: { id: d, name: 'n' } })],
  ['create whose id is made', '', () => ({ create: [{ name: 'n' }] })],
  ['createMany', 'd', ({ d }) => ({ createMany: { data: [{ id: d, name: 'n' }, { name: 'm' }] } })],
  [
    'connectOrCreate that connects',
    'c',
    ({ c }) => ({ connectOrCreate: { where: { id: c }, create: { id: c, name: 'n' } } }),
  ],
  [
    'connectOrCreate that creates',
    'd',
    ({ d }) => ({ connectOrCreate: { where: { id: d }, create: { id: d, name: 'n' } } }),
  ],
  [
    'several verbs',
    'acd',
    ({ a, c, d }) => ({ connect: { id: c }, delete: { id: a }, create: { id: d, name: 'n' } }),
  ],
];

const unnamed: readonly (readonly [verb: string, nested: (id: typeof ids) => Nested])[] = [
  ['set', ({ c }) => ({ set: [{ id: c }] })],
  [
    'updateMany of other fields',
    () => ({ updateMany: { where: { name: 'behind' }, data: { description: 'x' } } }),
  ],
  ['deleteMany', () => ({ deleteMany: {} })],
  ['update of an id', ({ a, d }) => ({ update: { where: { id: a }, data: { id: d } } })],
];

describe('a nested write', () => {
  it.each(named)('by %s drops the entries of %j, and no other', async (_, expected, nested) => {
    await prisma.client.update({ where: { id: ids.client }, data: { projects: nested(ids) } });
    // What was read as absent is `d`, which is there now.
    const created = expected.includes('d');
    expect((await dropped()).join('')).toBe(expected);
    expect(await app.stores.projects.get(ids.d)).toEqual(
      created ? await plain.project.findUnique({ where: { id: ids.d } }) : null,
    );
  });

  it.each(unnamed)('by %s, which names no ids, drops all of the store', async (_, nested) => {
    await prisma.client.update({ where: { id: ids.client }, data: { projects: nested(ids) } });
    const cached = await app.stores.projects.getMany(projectIds());
    for (const [i, id] of projectIds().entries())
      expect(cached[i]).toEqual(await plain.project.findUnique({ where: { id } }));
  });

  it('of the row that refers, drops nothing of the one that is referred to', async () => {
    await prisma.task.create({ data: { title: 't', project: { connect: { id: ids.a } } } });
    expect(await dropped()).toEqual([]);
  });

  it('of a row a part of whose id is the parent’s, drops all of the store', async () => {
    const id = { projectId: ids.a, userId: ids.user };
    expect(await app.stores.members.get(id)).toBeNull();
    await prisma.project.update({ where: { id: ids.a }, data: { team: { create: { userId: ids.user } } } });
    expect(await app.stores.members.get(id)).toMatchObject(id);
  });

  it('in a one-to-one relation, drops all: the row whose place is taken is not named', async () => {
    const one = defineStores({ projects: record({ model: { ...models.Project, onlyOneOf: ['Client'] } }) });
    const db = plain.$extends(forebayExtension(await environment.connect(one)));
    await db.client.update({ where: { id: ids.client }, data: { projects: { connect: { id: ids.c } } } });
    expect((await dropped()).join('')).toBe('abce');
  });

  it('deep in others is found', async () => {
    const tasks = {
      create: {
        title: 't',
        assignee: { create: { name: 'v', email: ids.d, managedProjects: { connect: { id: ids.c } } } },
      },
    };
    await prisma.client.update({
      where: { id: ids.client },
      data: { projects: { update: { where: { id: ids.a }, data: { tasks } } } },
    });
    expect((await dropped()).join('')).toBe('ac');
  });
});
