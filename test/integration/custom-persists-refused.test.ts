/** Records that a store's own `persist` can't write: whatever it fails with, and whenever, the others are written. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { counter } from '../../src/definitions/counter.js';
import { type RecordBatch, record, type Transaction } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';
import type { ForebayError } from '../../src/errors.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { patient } from '../support/patient.js';

interface Item {
  readonly id: string;
  readonly word: string;
}

let environment: Environment;

beforeEach(async () => {
  environment = await createEnvironment();
});

afterEach(() => environment.close());

const upsert = 'INSERT INTO items VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET word = excluded.word';
const insert = (tx: Transaction, { id, word }: Item) => tx.$executeRawUnsafe(upsert, id, word);

const storesOf = (persistOne: (item: Item, tx: Transaction) => Promise<unknown>, parentWaitMs = 500) =>
  defineStores({
    items: record<Item, 'id'>({
      id: 'id',
      partitions: 1,
      parentWaitMs,
      load: async () => [],
      persist: async ({ puts }: RecordBatch<Item, 'id'>, tx) => {
        for (const item of puts) await persistOne(item, tx);
      },
    }),
  });

/** Of each write, `persisted` or the code of what its receipt fails with. */
async function endsOf(stores: ReturnType<typeof storesOf>, items: readonly Item[]): Promise<string[]> {
  const app = await environment.connect(stores);
  const receipts = await Promise.all(items.map((item) => app.stores.items.put(item)));
  await environment.startWorker(stores);
  return Promise.all(
    receipts.map((receipt) =>
      receipt.persisted({ timeoutMs: patient(10_000) }).then(
        () => 'persisted',
        (error) => (error as ForebayError).code,
      ),
    ),
  );
}

async function rowsLeft(): Promise<string[]> {
  const rows = await environment.prisma.$queryRawUnsafe<Item[]>('SELECT * FROM items ORDER BY id');
  return rows.map(({ id }) => id);
}

const items = (...words: string[]): Item[] => words.map((word, i) => ({ id: 'abc'.charAt(i), word }));

describe('one bad record becomes a dead letter alone', () => {
  it.each([
    ['a check at once', "word text CHECK (word <> 'bad')"],
    ['a unique value at once', "word text UNIQUE CHECK (word <> 'bad')"],
    [
      'a foreign key at the end of the transaction',
      'word text REFERENCES items DEFERRABLE INITIALLY DEFERRED',
    ],
    ['a foreign key that may be deferred', 'word text REFERENCES items DEFERRABLE INITIALLY IMMEDIATE'],
  ])('that breaks %s', async (_, column) => {
    await environment.prisma.$executeRawUnsafe(`CREATE TABLE items (id text PRIMARY KEY, ${column})`);
    const stores = storesOf((item, tx) => insert(tx, item));
    expect(await endsOf(stores, items('a', 'bad', 'c'))).toEqual([
      'persisted',
      'DATABASE_REFUSED',
      'persisted',
    ]);
    expect(await rowsLeft()).toEqual(['a', 'c']);
  });

  it('of two that want one value, which is looked at as the transaction ends', async () => {
    await environment.prisma.$executeRawUnsafe(
      'CREATE TABLE items (id text PRIMARY KEY, word text UNIQUE DEFERRABLE INITIALLY DEFERRED)',
    );
    const stores = storesOf((item, tx) => insert(tx, item));
    const ends = await endsOf(stores, items('same', 'same', 'other'));
    expect([...ends].sort()).toEqual(['DATABASE_REFUSED', 'persisted', 'persisted']);
    expect(ends[2]).toBe('persisted');
  });

  it('whose error persist has caught, which says so', async () => {
    await environment.prisma.$executeRawUnsafe(
      "CREATE TABLE items (id text PRIMARY KEY, word text CHECK (word <> 'bad'))",
    );
    const stores = storesOf((item, tx) => insert(tx, item).catch(() => undefined));
    expect(await endsOf(stores, items('a', 'bad', 'c'))).toEqual([
      'persisted',
      'DATABASE_REFUSED',
      'persisted',
    ]);
    expect(await rowsLeft()).toEqual(['a', 'c']);
    const app = await environment.connect(stores);
    for await (const letter of app.deadLetters.list({ store: 'items' }))
      expect(letter.error.message).toContain('let it throw');
  });

  it.each(['the account is sealed', 'the account is closed', 'no connection to the depot', 'timeout of it'])(
    'for which persist throws "%s"',
    async (words) => {
      await environment.prisma.$executeRawUnsafe('CREATE TABLE items (id text PRIMARY KEY, word text)');
      const stores = storesOf((item, tx) => {
        if (item.word === 'bad') throw new Error(words);
        return insert(tx, item);
      });
      expect(await endsOf(stores, items('a', 'bad', 'c'))).toEqual([
        'persisted',
        'DATABASE_REFUSED',
        'persisted',
      ]);
      expect(await rowsLeft()).toEqual(['a', 'c']);
    },
  );

  it('that persist refuses as it ends its work, after all trials', async () => {
    await environment.prisma.$executeRawUnsafe('CREATE TABLE items (id text PRIMARY KEY, word text)');
    let tries = 0;
    const stores = storesOf(async (item, tx) => {
      await insert(tx, item);
      // Each second time: so that no trial of it alone fails.
      if (item.word === 'bad' && tries++ % 2 === 0) throw new Error('not now');
    });
    expect(await endsOf(stores, items('bad'))).toEqual(['DATABASE_REFUSED']);
  });
});

it('a delta whose error persist has caught does not count as persisted', async () => {
  await environment.prisma.$executeRawUnsafe(
    'CREATE TABLE sums (id text PRIMARY KEY, sum int CHECK (sum < 10))',
  );
  const stores = defineStores({
    sums: counter({
      partitions: 1,
      load: async () => new Map(),
      persist: async (deltas: readonly { id: string; delta: bigint }[], tx: Transaction) => {
        for (const { id, delta } of deltas)
          await tx
            .$executeRawUnsafe(
              'INSERT INTO sums VALUES ($1, $2::int) ON CONFLICT (id) DO UPDATE SET sum = sums.sum + excluded.sum',
              id,
              Number(delta),
            )
            .catch(() => undefined);
      },
    }),
  });
  const app = await environment.connect(stores);
  const [good, bad] = await Promise.all([app.stores.sums.add('good', 1), app.stores.sums.add('bad', 11)]);
  await environment.startWorker(stores);
  await good?.persisted({ timeoutMs: patient(10_000) });
  await expect(bad?.persisted({ timeoutMs: patient(10_000) })).rejects.toMatchObject({
    code: 'DATABASE_REFUSED',
  });
  expect(await environment.prisma.$queryRawUnsafe('SELECT id, sum FROM sums')).toEqual([
    { id: 'good', sum: 1 },
  ]);
});
