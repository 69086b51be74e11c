/** The audit that goes on: what it finds of entries that differ, what it leaves out, and what it may cost. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import * as models from '../../examples/platform/generated/models.js';
import type { Forebay } from '../../src/app/connect.js';
import { compareEntries } from '../../src/audit/compare-entries.js';
import { type EntryPlace, EntryPlaces } from '../../src/audit/entry-places.js';
import { Lanes } from '../../src/buffer/lane.js';
import type { Database } from '../../src/database/database.js';
import { counter } from '../../src/definitions/counter.js';
import { record } from '../../src/definitions/record.js';
import { defineStores, type Store } from '../../src/definitions/stores.js';
import type { ForebayEvent } from '../../src/events.js';
import { metricsOf } from '../../src/metrics.js';
import { EntryAudit } from '../../src/services/changes/entry-audit.js';
import { startChangeWorker } from '../support/change-worker.js';
import { createEnvironment, type Environment } from '../support/environment.js';

const projects = record({ model: models.Project, counters: ['views', 'touches'], delayMs: 1 });
const stores = defineStores({
  clients: record({ model: models.Client, delayMs: 1 }),
  users: record({ model: models.User, minDelayMs: 60_000 }),
  projects,
  projectViews: counter({ of: projects, field: 'views' }),
});
type App = Forebay<(typeof stores)['definitions']>;
type Told<T extends ForebayEvent['type']> = Extract<ForebayEvent, { type: T }>;

let environment: Environment;
let app: App;
let lanes: Lanes;
let events: ForebayEvent[];

beforeAll(async () => {
  environment = await createEnvironment();
  lanes = new Lanes(stores, environment.config.prefix);
  await environment.startWorker(stores);
  app = await environment.connect(stores, { cache: { l1: false } });
  await app.stores.clients.putMany(range(60).map((id) => ({ id, name: `client ${id}` })));
  await app.stores.projects.putMany(range(20).map((id) => ({ id, name: `project ${id}` })));
  await app.flush();
});

beforeEach(async () => {
  events = [];
  await app.stores.clients.getMany(range(60));
  await app.stores.projects.getMany(range(20));
  await app.stores.projectViews.getMany(range(20));
});

afterAll(() => environment.close());

const range = (count: number): string[] => Array.from({ length: count }, (_, i) => `${i}`);
const told = <T extends ForebayEvent['type']>(type: T): Told<T>[] =>
  events.filter((event): event is Told<T> => event.type === type);
const keyOf = (store: string, id: string): string => lanes.entryKeyOf(stores.byName.get(store) as Store, id);
const totals = (): { consistent: number; stale: number } =>
  told('entries.audited').reduce(
    (sum, { consistent, stale }) => ({ consistent: sum.consistent + consistent, stale: sum.stale + stale }),
    { consistent: 0, stale: 0 },
  );

function auditOf(
  database: Database = environment.prisma,
  groups = stores.groups,
  redis = environment.redis,
): EntryAudit {
  return new EntryAudit({
    redis,
    prefix: environment.config.prefix,
    database,
    stores,
    lanes,
    routes: { refresh: async () => false },
    groups,
    emit: (event) => void events.push(event),
    signal: new AbortController().signal,
  });
}

/** Goes on, as the worker does, until it is so. */
async function until(audit: EntryAudit, isSo: () => boolean): Promise<void> {
  const look = async (): Promise<boolean> => {
    await audit.run();
    return isSo();
  };
  await expect.poll(look, { timeout: 60_000, interval: 1 }).toBe(true);
}

async function corrupt(store: string, id: string): Promise<void> {
  const key = keyOf(store, id);
  const content = (await environment.redis.get(key)) as string;
  const wrong = store === 'projectViews' ? '999' : content.replace(/"name":"[^"]*"/, '"name":"corrupt"');
  await environment.redis.set(key, wrong, 'KEEPTTL');
}

it('finds entries that are not as their rows, of rows and counters, and no other, as it comes to them', async () => {
  const wrong = [
    ['clients', '7'],
    ['projectViews', '3'],
  ] as const;
  for (const [store, id] of wrong) await corrupt(store, id);
  const audit = auditOf();
  const found = () => new Set(told('entry.stale').map(({ store, id }) => `${store}:${id}`));
  await until(audit, () => found().size === wrong.length);
  expect(found()).toEqual(new Set(['clients:7', 'projectViews:3']));
  expect(totals().stale).toBe(told('entry.stale').length);
  for (const [store, id] of wrong) await environment.redis.del(keyOf(store, id));
});

it('leaves alone the tables whose changes are not heard of', async () => {
  await corrupt('projects', '3');
  const clients = stores.groups.filter(({ name }) => name === 'clients');
  await until(auditOf(environment.prisma, clients), () => totals().consistent > 100);
  expect(new Set(told('entries.audited').map(({ store }) => store))).toEqual(new Set(['clients']));
  await app.stores.projects.evict('3');
});

it('asks Redis and Postgres for as much, however many keys there are', async () => {
  const calls = new Map<string, number>();
  const count = (name: string): void => void calls.set(name, (calls.get(name) ?? 0) + 1);
  const redis = new Proxy(environment.redis, {
    get(target, name) {
      if (['scan', 'mget', 'hexists', 'get', 'sendCommand'].includes(String(name))) count(String(name));
      const value = Reflect.get(target, name) as unknown;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const database = databaseWith((query) => {
    count('query');
    return query();
  });
  await auditOf(database, stores.groups, redis).run();
  expect(told('entries.not-audited')).toEqual([]);
  expect(totals()).toMatchObject({ stale: 0 });
  expect(totals().consistent).toBeLessThanOrEqual(10);
  const of = (name: string): number => calls.get(name) ?? 0;
  expect(of('scan')).toBeGreaterThan(0);
  expect([of('scan') <= 3, of('mget') <= 1, of('hexists') <= 20, of('get')]).toEqual([true, true, true, 0]);
  // The catalog and the rows, of each of two stores; of the counters' store the catalog, and each of four lanes.
  expect(of('query')).toBeLessThanOrEqual(9);
});

it('takes one that is mended within the grace for consistent, and leaves out what is pending', async () => {
  await environment.prisma.user.create({ data: { id: 'p', email: 'p@x', name: 'old' } });
  await app.stores.users.update('p', (row) => row && { ...row, name: 'mine' });
  expect(await verdicts(environment.prisma, ['users', 'p'], ['clients', '1'])).toEqual(['skipped', 'same']);
  await corrupt('clients', '1');
  const mend = async (): Promise<void> => {
    await app.stores.clients.evict('1');
    await app.stores.clients.get('1');
  };
  // The entry is looked at before its row.
  const mended = databaseWith(async (query) => {
    await mend();
    return query();
  });
  expect(await verdicts(mended, ['clients', '1'])).toEqual(['late']);
  await corrupt('clients', '1');
  expect(await verdicts(environment.prisma, ['clients', '1'])).toEqual(['stale']);
});

async function verdicts(database: Database, ...entries: [store: string, id: string][]): Promise<string[]> {
  const places = new EntryPlaces(lanes, stores);
  const { redis, config } = environment;
  const compared = await compareEntries(
    entries.map(([store, id]) => places.of(keyOf(store, id)) as EntryPlace),
    { redis, prefix: config.prefix, database },
    { graceMs: 100, signal: new AbortController().signal },
  );
  return compared.map(({ verdict }) => verdict);
}

/** One whose queries are run by `around`. */
function databaseWith(around: (query: () => Promise<unknown>) => Promise<unknown>): Database {
  const { prisma } = environment;
  const $queryRawUnsafe = (sql: string, ...values: unknown[]) =>
    around(() => prisma.$queryRawUnsafe(sql, ...values));
  return new Proxy(prisma, {
    get: (target, name) => (name === '$queryRawUnsafe' ? $queryRawUnsafe : Reflect.get(target, name)),
  }) as unknown as Database;
}

it('is told when it fails, and goes on with the next', async () => {
  const audit = auditOf(databaseWith((query) => (isAway ? Promise.reject(new Error('away')) : query())));
  let isAway = true;
  await until(audit, () => told('entries.not-audited').length > 0);
  expect(told('entries.audited')).toEqual([]);
  isAway = false;
  await until(audit, () => totals().consistent > 0);
});

it('goes on in the change worker that drops, which counts it for Prometheus', async () => {
  const worker = await startChangeWorker(environment, stores, {
    onEvent: (event) => void events.push(event),
  });
  const metrics = metricsOf(worker);
  await app.stores.clients.getMany(range(60));
  await expect
    .poll(() => metrics.text(), { timeout: 15_000 })
    .toMatch(/forebay_audited_entries_total\{store="clients",outcome="consistent"\} [1-9]/);
  expect(await metrics.text()).toContain('forebay_audited_entries_total{store="clients",outcome="stale"} 0');
  metrics.stop();
  await worker.stop(5_000);
});
