/** What others write into the tables of stores: seen by readers, whatever the statement; and what forebay writes itself, which is not. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as models from '../../examples/platform/generated/models.js';
import type { Forebay } from '../../src/app/connect.js';
import { Lanes } from '../../src/buffer/lane.js';
import { counter } from '../../src/definitions/counter.js';
import { record } from '../../src/definitions/record.js';
import { defineStores, type Store } from '../../src/definitions/stores.js';
import type { ChangesService } from '../../src/services/changes/changes.js';
import { checkChanges, setUpChanges } from '../../src/services/changes/setup.js';
import { startChangeWorker } from '../support/change-worker.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { HeldDatabase } from '../support/held-database.js';

const options = { partitions: 2, delayMs: 1 };
const projects = record({ model: models.Project, counters: ['views', 'touches'], ...options });
const stores = defineStores({
  clients: record({ model: models.Client, ...options }),
  projects,
  projectViews: counter({ of: projects, field: 'views' }),
  members: record({ model: models.TeamMember, ...options }),
  users: record({ model: models.User, ...options, minDelayMs: 60_000 }),
});
type App = Forebay<(typeof stores)['definitions']>;

let environment: Environment;
let app: App;
let changes: ChangesService;

beforeAll(async () => {
  environment = await createEnvironment();
  app = await environment.connect(stores);
  changes = await startChangeWorker(environment, stores);
});

afterAll(async () => {
  await changes.stop(5_000);
  await environment.close();
});

const sql = (text: string, ...values: unknown[]): Promise<number> =>
  environment.prisma.$executeRawUnsafe(text, ...values);

describe('a row that others change', () => {
  beforeEach(async () => {
    await sql('TRUNCATE clients, users CASCADE');
    await sql("INSERT INTO clients (id, name, updated_at) VALUES ('a', 'old', now()), ('b', 'old', now())");
    await expect.poll(() => names('a', 'b', 'c'), { interval: 10 }).toEqual(['old', 'old', undefined]);
  });

  const names = async (...ids: string[]) =>
    (await app.stores.clients.getMany(ids)).map((client) => client?.name);

  it.each([
    ['UPDATE', "UPDATE clients SET name = 'new' WHERE id = 'a'", ['new', 'old', undefined]],
    ['UPDATE of many', "UPDATE clients SET name = 'new'", ['new', 'new', undefined]],
    ['DELETE', "DELETE FROM clients WHERE id = 'b'", ['old', undefined, undefined]],
    [
      'INSERT',
      "INSERT INTO clients (id, name, updated_at) VALUES ('c', 'new', now())",
      ['old', 'old', 'new'],
    ],
    [
      'upsert',
      `INSERT INTO clients (id, name, updated_at) VALUES ('a', 'new', now()), ('c', 'new', now())
       ON CONFLICT (id) DO UPDATE SET name = excluded.name`,
      ['new', 'old', 'new'],
    ],
    ['TRUNCATE', 'TRUNCATE clients CASCADE', [undefined, undefined, undefined]],
    [
      'COPY',
      "COPY clients (id, name, updated_at) FROM PROGRAM 'echo c,new,2026-01-01' CSV",
      ['old', 'old', 'new'],
    ],
    ['changed id', "UPDATE clients SET id = 'c', name = 'new' WHERE id = 'a'", [undefined, 'old', 'new']],
    [
      'DO block whose savepoint is undone in part',
      `DO $$ BEGIN
         UPDATE clients SET name = 'new' WHERE id = 'a';
         BEGIN UPDATE clients SET name = 'undone' WHERE id = 'b'; RAISE EXCEPTION 'no'; EXCEPTION WHEN OTHERS THEN END;
       END $$`,
      ['new', 'old', undefined],
    ],
  ])('by %s is seen', async (_, statement, after) => {
    await sql(statement);
    await expect.poll(() => names('a', 'b', 'c'), { interval: 5 }).toEqual(after);
  });
});

describe('what hangs on a changed row', () => {
  it('is seen too: counters, composite ids, rows that a trigger or a foreign key changes, also in a transaction of forebay’s', async () => {
    await environment.startWorker(stores);
    await sql("INSERT INTO users (id, email, name, updated_at) VALUES ('u', 'u@x', 'old', now())");
    await sql("INSERT INTO projects (id, name, manager_id, updated_at) VALUES ('p', 'old', 'u', now())");
    await sql("INSERT INTO team_members (project_id, user_id, updated_at) VALUES ('p', 'u', now())");
    const member = { projectId: 'p', userId: 'u' };
    await expect.poll(() => app.stores.members.get(member)).toMatchObject({ role: 'MEMBER' });
    await app.stores.projectViews.add('p', 5);
    await app.flush();
    expect(await app.stores.projectViews.get('p')).toBe(5n);
    await sql("UPDATE projects SET views = 100 WHERE id = 'p'");
    await expect.poll(() => app.stores.projectViews.get('p'), { interval: 5 }).toBe(100n);
    await sql("UPDATE team_members SET role = 'LEAD' WHERE user_id = 'u'");
    await expect.poll(() => app.stores.members.get(member), { interval: 5 }).toMatchObject({ role: 'LEAD' });
    await sql(`CREATE FUNCTION touch_user() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN UPDATE users SET name = 'by trigger' WHERE id = new.manager_id; RETURN new; END $$`);
    await sql(
      'CREATE TRIGGER touch_user AFTER UPDATE ON projects FOR EACH ROW EXECUTE FUNCTION touch_user()',
    );
    expect(await app.stores.users.get('u')).toMatchObject({ name: 'old' });
    await app.stores.projects.update('p', (row) => row && { ...row, name: 'new' });
    await app.flush();
    await expect.poll(() => app.stores.users.get('u'), { interval: 5 }).toMatchObject({ name: 'by trigger' });
  });
});

describe('what forebay writes', () => {
  it('is no foreign change: its entries stay, those of another prefix go', async () => {
    const other = { ...environment.config, prefix: `${environment.config.prefix}:other` };
    const neighbour = await environment.connect(stores, { config: other });
    await environment.startWorker(stores);
    await environment.startWorker(stores, {}, environment.prisma, other);
    const ids = Array.from({ length: 200 }, (_, i) => `own${i}`);
    await app.stores.clients.putMany(ids.map((id) => ({ id, name: 'mine' })));
    await app.stores.clients.getMany(ids);
    await app.flush();
    await seenByNow();
    const kept = await Promise.all(ids.map((id) => app.stores.clients.explain(id)));
    expect(kept.map(({ state }) => state)).toEqual(ids.map(() => 'fresh'));
    await neighbour.stores.clients.put({ id: 'own0', name: 'theirs' });
    await neighbour.flush();
    await expect
      .poll(() => app.stores.clients.get('own0'), { interval: 5 })
      .toMatchObject({ name: 'theirs' });
  });
});

/** Changes are dropped in the order of their commits. */
async function seenByNow(): Promise<void> {
  await sql(
    "INSERT INTO clients (id, name, updated_at) VALUES ('mark', '0', now()) ON CONFLICT (id) DO NOTHING",
  );
  const name = String(performance.now());
  await app.stores.clients.get('mark');
  await sql(`UPDATE clients SET name = '${name}' WHERE id = 'mark'`);
  await expect.poll(() => app.stores.clients.get('mark'), { interval: 5 }).toMatchObject({ name });
}

describe('a foreign change', () => {
  it('overtakes a slow load: what that has loaded does not become the entry', async () => {
    await sql("INSERT INTO clients (id, name, updated_at) VALUES ('slow', 'old', now())");
    await seenByNow();
    const held = new HeldDatabase(environment.prisma);
    const slow = await environment.connect(stores, { prisma: held.database });
    await slow.stores.clients.get('nobody');
    held.close();
    const read = slow.stores.clients.get('slow');
    await expect.poll(() => environment.redis.get(entryKey('slow'))).toMatch(/^\?/);
    await sql("UPDATE clients SET name = 'new' WHERE id = 'slow'");
    await expect.poll(() => environment.redis.get(entryKey('slow')), { interval: 5 }).toBeNull();
    const later = app.stores.clients.get('slow');
    held.open();
    expect(await read).toMatchObject({ name: 'old' });
    expect(await later).toMatchObject({ name: 'new' });
    expect(await app.stores.clients.get('slow')).toMatchObject({ name: 'new' });
  });

  it('of a row that is dirty is told, and replaced by what was accepted', async () => {
    await sql("INSERT INTO users (id, email, name, updated_at) VALUES ('dirty', 'd@x', 'old', now())");
    await app.stores.users.update('dirty', (row) => row && { ...row, name: 'mine' });
    await sql("UPDATE users SET name = 'theirs', email = 'new@x' WHERE id = 'dirty'");
    await expect.poll(foreign, { interval: 5 }).not.toEqual([]);
    // The insert is another's too, and may be heard after the update.
    for (const event of foreign()) expect(event).toEqual({ type: 'rows.foreign', store: 'users', count: 1 });
    expect(await app.stores.users.get('dirty')).toMatchObject({ name: 'mine', email: 'd@x' });
    await app.flush();
    await expect.poll(() => app.stores.users.get('dirty')).toMatchObject({ name: 'mine', email: 'new@x' });
  });
});

const foreign = () => environment.events.filter(({ type }) => type === 'rows.foreign');

function entryKey(id: string): string {
  return new Lanes(stores, environment.config.prefix).entryKeyOf(stores.byName.get('clients') as Store, id);
}

describe('what is missing is told when a worker starts, with the statement that mends it', () => {
  const setUp = (databaseUrl = environment.env.DATABASE_URL, prefix = 'nobody') =>
    checkChanges({ stores, prisma: environment.prisma, databaseUrl, prefix });

  it('a publication, and the tables in it', async () => {
    await expect(setUp()).rejects.toMatchObject({
      code: 'CHANGES_UNAVAILABLE',
      context: {
        statements: expect.arrayContaining([
          'CREATE PUBLICATION "nobody" WITH (publish_via_partition_root = true);',
          ...['clients', 'projects', 'team_members', 'users'].map((table) =>
            expect.stringMatching(new RegExp(`ADD TABLE .*"${table}";$`)),
          ),
        ]),
      },
    });
  });

  it('a kind of change that is not published, an id that a delete does not tell', async () => {
    const { prefix } = environment.config;
    await sql(`ALTER PUBLICATION "${prefix}" SET (publish = 'insert')`);
    await sql('ALTER TABLE clients REPLICA IDENTITY NOTHING');
    const statements = await setUpChanges({
      stores,
      prisma: environment.prisma,
      databaseUrl: environment.env.DATABASE_URL,
      prefix,
    });
    expect(statements).toEqual([
      `ALTER PUBLICATION "${prefix}" SET (publish = 'insert, update, delete, truncate');`,
      expect.stringMatching(/"clients" REPLICA IDENTITY FULL;$/),
    ]);
  });

  it('the right to replicate', async () => {
    const role = `${environment.config.prefix}_plain`;
    await sql(`CREATE ROLE ${role} LOGIN PASSWORD 'plain'`);
    const url = new URL(environment.env.DATABASE_URL);
    [url.username, url.password] = [role, 'plain'];
    await expect(setUp(url.href)).rejects.toThrow(/The user may not replicate\. .*REPLICATION/);
    await sql(`DROP ROLE ${role}`);
  });
});
