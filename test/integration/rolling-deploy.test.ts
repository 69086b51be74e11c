/** Rows that an older release of the definitions has accepted, read and flushed by a newer one. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Client, User } from '../../examples/platform/generated/models.js';
import type { Field, Model } from '../../src/definitions/model.js';
import { record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';
import type { ForebayEvent } from '../../src/events.js';
import { pause } from '../../src/pause.js';
import { startChangeWorker, toldUpToNow } from '../support/change-worker.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { orderStores, orderTables } from '../support/orders.js';

type Row = Record<string, unknown>;

const { fields } = Client as unknown as Model;

/** The model of clients as a release has it; its table has all columns. */
function release(changed: Record<string, Field | undefined>, renamed?: Record<string, string>) {
  const all = Object.entries({ ...fields, ...changed }).filter(
    (entry): entry is [string, Field] => !!entry[1],
  );
  const model = { ...Client, fields: Object.fromEntries(all) } as unknown as Model<Row, Row, string>;
  return defineStores({ clients: record({ model, partitions: 1, ...(renamed ? { renamed } : {}) }) });
}

const today = release({});
let environment: Environment;

beforeEach(async () => {
  environment = await createEnvironment();
});

afterEach(() => environment.close());

async function accept(stores: ReturnType<typeof release>, row: Row): Promise<void> {
  const app = await environment.connect(stores);
  await app.stores.clients.put(row);
}

async function flushBy(stores: ReturnType<typeof release>): Promise<void> {
  await environment.startWorker(stores);
  await (await environment.connect(stores)).flush();
}

const existing = (row: { email?: string }) =>
  environment.prisma.client.create({
    data: { id: 'a', name: 'Ada', createdAt: new Date('2001-01-01'), ...row },
  });

const rows = () => environment.prisma.client.findMany({ orderBy: { id: 'asc' } });

describe('a row that waits while a release is deployed', () => {
  it('gets the default of a field that was added', async () => {
    await accept(release({ email: undefined }), { id: 'a', name: 'Ada' });
    const app = await environment.connect(today);
    expect(await app.stores.clients.get('a')).toMatchObject({ name: 'Ada', email: null });
    await environment.startWorker(today);
    await app.flush();
    expect(await rows()).toMatchObject([{ id: 'a', name: 'Ada', email: null }]);
  });

  it('leaves out a field that was removed', async () => {
    const phone = { ...(fields.email as Field), column: 'phone' };
    await accept(release({ phone }), { id: 'a', name: 'Ada', phone: '1', email: 'a@example.invalid' });
    const app = await environment.connect(today);
    await environment.startWorker(today);
    await app.flush();
    expect(await rows()).toMatchObject([{ id: 'a', name: 'Ada', email: 'a@example.invalid' }]);
  });

  it('has its value under the new name of a field that was renamed', async () => {
    await accept(release({ name: undefined, title: fields.name }), { id: 'a', title: 'Ada' });
    const renaming = release({}, { name: 'title' });
    const app = await environment.connect(renaming);
    expect(await app.stores.clients.get('a')).toMatchObject({ name: 'Ada' });
    await environment.startWorker(renaming);
    await app.flush();
    expect(await rows()).toMatchObject([{ id: 'a', name: 'Ada' }]);
  });

  it('becomes a dead letter that says so, when a new field has no default; others land', async () => {
    await accept(release({ name: undefined }), { id: 'a' });
    const app = await environment.connect(today);
    await app.stores.clients.put({ id: 'b', name: 'Bob' });
    await environment.startWorker(today);
    await app.flush();
    expect(await rows()).toMatchObject([{ id: 'b' }]);
    expect(environment.events.filter(({ type }) => type === 'record.refused')).toMatchObject([
      { field: 'clients:a', error: { message: expect.stringContaining('field name is missing') } },
    ]);
  });

  it('leaves what its writer did not know of as the row has it', async () => {
    const [email, { createdAt }] = [
      'kept@example.invalid',
      await existing({ email: 'kept@example.invalid' }),
    ];
    await accept(release({ email: undefined, createdAt: undefined }), { id: 'a', name: 'Countess' });
    await flushBy(today);
    expect(await rows()).toEqual([expect.objectContaining({ name: 'Countess', email, createdAt })]);
  });

  it('leaves what its writer left, also under a new name', async () => {
    const { createdAt } = await existing({});
    await accept(today, { id: 'a', name: 'Countess' });
    await flushBy(release({ createdAt: undefined, madeAt: fields.createdAt }, { madeAt: 'createdAt' }));
    expect(await rows()).toMatchObject([{ name: 'Countess', createdAt }]);
  });

  it('that was patched changes these columns alone, also under a new name', async () => {
    await existing({ email: 'first@example.invalid' });
    const older = await environment.connect(release({ name: undefined, title: fields.name }));
    await older.stores.clients.get('a');
    await older.stores.clients.patch('a', { title: 'Countess' });
    await environment.prisma.client.update({ where: { id: 'a' }, data: { email: 'second@example.invalid' } });
    await flushBy(release({}, { name: 'title' }));
    expect(await rows()).toMatchObject([{ name: 'Countess', email: 'second@example.invalid' }]);
  });

  it('is flushed by a worker of the older release too, which leaves the new column alone', async () => {
    await environment.prisma.client.create({ data: { id: 'a', name: 'Ada', email: 'kept@example.invalid' } });
    const older = release({ email: undefined });
    await accept(older, { id: 'a', name: 'Countess' });
    await environment.startWorker(older);
    await (await environment.connect(older)).flush();
    expect(await rows()).toMatchObject([{ name: 'Countess', email: 'kept@example.invalid' }]);
  });
});

describe('a cached row of another release', () => {
  it('is loaded anew: the database knows the fields that it lacks', async () => {
    await environment.prisma.client.create({ data: { id: 'a', name: 'Ada', email: 'a@example.invalid' } });
    const older = await environment.connect(release({ email: undefined }));
    const newer = await environment.connect(today);
    for (let turn = 0; turn < 3; turn++) {
      expect(await older.stores.clients.get('a')).not.toHaveProperty('email');
      expect(await newer.stores.clients.get('a')).toMatchObject({ email: 'a@example.invalid' });
    }
  });
});

describe('a change worker', () => {
  const grown = defineStores({ ...today.definitions, users: record({ model: User, partitions: 1 }) });

  async function started(stores: typeof today | typeof grown) {
    const opened: boolean[] = [];
    const onEvent = (event: ForebayEvent): void => {
      if (event.type === 'changes.opened') opened.push(event.isCold);
    };
    return { opened, worker: await startChangeWorker(environment, stores, { onEvent }) };
  }

  it('that covers a store more begins cold: what the one before it has not heard of is seen', async () => {
    const before = await started(today);
    const after = await started(grown);
    const beside = await started(grown);
    const app = await environment.connect(grown);
    await environment.prisma.user.create({ data: { id: 'u', email: 'u@example.invalid', name: 'old' } });
    expect(await app.stores.users.get('u')).toMatchObject({ name: 'old' });
    await environment.prisma.user.update({ where: { id: 'u' }, data: { name: 'new' } });
    await toldUpToNow(environment);
    // It would hear what the one that drops has told: nothing tells when it has.
    await pause(1_500);
    await before.worker.stop(5_000);
    await expect.poll(() => [...after.opened, ...beside.opened]).toEqual([true]);
    expect(await app.stores.users.get('u')).toMatchObject({ name: 'new' });
    const [first, second] = after.opened.length > 0 ? [after, beside] : [beside, after];
    await toldUpToNow(environment);
    await first?.worker.stop(5_000);
    await expect.poll(() => second?.opened).toEqual([false]);
    await second?.worker.stop(5_000);
  });
});

it('a row that waits is patched by a newer release, together with what belongs to it', async () => {
  for (const sql of orderTables) await environment.prisma.$executeRawUnsafe(sql);
  await environment.prisma.$executeRawUnsafe('ALTER TABLE orders ADD COLUMN place text');
  const before = await environment.connect(orderStores({ partitions: 1 }));
  await before.stores.orders.put({ id: 'a', note: 'old', total: 1 });
  const newer = orderStores({ partitions: 1 }, { place: { ...(fields.email as Field), column: 'place' } });
  const app = await environment.connect(newer);
  const receipt = await app.writeTogether('orders', [
    { store: 'orders', id: 'a', patch: { note: 'new' } },
    { store: 'orderLines', put: { orderId: 'a', line: 1, amount: 5 } },
  ]);
  await environment.startWorker(newer);
  await app.flush();
  await receipt.persisted();
  expect(await environment.prisma.$queryRawUnsafe('SELECT note, total, place FROM orders')).toEqual([
    { note: 'new', total: 1, place: null },
  ]);
  expect(await app.stores.orderLines.get({ orderId: 'a', line: 1 })).toMatchObject({ amount: 5 });
});
