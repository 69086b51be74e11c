/** Aggregates: rows that belong to a row, in its lane: accepted together, committed together, refused together. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Forebay } from '../../src/app/connect.js';
import { command } from '../support/command-line.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { type OrderStores, orderStores, orderTables, stores, storesApart } from '../support/orders.js';

let environment: Environment;
let app: Forebay<OrderStores>;

beforeEach(async () => {
  environment = await createEnvironment();
  const [orders = '', lines = ''] = orderTables;
  await environment.prisma.$executeRawUnsafe(orders);
  await environment.prisma.$executeRawUnsafe(lines);
  app = await environment.connect(stores);
});

afterEach(() => environment.close());

interface OrderState {
  readonly total: number;
  readonly line_count: number;
  readonly amounts: number[];
}

async function stateOf(id: string): Promise<OrderState | undefined> {
  const [found] = await environment.prisma.$queryRawUnsafe<OrderState[]>(
    `SELECT total, line_count, array(SELECT amount FROM order_lines WHERE order_id = o.id ORDER BY line) AS amounts
     FROM orders o WHERE id = $1`,
    id,
  );
  return found;
}

/** An order of so many lines of 10 each. */
function order(id: string, lines: number, amount = 10) {
  return [
    { store: 'orders', put: { id, note: '', total: lines * amount } },
    ...Array.from(
      { length: lines },
      (_, line) => ({ store: 'orderLines', put: { orderId: id, line, amount } }) as const,
    ),
    { store: 'lineCounts', id, add: lines },
  ] as const;
}

describe('writes that belong together', () => {
  it('are read at once, by their stores, and are committed in one transaction', async () => {
    const receipt = await app.writeTogether('orders', order('a', 3));
    expect(await app.stores.orders.get('a')).toMatchObject({ total: 30 });
    expect(
      await app.stores.orderLines.getMany([0, 1, 2].map((line) => ({ orderId: 'a', line }))),
    ).toMatchObject(Array(3).fill({ amount: 10 }));
    expect(await app.stores.lineCounts.get('a')).toBe(3);
    await environment.startWorker(stores);
    await receipt.persisted();
    expect(await stateOf('a')).toEqual({ total: 30, line_count: 3, amounts: [10, 10, 10] });
    const [{ count }] = (await environment.prisma.$queryRawUnsafe(
      `SELECT count(DISTINCT xmin::text)::int AS count
       FROM (SELECT xmin FROM orders UNION ALL SELECT xmin FROM order_lines) AS rows`,
    )) as [{ count: number }];
    expect(count).toBe(1);
  });

  it('are in a batch as a whole, however small batches are', async () => {
    const small = orderStores({ partitions: 1, batchRecordsMax: 2, delayMs: 1 });
    const one = await environment.connect(small);
    for (let i = 0; i < 10; i++) await one.writeTogether('orders', order(`o${i}`, 5));
    // Each alone is older than the next ones: one place must do for all.
    for (let i = 0; i < 10; i++)
      await one.stores.orderLines.patch({ orderId: `o${i}`, line: 0 }, { amount: 10 });
    await environment.startWorker(small);
    await one.flush();
    const sizes = environment.events.flatMap((event) => (event.type === 'batch.applied' ? [event.size] : []));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(70);
    expect(sizes.every((size) => size % 7 === 0)).toBe(true);
    for (let i = 0; i < 10; i++) expect(await stateOf(`o${i}`)).toMatchObject({ line_count: 5, total: 50 });
  });

  it('are all accepted, or none: when one is not at its version', async () => {
    await app.stores.orders.put({ id: 'a', note: '', total: 0 });
    const { version } = await app.stores.orders.getVersioned('a');
    const wrong = [
      ...order('a', 2).slice(1),
      { store: 'orders', put: { id: 'a', note: 'new', total: 20 }, version: version + 1n },
    ] as const;
    await expect(app.writeTogether('orders', wrong)).rejects.toMatchObject({
      code: 'CONFLICT',
      context: { version },
    });
    expect(await app.stores.orderLines.get({ orderId: 'a', line: 0 })).toBeNull();
    expect(await app.stores.lineCounts.get('a')).toBe(0);
    await app.writeTogether('orders', [
      ...order('a', 2).slice(1),
      { store: 'orders', put: { id: 'a', note: 'new', total: 20 }, version },
    ]);
    await environment.startWorker(stores);
    await app.flush();
    expect(await stateOf('a')).toEqual({ total: 20, line_count: 2, amounts: [10, 10] });
  });

  it('are all accepted, or none: when there is no room for all', async () => {
    const narrow = orderStores({ partitions: 1, dirtyMax: 8 });
    const one = await environment.connect(narrow);
    await one.writeTogether('orders', order('a', 4));
    await expect(one.writeTogether('orders', order('a', 7, 1))).rejects.toMatchObject({
      code: 'BACKLOG_FULL',
    });
    expect(await one.stores.orders.get('a')).toMatchObject({ total: 40 });
    // What is dirty already takes no room.
    await one.writeTogether('orders', order('a', 6));
    expect(await one.backlog()).toMatchObject({ dirty: 8 });
  });

  it('are all accepted, or none: when a sum would not fit', async () => {
    await app.writeTogether('orders', [{ store: 'lineCounts', id: 'a', add: 2n ** 63n - 1n }]);
    await app.stores.lineCounts.add('b', 5);
    await expect(
      app.writeTogether('orders', [
        { store: 'lineLooks', id: { orderId: 'a', line: 1 }, add: 1 },
        { store: 'orders', put: { id: 'a', note: '', total: 1 } },
        { store: 'lineCounts', id: 'a', add: 1 },
      ]),
    ).rejects.toMatchObject({ code: 'COUNTER_OVERFLOW' });
    expect(await app.backlog()).toMatchObject({ dirty: 2 });
    await app.writeTogether('orders', [{ store: 'lineCounts', id: 'a', add: -(2n ** 63n - 1n) }]);
    await app.writeTogether('orders', order('a', 1));
    expect(await app.stores.lineCounts.get('a')).toBe(1);
  });

  it('patch rows that Redis does not have, and delete them with what counts in them', async () => {
    await environment.startWorker(stores);
    await app.writeTogether('orders', order('a', 3));
    await app.stores.lineLooks.add({ orderId: 'a', line: 2 }, 7);
    await app.flush();
    await app.stores.orders.evict('a');
    await app.writeTogether('orders', [
      { store: 'orders', id: 'a', patch: { total: 20 } },
      { store: 'orderLines', delete: { orderId: 'a', line: 2 } },
      { store: 'lineCounts', id: 'a', add: -1 },
    ]);
    await app.flush();
    expect(await stateOf('a')).toEqual({ total: 20, line_count: 2, amounts: [10, 10] });
    await expect(
      app.writeTogether('orders', [
        { store: 'orderLines', id: { orderId: 'a', line: 9 }, patch: { amount: 1 } },
      ]),
    ).rejects.toMatchObject({ code: 'ROW_MISSING' });
  });

  it.each([
    [
      'of two orders',
      [
        { store: 'orders', put: { id: 'a', note: '', total: 1 } },
        { store: 'lineCounts', id: 'b', add: 1 },
      ],
      'ACROSS_AGGREGATES',
    ],
    [
      'of two orders by their lines',
      [
        { store: 'orderLines', put: { orderId: 'a', line: 1, amount: 1 } },
        { store: 'orderLines', put: { orderId: 'a,1', line: 1, amount: 1 } },
      ],
      'ACROSS_AGGREGATES',
    ],
    ['none at all', [], 'INVALID_VALUE'],
    [
      'two of one row',
      [
        { store: 'orders', put: { id: 'a', note: '', total: 1 } },
        { store: 'orders', delete: 'a' },
      ],
      'INVALID_VALUE',
    ],
    [
      'a delta of a row that is deleted',
      [
        { store: 'orders', delete: 'a' },
        { store: 'lineCounts', id: 'a', add: 1 },
      ],
      'INVALID_VALUE',
    ],
    ['that say nothing', [{ store: 'orders' }], 'INVALID_VALUE'],
    ['of a store that is not theirs', [{ store: 'nothing', put: {} }], 'ACROSS_AGGREGATES'],
  ])('that are %s are refused by a typed error, and nothing is written', async (_, writes, code) => {
    await expect(app.writeTogether('orders', writes as never)).rejects.toMatchObject({ code });
    expect(await app.backlog()).toMatchObject({ dirty: 0 });
  });
});

describe('a store whose rows belong to others', () => {
  it('is not opened while it has lanes of its own, which a command closes', async () => {
    const apart = storesApart();
    const before = await environment.connect(apart);
    const old = await environment.startWorker(apart);
    await before.stores.orders.put({ id: 'a', note: '', total: 1 });
    await before.stores.orderLines.put({ orderId: 'a', line: 1, amount: 1 });
    await expect(environment.connect(stores)).rejects.toMatchObject({
      code: 'INVALID_DEFINITION',
      message: expect.stringContaining('npx forebay lanes orderLines 0'),
    });
    await expect(environment.startWorker(stores)).rejects.toMatchObject({ code: 'INVALID_DEFINITION' });
    const lanes = (number: string) => command(['lanes', 'orderLines', number], { env: environment.env });
    expect(await lanes('0')).toMatchObject({ code: 0 });
    expect(await stateOf('a')).toMatchObject({ amounts: [1] });
    // As an app of the release before, which knows of its lanes, is told.
    await expect(before.stores.orderLines.put({ orderId: 'a', line: 2, amount: 1 })).rejects.toMatchObject({
      code: 'LANES_CHANGING',
      retryable: true,
    });
    await expect(environment.connect(apart)).rejects.toMatchObject({ code: 'LANES_CHANGING' });
    await old.stop(5_000);
    const after = await environment.connect(stores);
    await environment.startWorker(stores);
    await after.stores.orderLines.put({ orderId: 'a', line: 2, amount: 2 });
    await after.flush();
    expect(await stateOf('a')).toMatchObject({ amounts: [1, 2] });
  });

  it('goes on in its lane when that number is changed', async () => {
    await environment.startWorker(stores);
    const writing = (async () => {
      for (let i = 0; i < 200; i++) await app.writeTogether('orders', order(`o${i % 7}`, 1 + (i % 5), i));
    })();
    expect(await command(['lanes', 'orders', '5'], { env: environment.env })).toMatchObject({ code: 0 });
    await writing;
    await app.flush();
    for (let i = 193; i < 200; i++) {
      const lines = 1 + (i % 5);
      const state = await stateOf(`o${i % 7}`);
      expect(state).toMatchObject({ total: lines * i });
      expect(state?.amounts.slice(0, lines)).toEqual(Array(lines).fill(i));
    }
  });
});

describe('what the database refuses of an aggregate', () => {
  beforeEach(() => environment.startWorker(stores));

  it('is all that the batch has of it, as one dead letter; others land', async () => {
    const receipt = await app.writeTogether('orders', [
      { store: 'orders', put: { id: 'bad', note: '', total: 5 } },
      { store: 'orderLines', put: { orderId: 'bad', line: 1, amount: -5 } },
      { store: 'orderLines', put: { orderId: 'bad', line: 2, amount: 10 } },
      { store: 'lineCounts', id: 'bad', add: 2 },
    ]);
    await app.writeTogether('orders', order('good', 2));
    await expect(receipt.persisted()).rejects.toMatchObject({ code: 'DATABASE_REFUSED' });
    await app.flush();
    expect(await stateOf('bad')).toBeUndefined();
    expect(await stateOf('good')).toEqual({ total: 20, line_count: 2, amounts: [10, 10] });
    const letters = [];
    for await (const letter of app.deadLetters.list({ store: 'orderLines' })) letters.push(letter);
    expect(letters).toMatchObject([{ store: 'orders', id: 'bad', error: { state: '23514' } }]);
    expect(letters[0]?.error.message).toMatch(/^orderLines:bad,1: /);
    expect(Object.keys(letters[0]?.records ?? {}).sort()).toEqual([
      'lineCounts:bad',
      'orderLines:bad,1',
      'orderLines:bad,2',
      'orders:bad',
    ]);
    expect(await app.stores.orders.get('bad')).toBeNull();
  });

  it('is tried again as a whole with the next write of any part of it', async () => {
    const refused = await app.writeTogether('orders', [
      ...order('a', 2),
      { store: 'orderLines', put: { orderId: 'a', line: 7, amount: -1 } },
    ]);
    await expect(refused.persisted()).rejects.toMatchObject({ code: 'DATABASE_REFUSED' });
    expect(await stateOf('a')).toBeUndefined();
    await app.stores.orderLines.put({ orderId: 'a', line: 7, amount: 0 });
    await app.flush();
    expect(await stateOf('a')).toEqual({ total: 20, line_count: 2, amounts: [10, 10, 0] });
    expect(await app.backlog()).toMatchObject({ dead: 0 });
    await refused.persisted();
  });

  it('is replayed as a whole, once the database takes it', async () => {
    const refused = await app.writeTogether('orders', [
      ...order('a', 1),
      { store: 'orderLines', put: { orderId: 'a', line: 7, amount: -1 } },
    ]);
    await expect(refused.persisted()).rejects.toMatchObject({ code: 'DATABASE_REFUSED' });
    await environment.prisma.$executeRawUnsafe(
      'ALTER TABLE order_lines DROP CONSTRAINT order_lines_amount_check',
    );
    expect(await app.deadLetters.replayAll()).toBe(1);
    await app.flush();
    expect(await stateOf('a')).toEqual({ total: 10, line_count: 1, amounts: [10, -1] });
  });

  it('waits as a whole for a row that it refers to, with what is written of it meanwhile', async () => {
    await environment.prisma.$executeRawUnsafe('CREATE TABLE notes (note text PRIMARY KEY)');
    await environment.prisma.$executeRawUnsafe('ALTER TABLE orders ADD FOREIGN KEY (note) REFERENCES notes');
    await app.writeTogether('orders', order('a', 2));
    await expect.poll(async () => (await app.backlog()).waiting).toBeGreaterThan(0);
    await app.writeTogether('orders', [
      { store: 'orderLines', put: { orderId: 'a', line: 2, amount: 10 } },
      { store: 'orders', put: { id: 'a', note: '', total: 30 } },
      { store: 'lineCounts', id: 'a', add: 1 },
    ]);
    expect(await stateOf('a')).toBeUndefined();
    await environment.prisma.$executeRawUnsafe(`INSERT INTO notes VALUES ('')`);
    await app.flush();
    expect(await stateOf('a')).toEqual({ total: 30, line_count: 3, amounts: [10, 10, 10] });
  });
});
