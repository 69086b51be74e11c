import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Project } from '../../examples/platform/generated/models.js';
import { stores } from '../../examples/platform/stores.js';
import { counter } from '../../src/definitions/counter.js';
import { type RecordBatch, record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';
import { drained } from '../support/drained.js';
import { createEnvironment, type Environment } from '../support/environment.js';

interface Note {
  readonly id: string;
  readonly text: string;
}

let environment: Environment;

beforeEach(async () => {
  environment = await createEnvironment();
});

afterEach(() => environment.close());

describe('writes of one record coalesce', () => {
  it('a thousand puts and deltas are one row and one counter', async () => {
    const app = await environment.connect(stores);
    const writes = Array.from({ length: 1_000 }, (_, i) => [
      app.stores.projects.put({ id: 'p', name: `name ${i}` }),
      app.stores.projectTouches.add('p', 1),
    ]);
    await Promise.all(writes.flat());
    await environment.startWorker(stores);
    await app.flush();
    expect(await app.backlog()).toMatchObject({ persisted: 2, batches: 1, dirty: 0, oldestDirtyAgeMs: 0 });
    const row = await environment.prisma.project.findUnique({ where: { id: 'p' } });
    expect(row).toMatchObject({ name: 'name 999', touches: 1_000 });
  });
});

describe('batches', () => {
  it('take the records in the order in which they became dirty, up to batchRecordsMax', async () => {
    const batches: string[][] = [];
    const notes = record<Note, 'id'>({
      id: 'id',
      partitions: 1,
      batchRecordsMax: 3,
      load: async () => [],
      persist: async ({ puts }) => {
        batches.push(puts.map(({ id }) => id));
      },
    });
    const definitions = defineStores({ notes });
    const app = await environment.connect(definitions);
    await app.stores.notes.putMany(['e', 'c', 'a', 'd', 'b', 'c', 'f'].map((id) => ({ id, text: id })));
    await environment.startWorker(definitions);
    await app.flush();
    expect(batches).toEqual([
      ['a', 'c', 'e'],
      ['b', 'd', 'f'],
    ]);
  });

  it('of a store with a persist of its own commit with the ledger, or not at all', async () => {
    await environment.prisma.$executeRawUnsafe('CREATE TABLE note (id text PRIMARY KEY, text text)');
    const seen: RecordBatch<Note, string>[] = [];
    const notes = record<Note, 'id'>({
      id: 'id',
      partitions: 1,
      load: async () => [],
      async persist(batch, tx) {
        for (const { id, text } of batch.puts)
          await tx.$executeRawUnsafe('INSERT INTO note VALUES ($1, $2)', id, text);
        seen.push(batch);
        if (seen.length === 1) throw new Error('the first try fails after its rows were written');
      },
    });
    const definitions = defineStores({ notes });
    const app = await environment.connect(definitions);
    await app.stores.notes.put({ id: 'a', text: 'kept' });
    await app.stores.notes.delete('b');
    await environment.startWorker(definitions);
    await app.flush();
    expect(seen[0]).toMatchObject({ deletes: ['b'], puts: [{ id: 'a', text: 'kept' }] });
    expect(await environment.prisma.$queryRawUnsafe('SELECT * FROM note')).toEqual([
      { id: 'a', text: 'kept' },
    ]);
    expect(environment.events.filter(({ type }) => type === 'batch.void')).toHaveLength(1);
    expect(await app.backlog()).toMatchObject({ dead: 0 });
  });
});

describe('an idle database', () => {
  it('has a write at once, however long the store lets writes coalesce', async () => {
    const definitions = defineStores({ projects: record({ model: Project, delayMs: 60_000 }) });
    const app = await environment.connect(definitions);
    await environment.startWorker(definitions);
    for (const name of ['first', 'second', 'third']) {
      const receipt = await app.stores.projects.put({ id: 'p', name });
      await receipt.persisted({ timeoutMs: 10_000 });
      expect(await environment.prisma.project.findFirst()).toMatchObject({ name });
    }
  });
});

describe('a delay of a minute at least', () => {
  it('is not waited for by a flush', async () => {
    const definitions = defineStores({ projects: record({ model: Project, minDelayMs: 60_000 }) });
    const app = await environment.connect(definitions);
    await environment.startWorker(definitions);
    await app.stores.projects.put({ id: 'p', name: 'autosaved' });
    await app.flush({ timeoutMs: 10_000 });
    expect(await environment.prisma.project.count()).toBe(1);
    await app.stores.projects.put({ id: 'p', name: 'autosaved again' });
    await app.flush({ timeoutMs: 10_000 });
    expect(await environment.prisma.project.findFirst()).toMatchObject({ name: 'autosaved again' });
  });

  it('keeps no worker from other lanes', async () => {
    const persisted: string[] = [];
    const persist = async ({ puts }: { puts: readonly Note[] }): Promise<void> => {
      persisted.push(...puts.map(({ text }) => text));
      // While it is applied, the next one comes: the lane is not empty afterwards.
      if (persisted[0] === 'draft' && persisted.length === 1)
        await app.stores.drafts.put(draft('newer draft'));
    };
    const draft = (text: string): Note => ({ id: 'd', text });
    const note = { id: 'id', partitions: 1, load: async () => [], persist } as const;
    const definitions = defineStores({
      drafts: record<Note, 'id'>({ ...note, minDelayMs: 3_000 }),
      notes: record<Note, 'id'>({ ...note, delayMs: 10 }),
    });
    const app = await environment.connect(definitions);
    await environment.startWorker(definitions, { lanes: 1 });
    await app.stores.drafts.put(draft('draft'));
    await expect.poll(() => persisted).toEqual(['draft']);
    await app.stores.notes.put({ id: 'n', text: 'note' });
    await drained(app);
    expect(persisted).toEqual(['draft', 'note', 'newer draft']);
  });
});

describe('a child whose parent comes later', () => {
  it('lands after it', async () => {
    const app = await environment.connect(stores);
    await environment.startWorker(stores);
    await app.stores.tasks.put({ id: 't', projectId: 'p', title: 'child' });
    await expect.poll(() => failures()).toContain('not-yet');
    await app.stores.projects.put({ id: 'p', name: 'parent' });
    await app.flush();
    expect(await environment.prisma.task.count()).toBe(1);
  });
});

describe('a counter', () => {
  it('of a row that is not there changes nothing, and that is told', async () => {
    const app = await environment.connect(stores);
    await environment.startWorker(stores);
    await app.stores.projectTouches.add('nowhere', 1);
    await app.flush();
    expect(await app.stores.projectTouches.get('nowhere')).toBeNull();
    const told = environment.events.filter(({ type }) => type === 'counter.rows-missing');
    expect(told).toMatchObject([{ store: 'projectTouches', count: 1 }]);
  });

  it('alone on its model makes the rows that are missing', async () => {
    await environment.prisma.$executeRawUnsafe(
      `ALTER TABLE projects ALTER name SET DEFAULT '', ALTER updated_at SET DEFAULT now()`,
    );
    const fields = Object.entries(Project.fields).map(([name, field]) => [
      name,
      { ...field, hasDatabaseDefault: true },
    ]);
    const model = { ...Project, fields: Object.fromEntries(fields) };
    const definitions = defineStores({ views: counter({ model, field: 'views' }) });
    const app = await environment.connect(definitions);
    await environment.startWorker(definitions);
    await app.stores.views.add('p', 2n ** 53n + 1n);
    expect(await app.stores.views.get('p')).toBe(2n ** 53n + 1n);
    await app.flush();
    await app.stores.views.add('p', -1n);
    await app.flush();
    expect(await environment.prisma.project.findUnique({ where: { id: 'p' } })).toMatchObject({
      views: 2n ** 53n,
    });
    expect(await app.stores.views.get('p')).toBe(2n ** 53n);
  });
});

function failures(): string[] {
  return environment.events.flatMap((event) => (event.type === 'batch.failed' ? [event.reason] : []));
}
