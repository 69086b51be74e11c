/** Rows that refer to each other: none can be in the database without the others. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Client } from '../../examples/platform/generated/models.js';
import { record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';
import { createEnvironment, type Environment } from '../support/environment.js';

const storesOf = (parentWaitMs: number) =>
  defineStores({ clients: record({ model: Client, partitions: 1, delayMs: 1, parentWaitMs }) });

let environment: Environment;

beforeEach(async () => {
  environment = await createEnvironment();
});

afterEach(() => environment.close());

const ids = async () => (await environment.prisma.client.findMany()).map(({ id }) => id).sort();
const splits = () => environment.events.filter(({ type }) => type === 'batch.split').length;

/** Here a client's name is another one. */
const refer = (when: string) =>
  environment.prisma.$executeRawUnsafe(
    `ALTER TABLE clients ADD FOREIGN KEY (name) REFERENCES clients (id) ${when}`,
  );

describe.each(['NOT DEFERRABLE', 'DEFERRABLE INITIALLY DEFERRED'])(
  'rows that refer to each other, %s',
  (when) => {
    beforeEach(() => refer(when));

    it('land beside others that do not: these alone become dead letters', async () => {
      const stores = storesOf(500);
      const app = await environment.connect(stores);
      await app.stores.clients.putMany([
        { id: 'a', name: 'b' },
        { id: 'b', name: 'a' },
        { id: 'childOfA', name: 'a' },
        { id: 'orphan', name: 'nobody' },
        { id: 'childOfOrphan', name: 'orphan' },
        { id: 'x', name: 'y' },
        { id: 'y', name: 'z' },
        { id: 'z', name: 'x' },
      ]);
      await environment.startWorker(stores);
      await app.flush();
      expect(await ids()).toEqual(['a', 'b', 'childOfA', 'x', 'y', 'z']);
      expect((await app.backlog()).dead).toBe(2);
    });

    it('land when one comes while the other has waited for long', async () => {
      const stores = storesOf(10_000);
      const app = await environment.connect(stores);
      await environment.startWorker(stores);
      await app.stores.clients.put({ id: 'a', name: 'b' });
      await expect.poll(splits, { timeout: 10_000 }).toBeGreaterThan(8);
      const last = await app.stores.clients.put({ id: 'b', name: 'a' });
      await last.persisted({ timeoutMs: 3_000 });
      expect(await ids()).toEqual(['a', 'b']);
    });
  },
);
