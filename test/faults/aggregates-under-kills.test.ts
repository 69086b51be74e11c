/**
 * [FB-AGGREGATE] The bank test: a reader in Postgres sums up what belongs together, while writers change it, workers are killed
 * amid their steps, and the database refuses some of it.
 */
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Forebay } from '../../src/app/connect.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { type OrderStores, orderTables, stores } from '../support/orders.js';
import { startWorkerProcess } from '../support/worker-process.js';

const orders = 12;
const linesMax = 6;
const writesOfWriter = 150;
const moments = ['batch.sealed', 'batch.written', 'batch.applied', 'batch.void', 'batch.split'] as const;

let environment: Environment;
let app: Forebay<OrderStores>;

beforeEach(async () => {
  environment = await createEnvironment();
  for (const table of orderTables) await environment.prisma.$executeRawUnsafe(table);
  app = await environment.connect(stores);
});

afterEach(() => environment.close());

it('a reader in Postgres never sees a part of what belongs together, under kills and refused rows', async () => {
  const reader = new BrokenSums();
  const writing = Promise.all([write(1), write(2), write(3)]);
  let isWriting = true;
  void writing.finally(() => {
    isWriting = false;
  });
  for (let kills = 0; isWriting || kills < 2 * moments.length; kills++) {
    const at = moments[kills % moments.length] as (typeof moments)[number];
    const worker = await startWorkerProcess(environment, { at, action: 'kill' }, 'orders');
    if (at === 'batch.void' || at === 'batch.split') await refusedOne(kills);
    else await app.stores.lineLooks.add({ orderId: 'o0', line: 0 }, 0);
    await worker.exited();
  }
  await writing;
  await environment.startWorker(stores);
  await mend();
  await app.flush();
  await reader.stop();
  expect(reader.broken).toEqual([]);
  expect(reader.looks).toBeGreaterThan(100);
  expect(await app.backlog()).toMatchObject({ dirty: 0, sealed: 0, dead: 0 });
  await expectRowsAsRead();
});

/** All lines of an order anew, by a number, with their sum and their count: what is there of them must agree. */
async function write(seed: number): Promise<void> {
  for (let i = 0; i < writesOfWriter; i++) {
    const id = `o${(i * seed) % orders}`;
    const count = 1 + ((i + seed) % linesMax);
    await app.writeTogether('orders', orderOf(id, count, i));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function orderOf(id: string, count: number, note: number, amount = 3) {
  const lines = Array.from({ length: linesMax }, (_, line) => line);
  return [
    { store: 'orders', put: { id, note: String(note), total: count * amount } },
    ...lines.map((line) =>
      line < count
        ? ({ store: 'orderLines', put: { orderId: id, line, amount } } as const)
        : ({ store: 'orderLines', delete: { orderId: id, line } } as const),
    ),
    { store: 'lineCounts', id, add: 0 },
  ] as const;
}

/** What the database refuses: a sum without its line would break it. */
async function refusedOne(seed: number): Promise<void> {
  await app.writeTogether('orders', [
    { store: 'orders', put: { id: 'refused', note: String(seed), total: 5 } },
    { store: 'orderLines', put: { orderId: 'refused', line: 0, amount: 6 } },
    { store: 'orderLines', put: { orderId: 'refused', line: 1, amount: -1 } },
  ]);
}

async function mend(): Promise<void> {
  await app.writeTogether('orders', orderOf('refused', 2, 0));
}

async function expectRowsAsRead(): Promise<void> {
  const rows = await environment.prisma.$queryRawUnsafe<{ id: string; total: number; note: string }[]>(
    'SELECT id, total, note FROM orders ORDER BY id',
  );
  expect(rows).toHaveLength(orders + 1);
  for (const { id, total, note } of rows)
    expect(await app.stores.orders.get(id)).toMatchObject({ id, total, note });
}

/** Looks at all orders again and again, each time in one statement. */
class BrokenSums {
  readonly broken: unknown[] = [];
  looks = 0;
  #isStopped = false;
  readonly #end = this.#look();

  async #look(): Promise<void> {
    while (!this.#isStopped) {
      const found = await environment.prisma.$queryRawUnsafe<unknown[]>(
        `SELECT * FROM (
           SELECT id, total, note, (SELECT coalesce(sum(amount), 0) FROM order_lines WHERE order_id = o.id) AS sum FROM orders o
         ) AS sums WHERE sum <> total`,
      );
      this.broken.push(...found);
      this.looks += 1;
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#end;
  }
}
