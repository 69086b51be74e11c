import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Project } from '../../examples/platform/generated/models.js';
import type { Forebay } from '../../src/app/connect.js';
import { type Lane, Lanes } from '../../src/buffer/lane.js';
import { WriteBuffer } from '../../src/buffer/write-buffer.js';
import { counter } from '../../src/definitions/counter.js';
import type { Field, FieldType, Model } from '../../src/definitions/model.js';
import { record } from '../../src/definitions/record.js';
import { defineStores, type Stores } from '../../src/definitions/stores.js';
import type { EventType } from '../../src/events.js';
import { createEnvironment, type Environment } from '../support/environment.js';

/** A column that counts in the domain, and is the rows' version here. */
const options = { partitions: 1, delayMs: 1 };
const projects = record({ model: Project, version: 'views', counters: ['touches'], ...options });
const stores = defineStores({ projects, touches: counter({ of: projects, field: 'touches' }) });
type App = Forebay<(typeof stores)['definitions']>;

let environment: Environment;
let app: App;

beforeEach(async () => {
  environment = await createEnvironment();
  app = await environment.connect(stores);
});

afterEach(() => environment.close());

describe('a row has the version of its last write', () => {
  it('in the database, and not among the fields of the store', async () => {
    await environment.startWorker(stores);
    const { version } = await app.stores.projects.put({ id: 'p', name: 'first' });
    await app.flush();
    expect(await rowOf('p')).toEqual({ name: 'first', views: version });
    const again = await app.stores.projects.put({ id: 'p', name: 'second' });
    await app.flush();
    expect(await rowOf('p')).toEqual({ name: 'second', views: again.version });
    await forget();
    const { row } = await app.stores.projects.getVersioned('p');
    expect(row).toMatchObject({ id: 'p', name: 'second' });
    expect(row).not.toHaveProperty('views');
    expect(overtaken()).toEqual([]);
  });

  it('which putIf compares, also when Redis has lost its memory', async () => {
    await environment.startWorker(stores);
    const seen = await app.stores.projects.put({ id: 'p', name: 'first' });
    await app.flush();
    await forget();
    expect(await app.stores.projects.getVersioned('p')).toMatchObject({ version: seen.version });
    await app.stores.projects.putIf({ id: 'p', name: 'second' }, seen);
    expect(await app.stores.projects.get('p')).toMatchObject({ name: 'second' });
  });

  it('and who has read it writes a newer one, also when it is ahead of the clock', async () => {
    await environment.startWorker(stores);
    const ahead = BigInt(Date.now() + 3_600_000) * 1_000n;
    await environment.prisma.project.create({ data: { id: 'p', name: 'theirs', views: ahead } });
    await app.stores.projects.update('p', (row) => ({ ...row, id: 'p', name: `${row?.name}, then mine` }));
    await app.flush();
    expect(await rowOf('p')).toEqual({ name: 'theirs, then mine', views: ahead + 1n });
    expect(overtaken()).toEqual([]);
  });

  it('or one that is no time, which does not spoil the versions of other writes', async () => {
    await environment.prisma.project.create({ data: { id: 'p', name: 'theirs', views: 2n ** 63n - 1n } });
    expect(await app.stores.projects.getVersioned('p')).toMatchObject({ version: 2n ** 63n - 1n });
    const [one, two] = await app.stores.projects.putMany(['q', 'r'].map((id) => ({ id, name: 'mine' })));
    expect(Number(one?.version)).toBeLessThan(Date.now() * 1_000 + 60_000_000);
    expect(two?.version).toBeGreaterThan(one?.version as bigint);
  });

  it('or one that nobody has set, which any write replaces', async () => {
    await environment.prisma.project.create({ data: { id: 'p', name: 'old' } });
    const seen = await app.stores.projects.getVersioned('p');
    expect(seen.version).toBeGreaterThan(1_700_000_000_000_000n);
    const put = await app.stores.projects.putIf({ id: 'p', name: 'new' }, seen);
    await environment.startWorker(stores);
    await app.flush();
    expect(await rowOf('p')).toEqual({ name: 'new', views: put.version });
  });
});

describe('a newer row is not replaced', () => {
  it('by a write of a Redis that was restored to an older state; readers see the newer row', async () => {
    await app.stores.projects.put({ id: 'p', name: 'old' });
    const restore = await snapshot();
    const newer = await app.stores.projects.put({ id: 'p', name: 'new' });
    await environment.startWorker(stores);
    await app.flush();
    await restore();
    await app.flush();
    expect(await rowOf('p')).toEqual({ name: 'new', views: newer.version });
    expect(overtaken()).toEqual([
      { type: 'rows.overtaken', lane: 'projects/0', store: 'projects', count: 1 },
    ]);
    expect(await app.stores.projects.get('p')).toMatchObject({ name: 'new' });
  });

  it('by a write that another program overtook, beside writes that are applied', async () => {
    await environment.startWorker(stores);
    await app.stores.projects.putMany(['a', 'b', 'c'].map((id) => ({ id, name: 'first' })));
    await app.flush();
    await theirs('b');
    await app.stores.projects.putMany(['a', 'b', 'c'].map((id) => ({ id, name: 'mine' })));
    await app.flush();
    expect(await app.stores.projects.getMany(['a', 'b', 'c'])).toMatchObject([
      { name: 'mine' },
      { name: 'theirs' },
      { name: 'mine' },
    ]);
    expect(overtaken()).toMatchObject([{ count: 1 }]);
    await app.stores.projects.update('b', (row) => ({ ...row, id: 'b', name: 'mine after all' }));
    await app.flush();
    expect(await rowOf('b')).toMatchObject({ name: 'mine after all' });
    expect(overtaken()).toHaveLength(1);
  });

  it('nor deleted, nor deleted and made anew', async () => {
    await environment.startWorker(stores);
    await app.stores.projects.putMany(['d', 'r'].map((id) => ({ id, name: 'first' })));
    await app.flush();
    await Promise.all(['d', 'r'].map(theirs));
    await app.stores.projects.delete('d');
    const replaced = [
      app.stores.projects.delete('r'),
      app.stores.projects.put({ id: 'r', name: 'anew' }),
    ] as const;
    await Promise.all(replaced);
    await app.flush();
    expect(await app.stores.projects.getMany(['d', 'r'])).toMatchObject([
      { name: 'theirs' },
      { name: 'theirs' },
    ]);
    expect(overtaken().reduce((sum, { count }) => sum + count, 0)).toBe(2);
  });

  it('nor are its unique columns changed', async () => {
    const things = await thingStores();
    const client = await environment.connect(things);
    await environment.startWorker(things);
    await client.stores.things.put({ id: 'x', code: 'first' });
    await client.flush();
    await environment.prisma.$executeRawUnsafe(`UPDATE things SET code = 'theirs', v = v + 3600000000`);
    await client.stores.things.put({ id: 'x', code: 'mine' });
    await client.flush();
    expect(await environment.prisma.$queryRawUnsafe('SELECT code FROM things')).toEqual([{ code: 'theirs' }]);
  });
});

describe('a program that knows nothing of versions is given its own by the trigger of docs/operations.md', () => {
  it('so that a pending write gives way to its newer one, and one that is made on top of it does not', async () => {
    await addTrigger('projects', 'views');
    await environment.prisma.$executeRawUnsafe(
      "INSERT INTO projects (id, name, updated_at) VALUES ('p', 'first', now())",
    );
    await app.stores.projects.put({ id: 'p', name: 'mine' });
    await app.stores.touches.add('p', 2);
    await environment.prisma.$executeRawUnsafe("UPDATE projects SET name = 'theirs' WHERE id = 'p'");
    await environment.startWorker(stores);
    await app.flush();
    expect(overtaken()).toMatchObject([{ store: 'projects', count: 1 }]);
    expect(await app.stores.projects.get('p')).toMatchObject({ name: 'theirs' });
    expect(await app.stores.touches.get('p')).toBe(2);
    await app.stores.projects.patch('p', { name: 'mine after all' });
    await app.flush();
    expect(await rowOf('p')).toMatchObject({ name: 'mine after all' });
    expect(overtaken()).toHaveLength(1);
  });

  it('and what forebay itself writes keeps its own, also in several statements and beside deltas', async () => {
    const things = await thingStores();
    await addTrigger('things', 'v');
    await addTrigger('projects', 'views');
    const client = await environment.connect(things);
    await environment.startWorker(things);
    await environment.startWorker(stores);
    await client.stores.things.putMany([
      { id: 'x', code: 'first' },
      { id: 'y', code: 'second' },
    ]);
    await client.flush();
    await client.stores.things.putMany([
      { id: 'x', code: 'second' },
      { id: 'y', code: 'first' },
    ]);
    await client.flush();
    expect(await environment.prisma.$queryRawUnsafe('SELECT id, code FROM things ORDER BY id')).toEqual([
      { id: 'x', code: 'second' },
      { id: 'y', code: 'first' },
    ]);
    const { version } = await app.stores.projects.put({ id: 'p', name: 'mine' });
    await app.flush();
    await app.stores.touches.add('p', 1);
    await app.flush();
    expect(await rowOf('p')).toEqual({ name: 'mine', views: version });
    expect(overtaken()).toEqual([]);
  });
});

describe('an older row is replaced and deleted', () => {
  it('also when its unique columns change', async () => {
    const things = await thingStores();
    const client = await environment.connect(things);
    await environment.startWorker(things);
    await client.stores.things.put({ id: 'x', code: 'first' });
    await client.stores.things.put({ id: 'y', code: 'other' });
    await client.flush();
    await client.stores.things.put({ id: 'x', code: 'second' });
    await client.stores.things.delete('y');
    await client.flush();
    expect(await environment.prisma.$queryRawUnsafe('SELECT id, code FROM things')).toEqual([
      { id: 'x', code: 'second' },
    ]);
    expect(overtaken()).toEqual([]);
  });
});

describe('a batch that was applied and not acknowledged', () => {
  it('is not reported as overtaken when it comes again', async () => {
    const put = await app.stores.projects.put({ id: 'p', name: 'once' });
    const buffer = new WriteBuffer(environment.redis, environment.config.prefix);
    await expect
      .poll(async () => (await buffer.seal(lane(), { recordsMax: 1_000, delayMs: 0, floor: 0n })).kind)
      .toBe('batch');
    const restore = await snapshot();
    await environment.startWorker(stores);
    await app.flush();
    await restore();
    await app.flush();
    expect(told('batch.applied')).toMatchObject([{ applied: true }, { applied: false }]);
    expect(overtaken()).toEqual([]);
    expect(await app.stores.projects.getVersioned('p')).toMatchObject({ version: put.version });
  });

  it('has its entries dropped where another program has overtaken it', async () => {
    await app.stores.projects.put({ id: 'p', name: 'mine' });
    const buffer = new WriteBuffer(environment.redis, environment.config.prefix);
    await expect
      .poll(async () => (await buffer.seal(lane(), { recordsMax: 1_000, delayMs: 0, floor: 0n })).kind)
      .toBe('batch');
    const restore = await snapshot();
    await environment.startWorker(stores);
    await app.flush();
    await theirs('p');
    await restore();
    await app.flush();
    expect(await app.stores.projects.get('p')).toMatchObject({ name: 'theirs' });
  });
});

/** As the page has it. */
async function addTrigger(table: string, column: string): Promise<void> {
  const page = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
  const block = /```sql\n(CREATE FUNCTION forebay_version.*?)```/s.exec(page)?.[1] as string;
  const statements = block.replaceAll('.version', `.${column}`).split(/(?<=\$\$;)\n/);
  expect(statements).toHaveLength(2);
  for (const statement of statements) {
    const text = statement
      .replaceAll('forebay_version', `${table}_version`)
      .replace('ON tasks', `ON ${table}`);
    await environment.prisma.$executeRawUnsafe(text);
  }
}

/** A write by another program, whose clock is an hour ahead. */
async function theirs(id: string): Promise<void> {
  const views = BigInt(Date.now() + 3_600_000) * 1_000n;
  await environment.prisma.project.update({ where: { id }, data: { name: 'theirs', views } });
}

function rowOf(id: string): Promise<{ name: string; views: bigint } | null> {
  return environment.prisma.project.findUnique({ where: { id }, select: { name: true, views: true } });
}

function told<T extends EventType>(type: T) {
  return environment.events.filter((event) => event.type === type) as Extract<
    Environment['events'][number],
    { type: T }
  >[];
}

const overtaken = () => told('rows.overtaken');

function lane(): Lane {
  return new Lanes(stores, environment.config.prefix).all[0] as Lane;
}

const laneKeys = (): Promise<string[]> => environment.redis.keys(`${lane().keys.entryPrefix}*`);

/** Redis loses what it has of the lane. */
async function forget(): Promise<void> {
  await environment.redis.del(...(await laneKeys()));
}

/** What Redis has of the lane now; call it to bring that back. */
async function snapshot(): Promise<() => Promise<void>> {
  const keys = await laneKeys();
  const dumps = await Promise.all(keys.map((key) => environment.redis.dumpBuffer(key)));
  return async () => {
    const commands = environment.redis.multi().del(...(await laneKeys()));
    for (const [i, key] of keys.entries()) commands.restore(key, 0, dumps[i] as Buffer);
    await commands.exec();
  };
}

interface Thing {
  id: string;
  code: string;
  version: bigint;
}

const field = (column: string, type: FieldType): Field => ({
  column,
  type,
  isList: false,
  isNullable: false,
  default: { kind: 'none' },
  hasDatabaseDefault: false,
});

/** A table with a unique column, whose version's column has another name. */
async function thingStores() {
  const model: Model<Thing, Thing, string> = {
    name: 'Thing',
    delegate: 'thing',
    table: 'things',
    id: ['id'],
    parents: [],
    fields: { id: field('id', 'String'), code: field('code', 'String'), version: field('v', 'BigInt') },
  };
  await environment.prisma.$executeRawUnsafe(
    'CREATE TABLE things (id text PRIMARY KEY, code text NOT NULL UNIQUE, v bigint NOT NULL)',
  );
  return defineStores({ things: record({ model, version: 'version', ...options }) }) satisfies Stores;
}
