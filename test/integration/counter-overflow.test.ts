/** Deltas of a counter in several places of its lane, which may come together: they fit in 64 bits, or are refused. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Project } from '../../examples/platform/generated/models.js';
import { type Lane, Lanes } from '../../src/buffer/lane.js';
import { WriteBuffer } from '../../src/buffer/write-buffer.js';
import { counter } from '../../src/definitions/counter.js';
import { record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { orderStores, orderTables } from '../support/orders.js';

const projects = record({ model: Project, counters: ['views'], partitions: 1, delayMs: 0 });
const stores = defineStores({ projects, views: counter({ of: projects, field: 'views' }) });
const most = 2n ** 63n - 1n;
const overflow = { code: 'COUNTER_OVERFLOW' };

let environment: Environment;

beforeEach(async () => {
  environment = await createEnvironment();
});

afterEach(() => environment.close());

const viewsInDatabase = async () =>
  (await environment.prisma.project.findMany({ select: { views: true } })).map(({ views }) => views);

describe.each([most, -most - 1n])('a delta that would not fit below %s', (limit) => {
  const sign = limit > 0n ? 1n : -1n;

  it('with those that wait for their row is refused; they count once that is put', async () => {
    const app = await environment.connect(stores);
    await environment.startWorker(stores);
    await app.stores.views.add('p', limit - sign * 5n);
    await app.flush();
    await expect(app.stores.views.add('p', sign * 6n)).rejects.toMatchObject(overflow);
    await app.stores.views.add('p', sign * 5n);
    await app.flush();
    await expect(app.stores.views.add('p', sign * 2n)).rejects.toMatchObject(overflow);
    await app.stores.projects.put({ id: 'p', name: 'Harbour' });
    await app.flush();
    expect(await viewsInDatabase()).toEqual([limit]);
  });

  it('with those that are sealed is refused; these come back when their batch is refused', async () => {
    const app = await environment.connect(stores);
    const lane = new Lanes(stores, environment.config.prefix).all[0] as Lane;
    await app.stores.views.add('p', limit - sign * 5n);
    const buffer = new WriteBuffer(environment.redis, environment.config.prefix);
    expect(await buffer.seal(lane, { recordsMax: 20, delayMs: 0, floor: 0n })).toMatchObject({
      kind: 'batch',
    });
    await app.stores.views.add('p', sign * 3n);
    await expect(app.stores.views.add('p', sign * 3n)).rejects.toMatchObject(overflow);
    await app.stores.projects.put({ id: 'p', name: 'Harbour' });
    await environment.startWorker(stores);
    await app.flush();
    expect(await viewsInDatabase()).toEqual([limit - sign * 2n]);
  });
});

it('a delta that would not fit with a dead one of its aggregate is refused, and what belongs to it', async () => {
  for (const sql of orderTables) await environment.prisma.$executeRawUnsafe(sql);
  const orders = orderStores({ partitions: 1, delayMs: 0 });
  const app = await environment.connect(orders);
  await environment.startWorker(orders);
  await app.stores.lineCounts.add('a', most);
  await app.flush();
  const put = { store: 'orders' as const, put: { id: 'a', note: '', total: 1 } };
  await expect(
    app.writeTogether('orders', [put, { store: 'lineCounts', id: 'a', add: 1 }]),
  ).rejects.toMatchObject(overflow);
  expect(await app.backlog()).toMatchObject({ dirty: 0, dead: 1 });
  await app.writeTogether('orders', [put, { store: 'lineCounts', id: 'a', add: -most }]);
  await app.flush();
  expect(await environment.prisma.$queryRawUnsafe('SELECT id, line_count FROM orders')).toEqual([
    { id: 'a', line_count: 0 },
  ]);
});
