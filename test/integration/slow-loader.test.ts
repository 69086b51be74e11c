import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Forebay } from '../../src/client/forebay.js';
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

let environment: Environment;
let database: SlowDatabase;
let app: Forebay<{ notes: RecordDefinition<Note, Note, string, object> }>;

beforeEach(async () => {
  environment = await createEnvironment();
  database = new SlowDatabase();
  const load = (ids: readonly string[]) => database.load(ids);
  const notes = record<Note, 'id'>({ id: 'id', load, persist: async () => undefined });
  app = await environment.connect(defineStores({ notes }));
});

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
