/** Writers of chance beside forebay's own traffic: once the change worker has told of a change, no read that begins is older. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Client } from '../../examples/platform/generated/models.js';
import type { Forebay } from '../../src/app/connect.js';
import { record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';
import type { ChangesService } from '../../src/services/changes/changes.js';
import { startChangeWorker } from '../support/change-worker.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { randomNumbers } from '../support/random.js';

const stores = defineStores({ clients: record({ model: Client, partitions: 2, delayMs: 5 }) });
type App = Forebay<(typeof stores)['definitions']>;

const bursts = 15;
const idsOf = (writer: string, count: number) => Array.from({ length: count }, (_, i) => `${writer}${i}`);
const writers = ['a', 'b', 'c'].map((name) => idsOf(name, 25));
/** Written by both: forebay patches addresses, others names. */
const sharedIds = idsOf('shared', 10);
const random = randomNumbers(17);

let environment: Environment;
let apps: App[];
let changes: ChangesService;
/** Transactions of others that have changed rows. */
let committed = 0;

beforeAll(async () => {
  environment = await createEnvironment();
  await environment.startWorker(stores);
  apps = [await environment.connect(stores), await environment.connect(stores)];
  changes = await startChangeWorker(environment, stores);
});

afterAll(async () => {
  await changes.stop(5_000);
  await environment.close();
});

async function sql(text: string): Promise<void> {
  if ((await environment.prisma.$executeRawUnsafe(text)) > 0) committed += 1;
}

const told = (): number =>
  environment.events.reduce((sum, one) => sum + (one.type === 'changes.dropped' ? one.transactions : 0), 0);
const listed = (ids: readonly string[]): string => ids.map((id) => `'${id}'`).join(', ');
const upsert = (ids: readonly string[], name: string): string =>
  `INSERT INTO clients (id, name, updated_at) VALUES ${ids.map((id) => `('${id}', '${name}', now())`).join(', ')}
   ON CONFLICT (id) DO UPDATE SET name = excluded.name`;

/** A few statements over some of the rows. */
async function write(ids: readonly string[], burst: number): Promise<void> {
  for (let i = 0; i < 4; i++) {
    const share = random() < 0.1 ? 1 : 0.06;
    const some = ids.filter(() => random() < share);
    if (some.length === 0) continue;
    await sql(
      random() < 0.8 ? upsert(some, `${burst}.${i}`) : `DELETE FROM clients WHERE id IN (${listed(some)})`,
    );
  }
  await sql(`UPDATE clients SET name = 'burst ${burst}' WHERE id LIKE 'shared%' AND random() < 0.3`);
}

async function patch(app: App, burst: number): Promise<void> {
  for (let i = 0; i < 6; i++) {
    const id = sharedIds[Math.floor(random() * sharedIds.length)] as string;
    await app.stores.clients.patch(id, { email: `${burst}.${i}@x` });
    await app.stores.clients.put({ id: `own${i}`, name: String(burst) });
  }
}

async function read(app: App): Promise<void> {
  for (const ids of [...writers, sharedIds])
    await app.stores.clients.getMany(ids.filter(() => random() < 0.5));
}

async function expectRows(ids: readonly string[]): Promise<void> {
  const rows = await environment.prisma.client.findMany({ where: { id: { in: [...ids] } } });
  const byId = new Map(rows.map((row) => [row.id, row]));
  for (const app of apps)
    expect(await app.stores.clients.getMany(ids)).toEqual(ids.map((id) => byId.get(id) ?? null));
}

it('every read is as the rows; of those that forebay writes too, once its writes are in the database', async () => {
  const others = writers.flat();
  await sql(upsert([...others, ...sharedIds], 'first'));
  for (let burst = 0; burst < bursts; burst++) {
    await Promise.all([
      ...writers.map((ids) => write(ids, burst)),
      ...apps.flatMap((app) => [patch(app, burst), read(app)]),
    ]);
    await expect.poll(told, { interval: 5 }).toBe(committed);
    await expectRows(others);
  }
  await apps[0]?.flush();
  await expectRows([...others, ...sharedIds, ...idsOf('own', 6)]);
});
