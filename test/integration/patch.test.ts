import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stores } from '../../examples/platform/stores.js';
import type { Forebay } from '../../src/app/connect.js';
import { type Lane, Lanes } from '../../src/buffer/lane.js';
import { WriteBuffer } from '../../src/buffer/write-buffer.js';
import { record } from '../../src/definitions/record.js';
import { defineStores, type LaneGroup } from '../../src/definitions/stores.js';
import { createEnvironment, type Environment } from '../support/environment.js';

let environment: Environment;
let app: Forebay<(typeof stores)['definitions']>;
let lane: Lane;

beforeEach(async () => {
  environment = await createEnvironment();
  app = await environment.connect(stores);
  const group = stores.groups.find(({ name }) => name === 'projects') as LaneGroup;
  lane = new Lanes(stores, environment.config.prefix).of(group, 'p');
});

afterEach(() => environment.close());

const whole = { id: 'p', name: 'Harbour', description: 'old', status: 'ACTIVE' } as const;
const inDatabase = () =>
  environment.prisma.project.findUnique({
    where: { id: 'p' },
    select: { id: true, name: true, description: true, status: true, touches: true },
  });
const create = () => environment.prisma.project.create({ data: { ...whole, touches: 4 } });
const seal = async () => {
  const buffer = new WriteBuffer(environment.redis, environment.config.prefix);
  await buffer.seal(lane, { recordsMax: 100, delayMs: 0, floor: 0n });
};

/** What is there when the patch comes, and the row's counter then. */
const standing: readonly [string, () => Promise<unknown>, number][] = [
  ['in the database alone', create, 4],
  ['cached', async () => [await create(), await app.stores.projects.get('p')], 4],
  ['put, and dirty', () => app.stores.projects.put(whole), 0],
  ['put, and sealed', async () => [await app.stores.projects.put(whole), await seal()], 0],
  [
    'updated, and dirty',
    async () => {
      await environment.prisma.project.create({ data: { ...whole, description: 'older', touches: 4 } });
      await app.stores.projects.update('p', (row) => row && { ...row, description: 'old' });
    },
    4,
  ],
  [
    'patched, and sealed, and patched',
    async () => {
      await environment.prisma.project.create({ data: { ...whole, description: 'older', touches: 4 } });
      await app.stores.projects.patch('p', { description: 'in between' });
      await seal();
      await app.stores.projects.patch('p', { description: 'old' });
    },
    4,
  ],
  [
    'deleted and made anew, and dirty',
    async () => [await create(), await app.stores.projects.delete('p'), await app.stores.projects.put(whole)],
    0,
  ],
  [
    'pending, and its entry evicted',
    async () => [await app.stores.projects.put(whole), await app.stores.projects.evict('p')],
    0,
  ],
];

describe('a patch of a row', () => {
  it.each(standing)('that is %s changes its fields, and no other', async (_, prepare, touches) => {
    await prepare();
    await app.stores.projects.patch('p', { name: 'Lighthouse' });
    await app.stores.projectTouches.add('p', 3);
    await app.stores.projects.patch('p', { status: 'COMPLETED', name: 'Tower' });
    const expected = { ...whole, name: 'Tower', status: 'COMPLETED' };
    expect(await app.stores.projects.get('p')).toMatchObject(expected);
    await environment.startWorker(stores);
    await app.flush();
    expect(await inDatabase()).toEqual({ ...expected, touches: touches + 3 });
    await app.stores.projects.evict('p');
    expect(await app.stores.projects.get('p')).toMatchObject(expected);
  });

  it('leaves what other programs write in its other fields meanwhile', async () => {
    await create();
    await app.stores.projects.get('p');
    await environment.prisma.project.update({ where: { id: 'p' }, data: { description: 'theirs' } });
    await app.stores.projects.patch('p', { name: 'Tower' });
    await app.stores.projects.patch('p', { status: 'COMPLETED' });
    await environment.startWorker(stores);
    await app.flush();
    expect(await inDatabase()).toMatchObject({ name: 'Tower', description: 'theirs', status: 'COMPLETED' });
  });

  it('moves @updatedAt and leaves createdAt', async () => {
    const before = await create();
    await app.stores.projects.patch('p', { name: 'Tower' });
    await environment.startWorker(stores);
    await app.flush();
    const after = await environment.prisma.project.findUniqueOrThrow({ where: { id: 'p' } });
    expect(after.createdAt).toEqual(before.createdAt);
    expect(after.updatedAt.getTime()).toBeGreaterThan(before.updatedAt.getTime());
  });

  it('is refused where there is none: never was, deleted, or its delete is pending', async () => {
    const refused = { code: 'ROW_MISSING', context: { store: 'projects', id: 'p' } };
    await expect(app.stores.projects.patch('p', { name: 'x' })).rejects.toMatchObject(refused);
    await app.stores.projects.put(whole);
    await app.stores.projects.delete('p');
    await expect(app.stores.projects.patch('p', { name: 'x' })).rejects.toMatchObject(refused);
    await environment.startWorker(stores);
    await app.flush();
    await expect(app.stores.projects.patch('p', { name: 'x' })).rejects.toMatchObject(refused);
    expect(await inDatabase()).toBeNull();
  });

  it.each([
    [{ nome: 'x' }, 'INVALID_VALUE'],
    [{ name: null }, 'INVALID_VALUE'],
    [{ name: 7 }, 'INVALID_VALUE'],
    [{ status: 'GONE' }, 'INVALID_VALUE'],
    [{ touches: 3 }, 'INVALID_VALUE'],
    [{ id: 'q', name: 'x' }, 'INVALID_ID'],
    [[], 'INVALID_VALUE'],
    ['name', 'INVALID_VALUE'],
  ])('refuses %j', async (fields, code) => {
    await create();
    await expect(app.stores.projects.patch('p', fields as object)).rejects.toMatchObject({ code });
    expect(await app.backlog()).toMatchObject({ dirty: 0 });
  });

  it('writes null, and what its own id is', async () => {
    await create();
    await app.stores.projects.patch('p', { id: 'p', description: null });
    await environment.startWorker(stores);
    await app.flush();
    expect(await inDatabase()).toMatchObject({ name: 'Harbour', description: null });
  });

  it('keeps the backlog as large as the row, however often it is patched', async () => {
    await create();
    const bytes = async () => Number(await environment.redis.hget(lane.keys.meta, 'bytes'));
    await app.stores.projects.patch('p', { name: 'first', description: 'first' });
    const first = await bytes();
    for (let i = 0; i < 300; i++) {
      await app.stores.projects.patch(
        'p',
        i % 2 === 0 ? { name: `${i}` } : { description: `"\n,"name":"${i}"\n}` },
      );
    }
    expect(await bytes()).toBeLessThan(first + 50);
    expect(await app.stores.projects.get('p')).toMatchObject({
      name: '298',
      description: '"\n,"name":"299"\n}',
    });
  });

  it('of an older release of the definition is written on top of what that has put', async () => {
    const { Project } = await import('../../examples/platform/generated/models.js');
    const older = defineStores({ projects: record({ model: Project, counters: ['views'] }) });
    const before = await environment.connect(older);
    await before.stores.projects.put({ ...whole, touches: 4 });
    await app.stores.projects.patch('p', { name: 'Tower' });
    expect(await app.stores.projects.get('p')).toMatchObject({ name: 'Tower', description: 'old' });
    await environment.startWorker(stores);
    await app.flush();
    expect(await inDatabase()).toMatchObject({ name: 'Tower', description: 'old' });
  });

  it('works in a store with a load and persist of one’s own, which is given whole rows', async () => {
    const written: object[] = [];
    const own = defineStores({
      notes: record<{ id: string; 'a":b\\'?: number; text?: string }, 'id'>({
        id: 'id',
        load: async () => [{ id: 'n', 'a":b\\': 1, text: 'old' }],
        persist: async ({ puts }) => void written.push(...puts),
      }),
    });
    const client = await environment.connect(own);
    for (let i = 2; i < 9; i++) await client.stores.notes.patch('n', { 'a":b\\': i });
    expect(await client.stores.notes.get('n')).toEqual({ id: 'n', 'a":b\\': 8, text: 'old' });
    await environment.startWorker(own);
    await client.flush();
    expect(written).toEqual([{ id: 'n', 'a":b\\': 8, text: 'old' }]);
  });
});
