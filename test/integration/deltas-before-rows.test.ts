import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Project } from '../../examples/platform/generated/models.js';
import type { Forebay } from '../../src/app/connect.js';
import type { CounterClient } from '../../src/client/stores/counter-client.js';
import { counter } from '../../src/definitions/counter.js';
import type { Field, Model } from '../../src/definitions/model.js';
import { record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';
import { createEnvironment, type Environment } from '../support/environment.js';

const definitions = (deadLettersMax: number) => {
  const projects = record({
    model: Project,
    counters: ['touches'],
    partitions: 1,
    batchRecordsMax: 2,
    delayMs: 1,
    deadLettersMax,
  });
  return defineStores({ projects, touches: counter({ of: projects, field: 'touches' }) });
};
const stores = definitions(1_000);

let environment: Environment;
let app: Forebay<(typeof stores)['definitions']>;

beforeEach(async () => {
  environment = await createEnvironment();
  app = await environment.connect(stores);
});

afterEach(() => environment.close());

const put = (id = 'p') => app.stores.projects.put({ id, name: 'Harbour' });
const rows = () => environment.prisma.project.findMany({ select: { id: true, touches: true } });

describe('a delta whose row is not there', () => {
  it.each([[[]], [['add']], [['put']], [['add', 'put']], [['delete', 'add']]] as string[][][])(
    'counts once the row is put, with a flush after each of %j',
    async (flushedAfter) => {
      await environment.startWorker(stores);
      await put();
      await app.flush();
      const steps = {
        delete: () => app.stores.projects.delete('p'),
        add: () => app.stores.touches.add('p', 5),
        put: () => put(),
      };
      for (const [name, step] of Object.entries(steps)) {
        await step();
        if (flushedAfter.includes(name)) await app.flush();
      }
      expect(await app.stores.touches.get('p')).toBe(5);
      await app.flush();
      expect(await rows()).toEqual([{ id: 'p', touches: 5 }]);
      expect(await app.stores.touches.get('p')).toBe(5);
    },
  );

  it('is told of by its receipt; and that it counts, once the row is put', async () => {
    await environment.startWorker(stores);
    const receipts = [await app.stores.touches.add('p', 1), await app.stores.touches.add('p', 2)];
    for (const receipt of receipts) {
      await expect(receipt.persisted()).rejects.toMatchObject({
        code: 'COUNTER_ROW_MISSING',
        retryable: false,
        context: { store: 'touches', lane: 'projects/0' },
      });
    }
    expect(await app.stores.touches.get('p')).toBeNull();
    expect(await app.backlog()).toMatchObject({ dead: 1, dirty: 0 });
    await put();
    for (const receipt of receipts) await receipt.persisted();
    expect(await rows()).toEqual([{ id: 'p', touches: 3 }]);
  });

  it('ends with a delete', async () => {
    await environment.startWorker(stores);
    await app.stores.touches.add('p', 1);
    await app.flush();
    await app.stores.projects.delete('p');
    await put();
    await app.flush();
    expect(await rows()).toEqual([{ id: 'p', touches: 0 }]);
  });

  it('comes after the row though it became dirty before, and a batch holds few', async () => {
    for (let i = 0; i < 9; i++) await app.stores.touches.add(`p${i}`, 1);
    for (let i = 0; i < 9; i++) await put(`p${i}`);
    await environment.startWorker(stores);
    await app.flush();
    expect((await rows()).map(({ touches }) => touches)).toEqual(Array.from({ length: 9 }, () => 1));
  });

  it('is not taken for that of another counter and another row', async () => {
    const counted = Array.from({ length: 11 }, (_, at) => `c${at + 1}`);
    const columns = counted.map((name) => `${name} int NOT NULL DEFAULT 0`);
    await environment.prisma.$executeRawUnsafe(
      `CREATE TABLE many (id text PRIMARY KEY, ${columns.join(', ')})`,
    );
    await environment.prisma.$executeRawUnsafe("INSERT INTO many VALUES ('2')");
    const stores = storesOfCounters(counted);
    const client = await environment.connect(stores);
    const { c1, c11 } = client.stores as unknown as Record<'c1' | 'c11', CounterClient<string, number>>;
    const missing = await c1.add('12', 1);
    const good = await c11.add('2', 1);
    await environment.startWorker(stores);
    await good.persisted();
    await expect(missing.persisted()).rejects.toMatchObject({ code: 'COUNTER_ROW_MISSING' });
    expect(await environment.prisma.$queryRawUnsafe('SELECT id, c1, c11 FROM many')).toEqual([
      { id: '2', c1: 0, c11: 1 },
    ]);
  });

  it('is dropped when the dead letters are full, which is told, and holds up nobody', async () => {
    const own = definitions(1);
    const client = await environment.connect(own);
    await environment.startWorker(own);
    for (let i = 0; i < 5; i++) await client.stores.touches.add(`nowhere${i}`, 1);
    await client.flush();
    await (await client.stores.projects.put({ id: 'p', name: 'Harbour' })).persisted();
    const told = environment.events.filter((event) => event.type === 'counter.rows-missing');
    expect(told.reduce((total, { count }) => total + count, 0)).toBeGreaterThanOrEqual(5);
    expect(environment.events.filter(({ type }) => type === 'batch.failed')).toEqual([]);
  });
});

/** One store of counters for each of these columns of the table `many`, in one lane. */
function storesOfCounters(columns: readonly string[]) {
  const field = (column: string, type: 'String' | 'Int'): Field => ({
    column,
    type,
    isList: false,
    isNullable: false,
    default: type === 'Int' ? { kind: 'value', value: 0 } : { kind: 'none' },
    hasDatabaseDefault: type === 'Int',
  });
  const fields = Object.fromEntries([
    ['id', field('id', 'String')],
    ...columns.map((column) => [column, field(column, 'Int')] as const),
  ]);
  type Counted = { readonly id: string } & Readonly<Record<string, number>>;
  const model: Model<Counted, Counted, string> = {
    name: 'Many',
    delegate: 'many',
    table: 'many',
    id: ['id'],
    fields,
    parents: [],
  };
  const many = record({ model, counters: columns as never, partitions: 1, minDelayMs: 100 });
  const counters = columns.map((name) => [name, counter({ of: many, field: name as never })] as const);
  return defineStores({ many, ...Object.fromEntries(counters) });
}
