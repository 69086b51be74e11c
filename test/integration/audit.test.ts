/** The audit: finds every entry that a test corrupts, and no other, beside traffic. */
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import * as models from '../../examples/platform/generated/models.js';
import type { Forebay } from '../../src/app/connect.js';
import { type AuditReport, auditEntries } from '../../src/audit/audit-entries.js';
import { Lanes } from '../../src/buffer/lane.js';
import { counter } from '../../src/definitions/counter.js';
import { record } from '../../src/definitions/record.js';
import { defineStores, type Store, type Stores } from '../../src/definitions/stores.js';
import { command } from '../support/command-line.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { stores as ownStores } from '../support/own-counter-stores.js';

const projects = record({ model: models.Project, counters: ['views', 'touches'], delayMs: 1 });
const stores = defineStores({
  clients: record({ model: models.Client, delayMs: 1 }),
  projects,
  projectViews: counter({ of: projects, field: 'views' }),
});
type App = Forebay<(typeof stores)['definitions']>;

const rows = 1_000;
const ids = Array.from({ length: rows }, (_, i) => `${i}`);

let environment: Environment;
let app: App;

beforeAll(async () => {
  environment = await createEnvironment();
  await environment.startWorker(stores);
  app = await environment.connect(stores);
  await app.stores.clients.putMany(ids.map((id) => ({ id, name: `client ${id}` })));
  await app.stores.projects.putMany(ids.slice(0, 50).map((id) => ({ id, name: `project ${id}` })));
  await Promise.all(ids.slice(0, 50).map((id) => app.stores.projectViews.add(id, 3)));
  await app.flush();
  await app.stores.clients.getMany([...ids, 'nobody']);
  await app.stores.projects.getMany(ids.slice(0, 50));
  await app.stores.projectViews.getMany(ids.slice(0, 50));
});

afterAll(() => environment.close());

function audit(entriesMax = 1_000_000): Promise<AuditReport> {
  const place = {
    redis: environment.redis,
    prefix: environment.config.prefix,
    stores,
    database: environment.prisma,
  };
  return auditEntries(place, { entriesMax, graceMs: 300 });
}

const keyOf = (store: string, id: string, of: Stores = stores): string =>
  new Lanes(of, environment.config.prefix).entryKeyOf(of.byName.get(store) as Store, id);

it('no entry differs beside hot traffic, and what is pending is left out', async () => {
  let isOver = false;
  const traffic = (async () => {
    for (let round = 0; !isOver; round++) {
      const id = String(round % 20);
      await app.stores.clients.put({ id, name: `round ${round}` });
      await app.stores.projectViews.add(id, 1);
      await Promise.all([app.stores.clients.get(id), app.stores.projectViews.get(id)]);
    }
  })();
  const reports = [await audit(), await audit()];
  isOver = true;
  await traffic;
  for (const { compared, violations } of reports) {
    expect(violations).toEqual([]);
    expect(compared).toBeGreaterThan(rows);
  }
});

it('a sample has as many entries as it may', async () => {
  await app.flush();
  const { compared, skipped } = await audit(100);
  expect(compared + skipped).toBe(100);
});

it('finds each of 1,000 entries that are not as their rows, and no other', async () => {
  await app.flush();
  await app.stores.clients.getMany(ids);
  const corrupt = ids.filter((id) => id !== '7').slice(0, 997);
  for (const id of corrupt) {
    const key = keyOf('clients', id);
    const content = (await environment.redis.get(key)) as string;
    await environment.redis.set(key, content.replace(/"name":"[^"]*"/g, '"name":"corrupt"'), 'PX', 600_000);
  }
  await environment.redis.set(keyOf('clients', '7'), 'D9|', 'PX', 600_000);
  await environment.redis.set(keyOf('projectViews', '1'), '999999', 'PX', 600_000);
  const project = (await environment.redis.get(keyOf('projects', '1'))) as string;
  await environment.redis.set(keyOf('projects', 'nobody'), project, 'PX', 600_000);
  const { violations } = await audit();
  const found = violations.map(({ store, id }) => `${store}:${id}`).sort();
  expect(found).toEqual(
    [...corrupt.map((id) => `clients:${id}`), 'clients:7', 'projectViews:1', 'projects:nobody'].sort(),
  );
  expect(violations[0]?.livesForMs).toBeGreaterThan(500_000);
});

it('the command tells it by its exit code, and as JSON', async () => {
  const file = path.resolve(import.meta.dirname, '../../examples/platform/stores.ts');
  const run = (...args: string[]) => command(['audit', '--stores', file, ...args], { env: environment.env });
  await app.stores.clients.evict('7');
  const [differing, wrong] = await Promise.all([
    run('--exact', '--json', '--grace', '0.05s'),
    run('--sample', 'x'),
  ]);
  expect(differing.code).toBe(1);
  const report = JSON.parse(differing.out) as AuditReport;
  expect(report.violations.map(({ store, id }) => `${store}:${id}`)).toContain('clients:8');
  expect(wrong).toMatchObject({
    code: 2,
    out: '',
    err: expect.stringContaining('"x" is no number of entries.'),
  });
  await Promise.all(ids.map((id) => app.stores.clients.evict(id)));
  await app.stores.projects.evict('nobody');
  await environment.redis.del(keyOf('projectViews', '1'));
  expect(await run()).toMatchObject({ code: 0, out: expect.stringContaining('0 were not.') });
});

it('the command reads counters by a load of their own, in a transaction', async () => {
  const file = path.resolve(import.meta.dirname, '../support/own-counter-stores.ts');
  const { visits } = (await environment.connect(ownStores)).stores;
  expect(await visits.get('a')).toBe(3n);
  const run = () => command(['audit', '--stores', file, '--json'], { env: environment.env });
  expect(JSON.parse((await run()).out)).toMatchObject({ compared: 1, violations: [] });
  await environment.redis.set(keyOf('visits', 'a', ownStores), '4', 'PX', 600_000);
  const { violations } = JSON.parse((await run()).out) as AuditReport;
  expect(violations.map(({ store, id }) => `${store}:${id}`)).toEqual(['visits:a']);
});
