import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Project } from '../../examples/platform/generated/models.js';
import type { Forebay } from '../../src/app/connect.js';
import { counter } from '../../src/definitions/counter.js';
import { type RecordDefinition, record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';
import { createEnvironment, type Environment } from '../support/environment.js';

interface Note {
  readonly id: string;
  readonly text: string;
}

/** Loads that wait until the test lets them go on. */
class SlowDatabase {
  readonly rows = new Map<string, Note>();
  loads = 0;
  #begun: (() => void) | undefined;
  #release: (() => void) | undefined;
  #error: Error | undefined;

  /** Resolves when the next load has read its rows; `release` lets it answer. */
  nextLoad(): Promise<void> {
    return new Promise((resolve) => {
      this.#begun = resolve;
    });
  }

  release(): void {
    this.#release?.();
  }

  /** As `release`, but the load fails, and all after it. */
  fail(error: Error): void {
    this.#error = error;
    this.#release?.();
  }

  async load(ids: readonly string[]): Promise<Note[]> {
    this.loads += 1;
    const found = ids.flatMap((id) => this.rows.get(id) ?? []);
    if (this.#begun) {
      const released = new Promise<void>((resolve) => {
        this.#release = resolve;
      });
      this.#begun();
      this.#begun = undefined;
      await released;
    }
    if (this.#error) throw this.#error;
    return found;
  }
}

type App = Forebay<{ notes: RecordDefinition<Note, Note, string, object> }>;

let environment: Environment;
let database: SlowDatabase;
let app: App;

beforeEach(async () => {
  environment = await createEnvironment();
  database = new SlowDatabase();
  app = await connectTo(database);
});

function connectTo(database: SlowDatabase): Promise<App> {
  const load = (ids: readonly string[]) => database.load(ids);
  const notes = record<Note, 'id'>({ id: 'id', load, persist: async () => undefined });
  return environment.connect(defineStores({ notes }));
}

async function entryOf(id: string, store = 'notes'): Promise<string | null> {
  const [key = ''] = await environment.redis.keys(`{${environment.config.prefix}:*:${store}:${id}`);
  return environment.redis.get(key);
}

afterEach(() => environment.close());

describe('a slow loader never puts an older value over a newer one', () => {
  const interventions: [string, () => Promise<unknown>, Note | null][] = [
    ['a write', () => app.stores.notes.put({ id: 'n', text: 'new' }), { id: 'n', text: 'new' }],
    ['a delete', () => app.stores.notes.delete('n'), null],
  ];

  it.each(interventions)('when %s is accepted while it loads', async (_, intervene, expected) => {
    database.rows.set('n', { id: 'n', text: 'old' });
    const begun = database.nextLoad();
    const reading = app.stores.notes.get('n');
    await begun;
    await intervene();
    database.release();
    expect(await reading).toEqual({ id: 'n', text: 'old' });
    expect(await app.stores.notes.get('n')).toEqual(expected);
    expect(database.loads).toBe(1);
  });

  it('when another program deletes the entry while it loads', async () => {
    database.rows.set('n', { id: 'n', text: 'old' });
    const begun = database.nextLoad();
    const reading = app.stores.notes.get('n');
    await begun;
    const keys = await environment.redis.keys(`{${environment.config.prefix}:*:notes:n`);
    expect(keys).toHaveLength(1);
    await environment.redis.del(...keys);
    database.rows.set('n', { id: 'n', text: 'new' });
    database.release();
    await reading;
    expect(await app.stores.notes.get('n')).toEqual({ id: 'n', text: 'new' });
  });
});

describe('what was loaded is read from the cache', () => {
  it('rows, and rows that are not there, in one load', async () => {
    database.rows.set('n', { id: 'n', text: 'here' });
    expect(await app.stores.notes.getMany(['n', 'x', 'n'])).toEqual([
      { id: 'n', text: 'here' },
      null,
      { id: 'n', text: 'here' },
    ]);
    expect(await app.stores.notes.get('n')).toEqual({ id: 'n', text: 'here' });
    expect(await app.stores.notes.get('x')).toBeNull();
    expect(database.loads).toBe(1);
  });
});

describe('a row that many read at once', () => {
  it('is loaded once in a process, also as one of many', async () => {
    database.rows.set('n', { id: 'n', text: 'here' });
    const begun = database.nextLoad();
    const first = app.stores.notes.get('n');
    await begun;
    const others = Array.from({ length: 50 }, () => app.stores.notes.get('n'));
    const many = app.stores.notes.getMany(['m', 'n']);
    await expect.poll(() => database.loads).toBe(2); // of m
    database.release();
    const here = { id: 'n', text: 'here' };
    expect(new Set(await Promise.all([first, ...others]))).toEqual(new Set([here]));
    expect(await many).toEqual([null, here]);
    expect(database.loads).toBe(2);
  });

  it('is loaded once over all processes, also as one of many', async () => {
    const other = await connectTo(database);
    database.rows.set('n', { id: 'n', text: 'here' });
    const begun = database.nextLoad();
    const first = app.stores.notes.get('n');
    await begun;
    const others = Array.from({ length: 50 }, () => other.stores.notes.get('n'));
    const many = other.stores.notes.getMany(['m', 'n']);
    const versioned = other.stores.notes.getVersioned('n');
    await expect.poll(() => database.loads).toBe(2); // of m
    database.release();
    const here = { id: 'n', text: 'here' };
    for (const row of await Promise.all([first, ...others])) expect(row).toEqual(here);
    expect(await many).toEqual([null, here]);
    expect(await versioned).toMatchObject({ row: here });
    expect(database.loads).toBe(2);
  });

  it('is loaded by another process when the load fails, once there too', async () => {
    const otherDatabase = new SlowDatabase();
    const other = await connectTo(otherDatabase);
    otherDatabase.rows.set('n', { id: 'n', text: 'here' });
    const begun = database.nextLoad();
    const failing = app.stores.notes.get('n');
    await begun;
    const others = Array.from({ length: 50 }, () => other.stores.notes.get('n'));
    await expect.poll(() => entryOf('n')).toMatch(/;w$/); // the others wait
    database.fail(new Error('gone'));
    await expect(failing).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    for (const row of await Promise.all(others)) expect(row).toEqual({ id: 'n', text: 'here' });
    expect(otherDatabase.loads).toBe(1);
  });

  it('is read by those who wait as soon as it is written', async () => {
    const other = await connectTo(database);
    const begun = database.nextLoad();
    const first = app.stores.notes.get('n');
    await begun;
    const waiting = other.stores.notes.get('n');
    await expect.poll(() => entryOf('n')).toMatch(/;w$/);
    await app.stores.notes.put({ id: 'n', text: 'new' });
    expect(await waiting).toEqual({ id: 'n', text: 'new' });
    database.release();
    expect(await first).toBeNull();
    expect(database.loads).toBe(1);
  });

  it('is loaded again by those who read after a write, though the load from before it goes on', async () => {
    database.rows.set('n', { id: 'n', text: 'old' });
    const begun = database.nextLoad();
    const before = app.stores.notes.get('n');
    await begun;
    await app.stores.notes.put({ id: 'n', text: 'new' });
    // Flushed, and evicted: only the database knows.
    await environment.redis.del(...(await environment.redis.keys(`{${environment.config.prefix}:*`)));
    database.rows.set('n', { id: 'n', text: 'new' });
    expect(await app.stores.notes.get('n')).toEqual({ id: 'n', text: 'new' });
    database.release();
    expect(await before).toEqual({ id: 'n', text: 'old' });
    expect(await app.stores.notes.get('n')).toEqual({ id: 'n', text: 'new' });
  });

  it('gives all of them the error of its load', async () => {
    const begun = database.nextLoad();
    const reads = [app.stores.notes.get('n')];
    await begun;
    reads.push(app.stores.notes.get('n'), app.stores.notes.get('n'));
    await new Promise((resolve) => setImmediate(resolve));
    database.fail(new Error('gone'));
    for (const read of await Promise.allSettled(reads)) {
      expect(read).toMatchObject({ status: 'rejected', reason: { code: 'DATABASE_UNAVAILABLE' } });
    }
  });
});

describe('a counter of a row', () => {
  it('is there once the row is put, though a load from before it goes on', async () => {
    const projects = record({ model: Project, counters: ['views'] });
    const { stores } = await environment.connect(
      defineStores({ projects, views: counter({ of: projects, field: 'views' }) }),
    );
    await stores.views.get('other'); // So that the table is known.
    let before: Promise<bigint | null> | undefined;
    let after: Promise<bigint | null> | undefined;
    await environment.prisma.$transaction(async (tx) => {
      await tx.$executeRawUnsafe('LOCK TABLE projects');
      before = stores.views.get('p');
      await expect.poll(() => entryOf('p', 'views')).toMatch(/^\?/); // It loads.
      await stores.projects.put({ id: 'p', name: 'Harbour' });
      after = stores.views.get('p');
      await stores.projects.get('p');
    });
    expect(await before).toBeNull();
    expect(await after).toBe(0n);
  });
});

describe('a counter that many read at once', () => {
  let values: ReadonlyMap<string, bigint>;
  let loads: number;
  let read: () => Promise<Set<bigint | null>>;

  beforeEach(async () => {
    loads = 0;
    const views = counter({
      load: async () => {
        loads += 1;
        return values;
      },
      persist: async () => undefined,
    });
    const apps = [1, 2, 3].map(() => environment.connect(defineStores({ views })));
    const opened = await Promise.all(apps);
    read = async () => {
      const reads = opened.flatMap(({ stores }) => Array.from({ length: 50 }, () => stores.views.get('p')));
      return new Set(await Promise.all(reads));
    };
  });

  it('is loaded once over all processes', async () => {
    values = new Map([['p', 7n]]);
    expect(await read()).toEqual(new Set([7n]));
    expect(loads).toBe(1);
  });

  it('is null for all of them where there is none, with few loads', async () => {
    values = new Map();
    expect(await read()).toEqual(new Set([null]));
    expect(loads).toBeLessThan(15);
  });
});
