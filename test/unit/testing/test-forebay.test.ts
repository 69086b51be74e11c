/** What a test has of the app in memory besides the app's own API. */
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { Forebay } from '../../../src/app/connect.js';
import { computed } from '../../../src/definitions/computed.js';
import { counter } from '../../../src/definitions/counter.js';
import { record } from '../../../src/definitions/record.js';
import { defineStores } from '../../../src/definitions/stores.js';
import { ForebayError } from '../../../src/errors.js';
import type { ForebayEvent } from '../../../src/events.js';
import { expectPersisted } from '../../../src/testing/expect-persisted.js';
import { createTestForebay } from '../../../src/testing/test-forebay.js';
import { conformanceStores as stores } from '../../support/conformance/stores.js';

const minuteMs = 60_000;

describe('createTestForebay', () => {
  it('is ready in less than 50 ms', async () => {
    const times: number[] = [];
    for (let i = 0; i < 10; i++) {
      // It waits for nothing, so this is what it takes where nothing else runs.
      const before = process.cpuUsage();
      const app = await createTestForebay(stores);
      await app.stores.projects.put({ id: 'a', name: 'x' });
      const { user, system } = process.cpuUsage(before);
      times.push((user + system) / 1_000);
      await app.close();
    }
    expect(Math.min(...times)).toBeLessThan(50);
  });

  it('has the types that connect gives', async () => {
    const app = await createTestForebay(stores);
    expectTypeOf(app).toExtend<Forebay<(typeof stores)['definitions']>>();
    expectTypeOf(app.stores).toEqualTypeOf<Forebay<(typeof stores)['definitions']>['stores']>();
  });

  it('shares nothing with another', async () => {
    const [one, other] = [await createTestForebay(stores), await createTestForebay(stores)];
    await one.stores.projects.put({ id: 'a', name: 'x' });
    await one.cache.set('a', 1);
    expect([await other.stores.projects.get('a'), await other.cache.get('a')]).toEqual([null, null]);
  });

  it('keeps the rows of stores that have a load and persist of their own', async () => {
    const never = (): never => {
      throw new Error('called');
    };
    const app = await createTestForebay(
      defineStores({
        lines: record<{ id: string; text: string }, 'id'>({ id: 'id', load: never, persist: never }),
        clicks: counter({ load: never, persist: never }),
      }),
    );
    await app.stores.lines.put({ id: 'a', text: 'x' });
    await app.stores.lines.patch('a', { text: 'y' });
    await app.stores.clicks.add('a', 2);
    await app.stores.clicks.add('a', 3);
    expect(await expectPersisted(app, 'lines', 'a')).toEqual({ id: 'a', text: 'y' });
    expect(await app.stores.clicks.getMany(['a', 'none'])).toEqual([5n, null]);
  });

  it('gives loaders of computed stores the prisma that the test gives', async () => {
    const names = computed({
      key: (id) => `name:${id}` as never,
      load: async (ids: readonly string[], { prisma }: { prisma: { nameOf(id: string): string } }) =>
        new Map(ids.map((id) => [id, prisma.nameOf(id)])),
    });
    const app = await createTestForebay(defineStores({ names }), {
      prisma: { nameOf: (id: string) => `name of ${id}` },
    });
    expect(await app.stores.names.get('7')).toBe('name of 7');
  });

  it('says that a lane is full, as Redis would', async () => {
    const small = record<{ id: string }, 'id'>({
      id: 'id',
      partitions: 1,
      dirtyMax: 1,
      load: async () => [],
      persist: async () => undefined,
    });
    const app = await createTestForebay(defineStores({ small }));
    await app.stores.small.put({ id: 'a' });
    await expect(app.stores.small.put({ id: 'b' })).rejects.toMatchObject({ code: 'BACKLOG_FULL' });
    await app.stores.small.put({ id: 'a' });
    await app.stores.small.put({ id: 'b' }, { onFull: 'wait' });
  });
});

describe('its database', () => {
  it('has what is persisted, and not what is pending', async () => {
    const app = await createTestForebay(stores);
    await app.stores.projects.put({ id: 'a', name: 'x' });
    expect(app.database.rows('projects')).toEqual([]);
    expect(await app.backlog()).toMatchObject({ dirty: 1, byStore: { projects: { dirty: 1 } } });
    await app.flush();
    expect(app.database.rows('projects')).toMatchObject([{ id: 'a', name: 'x', status: 'ACTIVE' }]);
  });

  it('can be written as by another program: an entry does not show it until it is evicted', async () => {
    const app = await createTestForebay(stores);
    app.database.insert('projects', { id: 'a', name: 'x' });
    expect(await app.stores.projects.get('a')).toMatchObject({ name: 'x' });
    app.database.insert('projects', { id: 'a', name: 'y', description: 'theirs' });
    expect(await app.stores.projects.get('a')).toMatchObject({ name: 'x' });
    expect(await app.stores.projects.refresh('a')).toMatchObject({ name: 'y' });
    await app.stores.projects.patch('a', { name: 'z' });
    expect(await expectPersisted(app, 'projects', 'a')).toMatchObject({ name: 'z', description: 'theirs' });
  });
});

describe('its clock', () => {
  it('ends the life of values, and of entries', async () => {
    const app = await createTestForebay(stores);
    await app.cache.set('a', 1, 60);
    app.database.insert('projects', { id: 'a', name: 'x' });
    await app.stores.projects.get('a');
    app.clock.advance(61_000);
    expect(await app.cache.get('a')).toBeNull();
    app.clock.advance(16 * minuteMs);
    expect(await app.stores.projects.explain('a')).toMatchObject({ state: 'missing' });
  });

  it('makes values stale, which are served in their grace while they are loaded anew', async () => {
    const app = await createTestForebay(stores);
    let loads = 0;
    const options = { ttlMs: minuteMs, graceMs: minuteMs, isServedStale: true };
    const read = () => app.read('a', async () => ++loads, options);
    expect(await read()).toBe(1);
    app.clock.advance(minuteMs + 1);
    expect(await read()).toBe(1);
    await expect.poll(read).toBe(2);
    app.clock.advance(3 * minuteMs);
    expect(await read()).toBe(3);
  });

  it('ends the delay of writes', async () => {
    const app = await createTestForebay(stores);
    await app.stores.notes.put({ key: 'conformance:note:a', text: '1' });
    expect(await app.backlog()).toMatchObject({ dirty: 1 });
    app.clock.advance(1_000);
    expect(await app.backlog()).toMatchObject({ dirty: 0, persisted: 1 });
  });
});

describe('its faults', () => {
  it('have the next write fail as when Redis is away, and no other', async () => {
    const app = await createTestForebay(stores);
    app.failNext('redis');
    const put = () => app.stores.projects.put({ id: 'a', name: 'x' });
    await expect(put()).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE', retryable: true });
    expect(await app.stores.projects.get('a')).toBeNull();
    await put();
    expect(await app.stores.projects.get('a')).toMatchObject({ name: 'x' });
  });

  it('have it fail with an error of the test', async () => {
    const app = await createTestForebay(stores);
    app.failNext('redis', new ForebayError('OUTCOME_UNKNOWN', 'perhaps'));
    await expect(app.stores.touches.add('a', 1)).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
  });

  it('have values loaded while Redis is away, and rows refused', async () => {
    const app = await createTestForebay(stores);
    await app.cache.set('a', 1);
    app.clock.advance(1);
    app.failNext('redis', undefined, Number.POSITIVE_INFINITY);
    expect(await app.read('a', async () => 2)).toBe(2);
    await expect(app.stores.projects.get('a')).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE' });
    app.failNext('redis', undefined, 0);
    expect(await app.cache.get('a')).toBe(1);
  });

  it('have loads fail, and flushes wait, while the database is away', async () => {
    const events: ForebayEvent[] = [];
    const app = await createTestForebay(stores, { onEvent: (event) => events.push(event) });
    app.failNext('database');
    await expect(app.stores.projects.get('a')).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    await app.stores.projects.put({ id: 'a', name: 'x' });
    app.failNext('database', undefined, 2);
    await app.flush();
    expect(app.database.rows('projects')).toHaveLength(1);
    expect(events.map(({ type }) => type)).toContain('batch.failed');
  });
});

describe('expectPersisted', () => {
  it('tells of a row that the database has otherwise', async () => {
    const app = await createTestForebay(stores);
    app.database.insert('projects', { id: 'a', name: 'x' });
    await app.stores.projects.get('a');
    app.database.insert('projects', { id: 'a', name: 'y' });
    await expect(expectPersisted(app, 'projects', 'a')).rejects.toMatchObject({
      name: 'AssertionError',
      actual: { name: 'y' },
      expected: { name: 'x' },
    });
  });
});
