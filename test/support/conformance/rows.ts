/** What is true of rows and counters, wherever they are. */
import { expect } from 'vitest';
import { expectPersisted } from '../../../src/testing/expect-persisted.js';
import { refusalOf, type Specification } from './stores.js';

export const rows: Specification[] = [
  [
    'a row that is put is read at once, with the defaults of its columns',
    async ({ stores }, own) => {
      const receipt = await stores.projects.put({ id: own('a'), name: 'Harbour' });
      expect(receipt).toMatchObject({ store: 'projects', id: own('a') });
      const row = await stores.projects.get(own('a'));
      expect(row).toMatchObject({ id: own('a'), name: 'Harbour', description: null, status: 'ACTIVE' });
      expect(row?.createdAt).toBeInstanceOf(Date);
      expect(row).not.toHaveProperty('touches');
    },
  ],
  [
    'rows are read in the order of their ids, null where there is none',
    async ({ stores }, own) => {
      await stores.projects.putMany(['a', 'b'].map((id) => ({ id: own(id), name: id })));
      const found = await stores.projects.getMany(['b', 'none', 'a', 'b'].map(own));
      expect(found.map((row) => row?.name ?? null)).toEqual(['b', null, 'a', 'b']);
    },
  ],
  [
    'what is accepted is in the database once it is flushed, and read from there',
    async (app, own) => {
      await app.stores.projects.put({ id: own('a'), name: 'Harbour', description: 'old' });
      await app.stores.projects.put({ id: own('a'), name: 'Tower' });
      const row = await expectPersisted(app, 'projects', own('a'));
      expect(row).toMatchObject({ name: 'Tower', description: null });
      expect(await app.backlog()).toMatchObject({ dirty: 0, sealed: 0, waiting: 0 });
    },
  ],
  [
    'a row that is put again before anybody has read it keeps when it was made, and is persisted as accepted',
    async (app, own) => {
      await app.stores.projects.put({ id: own('a'), name: 'one' });
      await app.flush();
      const flushed = Date.now();
      await expect.poll(() => Date.now(), { interval: 1 }).toBeGreaterThan(flushed);
      await app.stores.projects.put({ id: own('a'), name: 'two' });
      const row = await expectPersisted(app, 'projects', own('a'));
      expect(row).toMatchObject({ name: 'two' });
      expect(row?.createdAt.getTime()).toBeLessThanOrEqual(flushed);
    },
  ],
  [
    'a row keeps when it was made, whatever is put and whether it is cached',
    async (app, own) => {
      await app.stores.projects.put({ id: own('a'), name: 'one' });
      const made = (await expectPersisted(app, 'projects', own('a')))?.createdAt;
      await app.stores.projects.put({ id: own('a'), name: 'two' });
      expect((await app.stores.projects.get(own('a')))?.createdAt).toEqual(made);
      expect((await expectPersisted(app, 'projects', own('a')))?.createdAt).toEqual(made);
    },
  ],
  [
    'a receipt resolves when its write is persisted',
    async ({ stores }, own) => {
      const first = await stores.projects.put({ id: own('a'), name: 'one' });
      const second = await stores.projects.put({ id: own('a'), name: 'two' }, { durability: 'database' });
      await first.persisted();
      await second.persisted();
      expect(second.version).toBeGreaterThan(first.version);
      expect(await stores.projects.refresh(own('a'))).toMatchObject({ name: 'two' });
    },
  ],
  [
    'a deleted row is gone at once and for good, and its counters with it',
    async (app, own) => {
      await app.stores.projects.put({ id: own('a'), name: 'one' });
      await app.stores.touches.add(own('a'), 3);
      await app.stores.projects.delete(own('a'));
      expect(await app.stores.projects.get(own('a'))).toBeNull();
      expect(await app.stores.touches.get(own('a'))).toBeNull();
      expect(await expectPersisted(app, 'projects', own('a'))).toBeNull();
      await app.stores.projects.put({ id: own('a'), name: 'anew' });
      expect(await app.stores.touches.get(own('a'))).toBe(0);
    },
  ],
  [
    'a row that is deleted and put is made anew',
    async (app, own) => {
      await app.stores.projects.put({ id: own('a'), name: 'one', description: 'old' });
      await app.stores.touches.add(own('a'), 3);
      await app.flush();
      await app.stores.projects.delete(own('a'));
      await app.stores.projects.put({ id: own('a'), name: 'two' });
      await app.stores.touches.add(own('a'), 2);
      expect(await expectPersisted(app, 'projects', own('a'))).toMatchObject({
        name: 'two',
        description: null,
      });
      expect(await app.stores.touches.get(own('a'))).toBe(2);
    },
  ],
  [
    'a patch changes its fields and no other, pending, persisted and not cached',
    async (app, own) => {
      await app.stores.projects.put({ id: own('a'), name: 'one', description: 'kept' });
      await app.stores.projects.patch(own('a'), { name: 'two' });
      await app.flush();
      await app.stores.projects.evict(own('a'));
      await app.stores.projects.patch(own('a'), { status: 'COMPLETED' });
      const expected = { name: 'two', description: 'kept', status: 'COMPLETED' };
      expect(await app.stores.projects.get(own('a'))).toMatchObject(expected);
      expect(await expectPersisted(app, 'projects', own('a'))).toMatchObject(expected);
    },
  ],
  [
    'a patch of a row that is not there is refused',
    async ({ stores }, own) => {
      expect(await refusalOf(stores.projects.patch(own('none'), { name: 'x' }))).toBe('ROW_MISSING');
      await stores.projects.put({ id: own('a'), name: 'one' });
      await stores.projects.delete(own('a'));
      expect(await refusalOf(stores.projects.patch(own('a'), { name: 'x' }))).toBe('ROW_MISSING');
    },
  ],
  [
    'an update writes what it changes, or nothing',
    async (app, own) => {
      await app.stores.projects.put({ id: own('a'), name: 'one', description: 'kept' });
      await app.stores.projects.update(own('a'), (row) => row && { ...row, name: `${row.name}!` });
      expect(await app.stores.projects.update(own('a'), () => null)).toBeNull();
      expect(await app.stores.projects.update(own('none'), (row) => row)).toBeNull();
      await app.stores.projects.update(own('b'), () => ({ id: own('b'), name: 'made' }));
      expect(await expectPersisted(app, 'projects', own('a'))).toMatchObject({
        name: 'one!',
        description: 'kept',
      });
      expect(await expectPersisted(app, 'projects', own('b'))).toMatchObject({ name: 'made' });
    },
  ],
  [
    'updates that meet all count',
    async ({ stores }, own) => {
      await stores.projects.put({ id: own('a'), name: '' });
      const add = (letter: string) =>
        stores.projects.update(own('a'), (row) => row && { ...row, name: row.name + letter });
      await Promise.all(['a', 'b', 'c'].map(add));
      expect([...((await stores.projects.get(own('a')))?.name ?? '')].sort()).toEqual(['a', 'b', 'c']);
    },
  ],
  [
    'a write for a version is accepted at that version only',
    async (app, own) => {
      await app.stores.projects.put({ id: own('a'), name: 'one' });
      await app.flush();
      const { version } = await app.stores.projects.getVersioned(own('a'));
      const { version: absent } = await app.stores.projects.getVersioned(own('none'));
      await app.stores.projects.putIf({ id: own('a'), name: 'two' }, { version });
      await app.stores.projects.putIf({ id: own('none'), name: 'made' }, { version: absent });
      const late = [
        app.stores.projects.putIf({ id: own('a'), name: 'three' }, { version }),
        app.stores.projects.deleteIf(own('a'), { version }),
        app.stores.projects.putIf({ id: own('none'), name: 'late' }, { version: absent }),
      ];
      expect(await Promise.all(late.map(refusalOf))).toEqual(['CONFLICT', 'CONFLICT', 'CONFLICT']);
      expect(await app.stores.projects.get(own('a'))).toMatchObject({ name: 'two' });
    },
  ],
  [
    'what is evicted while it is pending is read all the same',
    async ({ stores }, own) => {
      await stores.projects.put({ id: own('a'), name: 'one' });
      await stores.projects.evict(own('a'));
      expect(await stores.projects.get(own('a'))).toMatchObject({ name: 'one' });
      await stores.projects.delete(own('a'));
      await stores.projects.evict(own('a'));
      expect(await stores.projects.get(own('a'))).toBeNull();
    },
  ],
  [
    'what an entry is, is explained',
    async (app, own) => {
      await app.stores.projects.put({ id: own('a'), name: 'one' });
      await app.stores.projects.get(own('a'));
      expect(await app.stores.projects.explain(own('a'))).toMatchObject({ state: 'fresh' });
      await app.flush();
      await app.stores.projects.evict(own('a'));
      expect(await app.stores.projects.explain(own('a'))).toMatchObject({ state: 'missing' });
    },
  ],
  [
    'what can be no row and no id is refused before anything is written',
    async ({ stores }, own) => {
      const refused = [
        stores.projects.put({ id: '', name: 'x' }),
        stores.projects.put({ id: own('a') } as never),
        stores.projects.put({ id: own('a'), name: 'x', nome: 'y' } as never),
        stores.projects.patch(own('a'), { id: own('b') }),
        stores.touches.add(own('a'), 0.5),
      ];
      expect(await Promise.all(refused.map(refusalOf))).toEqual([
        'INVALID_ID',
        'INVALID_VALUE',
        'INVALID_VALUE',
        'INVALID_ID',
        'INVALID_VALUE',
      ]);
    },
  ],
];

export const counters: Specification[] = [
  [
    'deltas add up, pending and persisted',
    async (app, own) => {
      await app.stores.projects.put({ id: own('a'), name: 'one' });
      await Promise.all([1, 2, 3].map((delta) => app.stores.touches.add(own('a'), delta)));
      expect(await app.stores.touches.get(own('a'))).toBe(6);
      await app.flush();
      await app.stores.touches.add(own('a'), -4);
      expect(await app.stores.touches.getMany([own('a'), own('none')])).toEqual([2, null]);
      await app.stores.projects.put({ id: own('a'), name: 'two' });
      expect(await app.stores.touches.get(own('a'))).toBe(2);
    },
  ],
  [
    'a delta without a row is told, and counts once the row is put',
    async (app, own) => {
      const receipt = await app.stores.touches.add(own('a'), 5);
      expect(await app.stores.touches.get(own('a'))).toBeNull();
      expect(await refusalOf(receipt.persisted())).toBe('COUNTER_ROW_MISSING');
      await app.stores.projects.put({ id: own('a'), name: 'late' });
      await app.flush();
      expect(await app.stores.touches.get(own('a'))).toBe(5);
    },
  ],
];
