/** What triggers and cascades make of rows in forebay's own transactions: seen by readers, as what others write. */
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import * as models from '../../examples/platform/generated/models.js';
import type { Forebay } from '../../src/app/connect.js';
import { counter } from '../../src/definitions/counter.js';
import { record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';
import { startChangeWorker, toldUpToNow } from '../support/change-worker.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { patient } from '../support/patient.js';

/** All that belongs together is in one lane, and nothing is flushed but by `flush`. */
const options = { partitions: 1, minDelayMs: 60_000 };
const projects = record({ model: models.Project, counters: ['views', 'touches'], ...options });
const stores = defineStores({
  clients: record({ model: models.Client, ...options }),
  projects,
  projectViews: counter({ of: projects, field: 'views' }),
  members: record({ model: models.TeamMember, partitionBy: { projectId: projects } }),
});

let environment: Environment;
let app: Forebay<(typeof stores)['definitions']>;

const sql = (text: string): Promise<number> => environment.prisma.$executeRawUnsafe(text);

/** On a table; the trigger's name is the function's. */
async function trigger(name: string, when: string, body: string): Promise<void> {
  await sql(`CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body} END $$`);
  await sql(`CREATE TRIGGER ${name} ${when} FOR EACH ROW EXECUTE FUNCTION ${name}()`);
}

afterEach(() => environment.close());

/** A worker knows the triggers that there are when it starts. */
async function start(): Promise<void> {
  app = await environment.connect(stores);
  await environment.startWorker(stores);
}

const nameOf = async (id: string) => (await app.stores.clients.get(id))?.name;
const soon = { interval: 5, timeout: patient(5_000) };

/** With entries in the cache, of what was put. */
async function put(...ids: string[]): Promise<void> {
  await app.stores.clients.putMany(ids.map((id) => ({ id, name: 'old' })));
  expect(await Promise.all(ids.map(nameOf))).toEqual(ids.map(() => 'old'));
  await app.flush();
}

describe('beside a change worker, in a lane that the transaction writes', () => {
  beforeEach(async () => {
    environment = await createEnvironment();
    const worker = await startChangeWorker(environment, stores);
    environment.atClose(() => worker.stop(5_000));
  });

  it('rows that a cascade deletes are gone for readers', async () => {
    await sql("INSERT INTO users (id, email, name, updated_at) VALUES ('u', 'u@x', 'u', now())");
    await sql('ALTER TABLE team_members DROP CONSTRAINT team_members_project_id_fkey');
    await sql('ALTER TABLE team_members ADD FOREIGN KEY (project_id) REFERENCES projects ON DELETE CASCADE');
    await start();
    const member = { projectId: 'p', userId: 'u' };
    await app.stores.projects.put({ id: 'p', name: 'p' });
    await app.stores.members.put(member);
    await app.flush();
    expect(await app.stores.members.get(member)).toMatchObject(member);
    await app.stores.projects.delete('p');
    await app.flush();
    await expect.poll(() => app.stores.members.get(member), soon).toBeNull();
  });

  it('rows that a trigger changes are seen by readers', async () => {
    await trigger(
      'touch_other',
      'AFTER UPDATE ON clients',
      "IF new.id = 'one' THEN UPDATE clients SET name = 'by trigger' WHERE id = 'other'; END IF; RETURN new;",
    );
    await start();
    await put('one', 'other');
    expect(await nameOf('other')).toBe('old');
    await app.stores.clients.patch('one', { name: 'new' });
    await app.flush();
    await expect.poll(() => nameOf('other'), soon).toBe('by trigger');
    expect(await nameOf('one')).toBe('new');
  });

  it('a counter, and the row that it is of, which a trigger changes as it counts, are seen by readers', async () => {
    await trigger(
      'cap_views',
      'BEFORE UPDATE ON projects',
      "new.views := least(new.views, 10); new.description := new.views || ' views'; RETURN new;",
    );
    await start();
    await app.stores.projects.put({ id: 'capped', name: 'p' });
    await app.stores.projectViews.add('capped', 5);
    await app.flush();
    expect(await app.stores.projectViews.get('capped')).toBe(5n);
    await app.stores.projectViews.add('capped', 10);
    await app.flush();
    await expect.poll(() => app.stores.projectViews.get('capped'), soon).toBe(10n);
    await expect
      .poll(() => app.stores.projects.get('capped'), soon)
      .toMatchObject({ description: '10 views' });
  });
});

describe('in a database whose encoding is not UTF-8', () => {
  it('what forebay writes is no foreign change either', async () => {
    const url = new URL(inject('databaseUrl'));
    const main = await createEnvironment();
    const name = `${main.config.prefix}_latin1`;
    await main.prisma.$executeRawUnsafe(
      `CREATE DATABASE ${name} ENCODING LATIN1 LOCALE 'C' TEMPLATE template0`,
    );
    url.pathname = `/${name}`;
    environment = await createEnvironment({ databaseUrl: url.href });
    const worker = await startChangeWorker(environment, stores);
    await start();
    await put('Zoë');
    await toldUpToNow(environment);
    expect(await app.stores.clients.explain('Zoë')).toMatchObject({ state: 'fresh' });
    await worker.stop(5_000);
    await environment.close();
    await main.prisma.$executeRawUnsafe(`DROP DATABASE ${name} WITH (FORCE)`);
    environment = main;
  });
});

describe('without a change worker, of rows that forebay itself writes', () => {
  beforeEach(async () => {
    environment = await createEnvironment();
    await trigger(
      'as_it_likes',
      'BEFORE INSERT OR UPDATE OR DELETE ON clients',
      `IF tg_op = 'DELETE' THEN
         IF old.id <> 'kept' THEN RETURN old; END IF;
         UPDATE clients SET email = 'deleted' WHERE id = old.id; RETURN NULL;
       END IF;
       IF new.id = 'unwanted' THEN RETURN NULL; END IF;
       IF new.id = 'upper' THEN new.name := upper(new.name); END IF;
       RETURN new;`,
    );
    await start();
  });

  it('what a trigger makes of them is read', async () => {
    await put('upper');
    expect(await nameOf('upper')).toBe('OLD');
    await app.stores.clients.patch('upper', { name: 'new' });
    expect(await nameOf('upper')).toBe('new');
    await app.flush();
    expect(await nameOf('upper')).toBe('NEW');
  });

  it('those that a trigger does not let in are not read', async () => {
    await put('unwanted');
    expect(await nameOf('unwanted')).toBeUndefined();
  });

  it('those that a trigger does not let go are read', async () => {
    await put('kept');
    await app.stores.clients.delete('kept');
    expect(await nameOf('kept')).toBeUndefined();
    await app.flush();
    expect(await app.stores.clients.get('kept')).toMatchObject({ email: 'deleted' });
  });

  it('those that a trigger leaves as they are stay in the cache', async () => {
    await put('left', 'deleted');
    await app.stores.clients.delete('deleted');
    expect(await nameOf('deleted')).toBeUndefined();
    await app.flush();
    const found = await Promise.all(['left', 'deleted'].map((id) => app.stores.clients.explain(id)));
    expect(found.map(({ state }) => state)).toEqual(['fresh', 'fresh']);
  });
});
