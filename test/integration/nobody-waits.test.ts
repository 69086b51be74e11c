/** What a lane's records may not wait for: others' rows, differences of clocks, errors of others, jobs of the same lane. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Client, Project, Task } from '../../examples/platform/generated/models.js';
import type { Forebay } from '../../src/app/connect.js';
import { Lanes } from '../../src/buffer/lane.js';
import { counter } from '../../src/definitions/counter.js';
import { record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';
import type { ForebayEvent } from '../../src/events.js';
import { createEnvironment, type Environment } from '../support/environment.js';

const tasks = record({ model: Task, counters: ['touches'], partitions: 1, batchRecordsMax: 10, delayMs: 1 });
const stores = defineStores({
  projects: record({ model: Project, counters: ['touches'], partitions: 1, delayMs: 1 }),
  clients: record({ model: Client, partitions: 1, delayMs: 1 }),
  tasks,
  touches: counter({ of: tasks, field: 'touches' }),
});

let environment: Environment;
let app: Forebay<(typeof stores)['definitions']>;

beforeEach(async () => {
  environment = await createEnvironment();
  app = await environment.connect(stores);
});

afterEach(() => environment.close());

const task = (id: string, projectId: string) => app.stores.tasks.put({ id, projectId, title: id });
const told = (type: ForebayEvent['type']) => environment.events.filter((event) => event.type === type);
const keysOf = (store: string) =>
  new Lanes(stores, environment.config.prefix).ofStore(store)[0]?.keys as Lanes['all'][number]['keys'];

describe('a record that waits for its parent', () => {
  it('holds back the confirmation of no other, before it or after it; its own comes when it lands', async () => {
    await app.stores.projects.put({ id: 'there', name: 'There' });
    const waits = await task('waits', 'late');
    const good = await task('good', 'there');
    await environment.startWorker(stores);
    await good.persisted({ timeoutMs: 10_000 });
    await expect.poll(() => told('batch.split').length).toBeGreaterThan(1);
    const later = await task('later', 'there');
    await later.persisted({ timeoutMs: 10_000 });
    const delta = await app.stores.touches.add('waits', 3);
    await expect(waits.persisted({ timeoutMs: 300 })).rejects.toMatchObject({ code: 'PERSIST_TIMEOUT' });
    await expect(delta.persisted({ timeoutMs: 300 })).rejects.toMatchObject({ code: 'PERSIST_TIMEOUT' });
    await expect(app.flush({ timeoutMs: 300 })).rejects.toMatchObject({ code: 'FLUSH_TIMEOUT' });
    await app.stores.projects.put({ id: 'late', name: 'Late' });
    await Promise.all([waits.persisted(), delta.persisted(), app.flush()]);
    expect(await environment.prisma.task.findUnique({ where: { id: 'waits' } })).toMatchObject({
      touches: 3,
    });
  });

  it('ends a flush that came before it, though it waits on', async () => {
    await environment.startWorker(stores);
    await task('first', 'late');
    await expect.poll(async () => (await app.backlog()).waiting).toBe(1);
    const flushed = app.flush({ timeoutMs: 10_000 });
    await expect.poll(() => environment.redis.hexists(keysOf('tasks').meta, 'hurry')).toBe(1);
    await task('second', 'never');
    await expect.poll(async () => (await app.backlog()).waiting).toBe(2);
    await app.stores.projects.put({ id: 'late', name: 'Late' });
    await flushed;
    expect((await app.backlog()).waiting).toBe(1);
  });

  it('and is made anew keeps every delta that comes while it waits, with others that wait too', async () => {
    const ids = Array.from({ length: 15 }, (_, i) => `again${i}`);
    await app.stores.projects.put({ id: 'there', name: 'There' });
    for (const id of ids) await task(id, 'there');
    for (const id of ids) await app.stores.touches.add(id, 100);
    const worker = await environment.startWorker(stores);
    await app.flush();
    await worker.stop(5_000);
    for (const id of ids) await app.stores.tasks.delete(id);
    for (const id of ids) await task(id, 'late');
    for (const id of ids.slice(0, 8)) await app.stores.touches.add(id, 1);
    await environment.startWorker(stores);
    for (let splits = 1; splits <= 4; splits++) {
      await expect.poll(() => told('batch.split').length, { interval: 1 }).toBeGreaterThanOrEqual(splits);
      for (const id of ids) await app.stores.touches.add(id, 10 ** splits);
    }
    await app.stores.projects.put({ id: 'late', name: 'Late' });
    await app.flush();
    const rows = await environment.prisma.task.findMany({ orderBy: { id: 'asc' } });
    const sums = rows.map(({ id, touches }) => [id, touches]);
    expect(sums).toEqual(ids.map((id, i) => [id, i < 8 ? 11_111 : 11_110]).sort());
  });

  it('holds up nobody, with more of its kind than a batch holds', async () => {
    await app.stores.projects.put({ id: 'there', name: 'There' });
    for (let i = 0; i < 35; i++) void task(`waits${i}`, 'late');
    await environment.startWorker(stores);
    await expect.poll(() => told('batch.split').length).toBeGreaterThan(3);
    for (let i = 0; i < 5; i++) await (await task(`good${i}`, 'there')).persisted({ timeoutMs: 5_000 });
    await app.stores.projects.put({ id: 'late', name: 'Late' });
    await app.flush();
    expect(await environment.prisma.task.count()).toBe(40);
  });
});

describe('a record that fails with a code of its own', () => {
  it.each(['AP001', '55000', '42501', '23P99', 'P0001', '40001', '53100'])(
    '%s: the others of its lane land; it becomes a dead letter, or waits',
    async (code) => {
      await refuseTasksNamed('bad', code);
      await app.stores.projects.put({ id: 'there', name: 'There' });
      await task('bad', 'there');
      for (let i = 0; i < 5; i++) await task(`good${i}`, 'there');
      await environment.startWorker(stores);
      await (await task('last', 'there')).persisted({ timeoutMs: 20_000 });
      // Some may still wait for their parent, which another lane carries.
      await expect.poll(() => environment.prisma.task.count()).toBe(6);
      expect(await app.stores.tasks.get('good3')).not.toBeNull();
    },
  );

  it('lands in the end, or is told, also when it is alone in its batch: with others that come later', async () => {
    await refuseTasksNamed('bad', '55000');
    await app.stores.projects.put({ id: 'there', name: 'There' });
    await environment.startWorker(stores);
    await app.flush();
    await task('bad', 'there');
    await expect.poll(() => told('batch.failed').length).toBeGreaterThan(0);
    await (await task('good', 'there')).persisted({ timeoutMs: 20_000 });
  });

  it('and when all fail since the table is not there, none becomes a dead letter', async () => {
    await environment.startWorker(stores);
    await environment.prisma.$executeRawUnsafe('ALTER TABLE clients RENAME TO away');
    await app.stores.clients.put({ id: 'a', name: 'Ada' });
    await expect.poll(() => told('batch.void').length, { timeout: 10_000 }).toBeGreaterThan(1);
    await environment.prisma.$executeRawUnsafe('ALTER TABLE away RENAME TO clients');
    await app.flush();
    expect(await environment.prisma.client.count()).toBe(1);
    expect(told('record.refused')).toEqual([]);
  });
});

async function refuseTasksNamed(id: string, code: string): Promise<void> {
  const { prisma } = environment;
  await prisma.$executeRawUnsafe(`CREATE FUNCTION no_bad() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN IF NEW.id = '${id}' THEN RAISE EXCEPTION 'not this one' USING ERRCODE = '${code}'; END IF; RETURN NEW; END $$`);
  await prisma.$executeRawUnsafe(
    'CREATE TRIGGER no_bad BEFORE INSERT OR UPDATE ON tasks FOR EACH ROW EXECUTE FUNCTION no_bad()',
  );
}

describe('a lane whose versions are ahead of the clock', () => {
  const aheadUs = 45_000_000;

  it('is flushed as any other, and a lost wake-up is made up for', async () => {
    await environment.startWorker(stores);
    const ahead = String(Date.now() * 1_000 + aheadUs);
    await environment.redis.hset(keysOf('clients').meta, 'version', ahead);
    const receipt = await app.stores.clients.put({ id: 'a', name: 'Ada' });
    expect(receipt.version).toBeGreaterThan(BigInt(ahead));
    await receipt.persisted({ timeoutMs: 5_000 });
    // As after a clock that was set back, and a job that was lost.
    await environment.redis.hset(keysOf('clients').meta, 'due', ahead);
    const lost = await app.stores.clients.put({ id: 'b', name: 'Ben' });
    await lost.persisted({ timeoutMs: 10_000 });
  });

  it('and so are retries: a record that waits is tried again', async () => {
    await environment.startWorker(stores);
    await task('waits', 'late');
    await expect.poll(() => told('batch.split').length).toBeGreaterThan(1);
    await app.stores.projects.put({ id: 'late', name: 'Late' });
    const retry = async () =>
      environment.redis.zadd(keysOf('tasks').retries, 'XX', Date.now() * 1_000 + aheadUs, 'tasks:waits');
    await retry();
    const { waiting } = keysOf('tasks');
    const mark = (await environment.redis.hget(waiting, 'tasks:waits')) as string;
    const ahead = `10 ${Date.now() * 1_000 + aheadUs}`;
    await environment.redis.hset(waiting, 'tasks:waits', mark.replace(/^\d+ \d+/, ahead));
    await app.flush({ timeoutMs: 10_000 });
    expect(await environment.prisma.task.count()).toBe(1);
  });
});

describe('many jobs of one lane', () => {
  it('share one flush in a worker: each batch is sealed and applied once', async () => {
    await environment.startWorker(stores, { lanes: 16 });
    for (let round = 0; round < 30; round++) {
      await Promise.all([
        ...Array.from({ length: 20 }, (_, i) => app.stores.clients.put({ id: `c${i}`, name: `${round}` })),
        app.flush(),
        app.flush(),
      ]);
    }
    await app.flush();
    expect(told('batch.late')).toEqual([]);
    expect(told('batch.applied').filter((event) => 'applied' in event && !event.applied)).toEqual([]);
    expect(told('lane.woken')).toEqual([]);
  });
});
