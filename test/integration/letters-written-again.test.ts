/** Of a record that the database refuses, and that is written again: the first receipt, and what it held. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Project } from '../../examples/platform/generated/models.js';
import { type Lane, Lanes } from '../../src/buffer/lane.js';
import { WriteBuffer } from '../../src/buffer/write-buffer.js';
import { counter } from '../../src/definitions/counter.js';
import { record } from '../../src/definitions/record.js';
import { defineStores, type Stores } from '../../src/definitions/stores.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { orderStores, orderTables } from '../support/orders.js';
import { patient } from '../support/patient.js';

let environment: Environment;

beforeEach(async () => {
  environment = await createEnvironment();
});

afterEach(() => environment.close());

const timeoutMs = patient(5_000);
const refused = { code: 'DATABASE_REFUSED' };
/** Of one tenant that soon has had its share. */
const ofOneTenant = { partitions: 1, delayMs: 0, batchRecordsMax: 20, tenant: () => 'one' };

function projectStores(options: { tenant?: () => string } = {}) {
  const projects = record({ model: Project, counters: ['touches'], partitions: 1, delayMs: 0, ...options });
  return defineStores({ projects, touches: counter({ of: projects, field: 'touches' }) });
}

/** What a batch has that a worker has died with; its number. */
async function sealed(stores: Stores, recordsMax = 20): Promise<string> {
  const { lane, buffer } = laneOf(stores);
  const reply = await buffer.seal(lane, { recordsMax, delayMs: 0, floor: 0n });
  return (reply as { batch: { number: string } }).batch.number;
}

function laneOf(stores: Stores) {
  const { redis, config } = environment;
  return {
    lane: new Lanes(stores, config.prefix).all[0] as Lane,
    buffer: new WriteBuffer(redis, config.prefix),
  };
}

async function run(sql: readonly string[]): Promise<void> {
  for (const statement of sql) await environment.prisma.$executeRawUnsafe(statement);
}

const shortNames = ['ALTER TABLE projects ADD CONSTRAINT short_name CHECK (length(name) < 10)'];
const tooLong = 'x'.repeat(20);

describe('the receipt of a refused write says so after a newer one that is refused too', () => {
  it('of the same record of an aggregate', async () => {
    await run(orderTables);
    const stores = orderStores({ partitions: 1 });
    const app = await environment.connect(stores);
    await environment.startWorker(stores);
    await app.stores.orders.put({ id: 'a', note: '', total: 1 });
    await app.flush();
    const first = await app.stores.orderLines.put({ orderId: 'a', line: 0, amount: -1 });
    await app.flush();
    await expect(first.persisted({ timeoutMs })).rejects.toMatchObject(refused);
    await app.stores.orderLines.put({ orderId: 'a', line: 0, amount: -2 });
    await app.flush();
    await expect(first.persisted({ timeoutMs })).rejects.toMatchObject(refused);
  });

  it.each([
    { what: 'the same record', line: 0 },
    { what: 'another record', line: 1 },
  ])('of an aggregate, $what, while its tenant waits for its turn', async ({ line }) => {
    await run(orderTables);
    const stores = orderStores(ofOneTenant);
    const app = await environment.connect(stores);
    await app.stores.orders.put({ id: 'a', note: '', total: 1 });
    const worker = await environment.startWorker(stores);
    await app.flush();
    const first = await app.stores.orderLines.put({ orderId: 'a', line: 0, amount: -1 });
    await app.flush();
    await worker.stop(5_000);
    for (let i = 0; i < 10; i++) await app.stores.orders.put({ id: `o${i}`, note: '', total: 1 });
    await app.stores.orderLines.put({ orderId: 'a', line, amount: line === 0 ? -5 : 5 });
    await environment.startWorker(stores);
    await app.flush();
    await expect(first.persisted({ timeoutMs })).rejects.toMatchObject(refused);
  });

  it('of an aggregate whose other record waits for its tenant’s turn, while the first is sealed', async () => {
    await run(orderTables);
    const stores = orderStores(ofOneTenant);
    const app = await environment.connect(stores);
    const first = await app.stores.orderLines.put({ orderId: 'a', line: 0, amount: -1 });
    await sealed(stores);
    for (let i = 0; i < 10; i++) await app.stores.orders.put({ id: `o${i}`, note: '', total: 1 });
    await app.stores.orders.put({ id: 'a', note: '', total: 1 });
    await app.stores.orderLines.put({ orderId: 'a', line: 0, amount: -2 });
    await environment.startWorker(stores);
    await app.flush();
    await expect(first.persisted({ timeoutMs })).rejects.toMatchObject(refused);
  });

  it.each([
    { what: 'nothing more is added', isAdded: false },
    { what: 'more is added', isAdded: true },
  ])('of a delta that is sealed before its row, which waits for its turn; $what', async ({ isAdded }) => {
    await run(shortNames);
    const stores = projectStores(ofOneTenant);
    const app = await environment.connect(stores);
    const first = await app.stores.touches.add('p', 5);
    await sealed(stores);
    for (let i = 0; i < 10; i++) await app.stores.projects.put({ id: `o${i}`, name: 'x' });
    await app.stores.projects.put({ id: 'p', name: tooLong });
    if (isAdded) await app.stores.touches.add('p', 1);
    await environment.startWorker(stores);
    await app.flush();
    await expect(first.persisted({ timeoutMs })).rejects.toMatchObject(refused);
  });

  it('of a delta that a put of its row brings to one that waits for its turn', async () => {
    await run(['ALTER TABLE projects ADD CONSTRAINT few_touches CHECK (touches < 10)']);
    const stores = projectStores(ofOneTenant);
    const app = await environment.connect(stores);
    const worker = await environment.startWorker(stores);
    const first = await app.stores.touches.add('p', 9);
    await app.flush();
    await worker.stop(5_000);
    for (let i = 0; i < 10; i++) await app.stores.projects.put({ id: `o${i}`, name: 'x' });
    await app.stores.touches.add('p', 9);
    await app.stores.projects.put({ id: 'p', name: 'x' });
    await environment.startWorker(stores);
    await app.flush();
    await expect(first.persisted({ timeoutMs })).rejects.toMatchObject(refused);
  });
});

it('a delta that waits for its turn is not taken for the one before it, which is a dead letter', async () => {
  const stores = projectStores(ofOneTenant);
  const app = await environment.connect(stores);
  const { lane, buffer } = laneOf(stores);
  await app.stores.touches.add('p', 5);
  const number = await sealed(stores);
  for (let i = 0; i < 5; i++) await app.stores.projects.put({ id: `o${i}`, name: 'x' });
  const second = await app.stores.touches.add('p', 1);
  const field = 'touches:p';
  const letter = { letter: 'projects:p', row: 'projects:p', error: '{}', anchor: '', waitMs: 0 };
  await buffer.split(lane, number, [{ field, fate: 'dead', ...letter }]);
  await buffer.ack(lane, await sealed(stores, 5));
  await environment.prisma.project.create({ data: { id: 'p', name: 'by another program' } });
  await expect(app.flush({ timeoutMs: 100 })).rejects.toMatchObject({ code: 'FLUSH_TIMEOUT' });
  await expect(second.persisted({ timeoutMs: 100 })).rejects.toMatchObject({ code: 'PERSIST_TIMEOUT' });
  await environment.startWorker(stores);
  await app.flush();
  expect(await environment.prisma.project.findUnique({ where: { id: 'p' } })).toMatchObject({ touches: 1 });
});

describe('another column of a refused row', () => {
  const row = { name: true, description: true, managerId: true, clientId: true };
  const inDatabase = async () => environment.prisma.project.findUnique({ where: { id: 'p' }, select: row });

  it.each([
    { what: 'patched', by: 'patch' },
    { what: 'patched', by: 'update' },
    { what: 'put', by: 'patch' },
    { what: 'put', by: 'update' },
  ])('that was $what is tried with it by $by, and lands once that is mended', async ({ what, by }) => {
    await run(shortNames);
    await environment.prisma.project.create({ data: { id: 'p', name: 'old', description: 'old' } });
    await environment.prisma.client.create({ data: { id: 'c', name: 'Ada' } });
    const stores = projectStores();
    const app = await environment.connect(stores);
    await environment.startWorker(stores);
    const { projects } = app.stores;
    const write = (fields: { name?: string; clientId?: string }) =>
      by === 'patch'
        ? projects.patch('p', fields)
        : projects.update('p', (project) => project && { ...project, ...fields });
    const refusedFields = { name: tooLong, description: 'a, "new" {one}' };
    const first =
      what === 'put'
        ? await projects.put({ id: 'p', ...refusedFields })
        : await projects.patch('p', refusedFields);
    await app.flush();
    const second = await write({ clientId: 'c' });
    await app.flush();
    for (const receipt of [first, second])
      await expect(receipt?.persisted({ timeoutMs })).rejects.toMatchObject(refused);
    expect(await inDatabase()).toMatchObject({ name: 'old', description: 'old', clientId: null });
    const third = await write({ name: 'short' });
    await app.flush();
    for (const receipt of [first, second, third]) await receipt?.persisted({ timeoutMs });
    expect(await inDatabase()).toMatchObject({ ...refusedFields, name: 'short', clientId: 'c' });
    expect(await projects.get('p')).toMatchObject({ ...refusedFields, name: 'short', clientId: 'c' });
    expect(await app.backlog()).toMatchObject({ dead: 0 });
  });

  it('of an aggregate lands, too, once a patch mends the row', async () => {
    await run([...orderTables, 'ALTER TABLE orders ADD CHECK (total >= 0)']);
    const stores = orderStores({ partitions: 1 });
    const app = await environment.connect(stores);
    await environment.startWorker(stores);
    await app.stores.orders.put({ id: 'a', note: 'old', total: 1 });
    await app.flush();
    const first = await app.stores.orders.patch('a', { note: 'new', total: -1 });
    await app.flush();
    await expect(first.persisted({ timeoutMs })).rejects.toMatchObject(refused);
    await app.stores.orders.patch('a', { total: 2 });
    await app.flush();
    await first.persisted({ timeoutMs });
    expect(await environment.prisma.$queryRawUnsafe('SELECT note, total FROM orders')).toEqual([
      { note: 'new', total: 2 },
    ]);
  });
});
