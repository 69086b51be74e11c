/** What Postgres tells of tables: which of them lack what, how that is mended, and that a gap in it is noticed. */
import pg from 'pg';
import { describe, expect, it, type TestContext } from 'vitest';
import * as models from '../../examples/platform/generated/models.js';
import { cacheKey, cacheKeys } from '../../src/definitions/cache-key.js';
import { type ChangedRow, computed } from '../../src/definitions/computed.js';
import { record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';
import { type ChangesSetup, checkChanges, setUpChanges } from '../../src/services/changes/setup.js';
import { startChangeWorker, toldUpToNow } from '../support/change-worker.js';
import { createEnvironment, type Environment } from '../support/environment.js';

const options = { partitions: 1, delayMs: 1 };
const clients = record({ model: models.Client, ...options });
const users = record({ model: models.User, ...options });
const stores = defineStores({ clients, users });

interface Place extends Environment {
  readonly setup: ChangesSetup;
  sql(text: string): Promise<number>;
}

async function createPlace({ onTestFinished }: TestContext): Promise<Place> {
  const environment = await createEnvironment();
  onTestFinished(() => environment.close());
  const { prisma, env, config } = environment;
  const setup = { stores, prisma, databaseUrl: env.DATABASE_URL, prefix: config.prefix };
  return { ...environment, setup, sql: (text) => prisma.$executeRawUnsafe(text) };
}

/** With a row in the cache. */
async function startFollowing(place: Place) {
  const worker = await startChangeWorker(place, stores);
  place.atClose(() => worker.stop(5_000));
  const app = await place.connect(stores);
  await place.sql("INSERT INTO clients (id, name, updated_at) VALUES ('a', 'old', now())");
  await toldUpToNow(place);
  const name = async (): Promise<string | undefined> => (await app.stores.clients.get('a'))?.name;
  expect(await name()).toBe('old');
  return { worker, name };
}

const update = "UPDATE clients SET name = 'new' WHERE id = 'a'";

describe('a change is seen, though the next look finds nothing missing, when meanwhile', () => {
  it.for<[string, (place: Place) => string[]]>([
    [
      'a table was made anew',
      () => [
        'CREATE TABLE anew (LIKE clients INCLUDING ALL)',
        "INSERT INTO anew (id, name, updated_at) VALUES ('a', 'new', now())",
        'DROP TABLE clients CASCADE',
        'ALTER TABLE anew RENAME TO clients',
      ],
    ],
    ['the publication was made anew', ({ config }) => [`DROP PUBLICATION "${config.prefix}"`, update]],
    [
      'a table was taken out',
      ({ config }) => [`ALTER PUBLICATION "${config.prefix}" DROP TABLE clients`, update],
    ],
    [
      'a kind of change was not published',
      ({ config }) => [`ALTER PUBLICATION "${config.prefix}" SET (publish = 'insert')`, update],
    ],
  ])('%s', async ([, statementsOf], context) => {
    const place = await createPlace(context);
    const { name } = await startFollowing(place);
    for (const statement of statementsOf(place)) await place.sql(statement);
    await setUpChanges(place.setup);
    await expect.poll(name).toBe('new');
  });

  it('a table was taken out, and the worker that takes over has begun later', async (context) => {
    const place = await createPlace(context);
    const { worker, name } = await startFollowing(place);
    await place.sql(`ALTER PUBLICATION "${place.config.prefix}" DROP TABLE clients`);
    await place.sql(update);
    const next = await startChangeWorker(place, stores);
    place.atClose(() => next.stop(5_000));
    await worker.stop(5_000);
    await expect.poll(name, { interval: 5 }).toBe('new');
  });
});

/** After `statements` the set-up runs what is expected, and the table can be written. */
async function findings(
  statements: readonly string[],
  expected: readonly RegExp[],
  context: TestContext,
  versionMin = 0,
): Promise<void> {
  const { setup, sql, prisma, config } = await createPlace(context);
  const [row] = await prisma.$queryRaw<{ version: number }[]>`
    SELECT current_setting('server_version_num')::int AS version`;
  context.skip(Number(row?.version) < versionMin);
  await setUpChanges(setup);
  for (const statement of statements) await sql(statement.replaceAll('{{name}}', `"${config.prefix}"`));
  expect(await setUpChanges(setup)).toEqual(expected.map((one) => expect.stringMatching(one)));
  await sql(update);
}

/** Of which each row has a partition, or a child by INHERITS, of its own. */
const partitioned = (constraint: string): string[] => [
  'DROP TABLE clients CASCADE',
  `CREATE TABLE clients (id text ${constraint}, name text NOT NULL, email text,
     created_at timestamptz(3) DEFAULT now(), updated_at timestamptz(3) DEFAULT now()) PARTITION BY LIST (id)`,
  "CREATE TABLE clients_a PARTITION OF clients FOR VALUES IN ('a')",
  "CREATE TABLE clients_b PARTITION OF clients FOR VALUES IN ('b')",
];
const inherited = [
  "CREATE TABLE clients_a (CHECK (id = 'a')) INHERITS (clients)",
  `CREATE FUNCTION to_child() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN INSERT INTO clients_a SELECT new.*; RETURN NULL; END $$`,
  "CREATE TRIGGER to_child BEFORE INSERT ON clients FOR EACH ROW WHEN (new.id = 'a') EXECUTE FUNCTION to_child()",
];

describe('a row of a table that is made of others', () => {
  it.for<[string, string[]]>([
    ['partitions with a primary key', partitioned('PRIMARY KEY')],
    ['partitions without one', partitioned('NOT NULL UNIQUE')],
    ['children by INHERITS', inherited],
  ])('is written by others, and seen: %s', async ([, statements], context) => {
    const place = await createPlace(context);
    for (const statement of statements) await place.sql(statement);
    const { name } = await startFollowing(place);
    await place.sql(update);
    await expect.poll(name, { interval: 5 }).toBe('new');
    await place.sql("UPDATE clients_a SET name = 'by its own name'");
    await expect.poll(name, { interval: 5 }).toBe('by its own name');
    await place.sql('DELETE FROM clients');
    await expect.poll(name, { interval: 5 }).toBeUndefined();
  });

  it('has of its columns before only those that its partition tells', async (context) => {
    const place = await createPlace(context);
    for (const statement of partitioned('PRIMARY KEY')) await place.sql(statement);
    await place.sql('ALTER TABLE clients REPLICA IDENTITY FULL');
    await place.sql('ALTER TABLE clients_a REPLICA IDENTITY FULL');
    const changes: ChangedRow[] = [];
    const noted = defineStores({
      clients,
      noted: computed({
        key: cacheKeys('noted', { one: cacheKey<number>(900) }).one,
        dependsOn: [clients],
        idsOf: (change) => {
          changes.push(change);
          return [];
        },
        load: async () => new Map<string, number>(),
      }),
    });
    const deleted = async (id: string): Promise<unknown> => {
      const worker = await startChangeWorker(place, noted);
      await place.sql(`INSERT INTO clients (id, name) VALUES ('${id}', 'x')`);
      await place.sql('DELETE FROM clients');
      await toldUpToNow(place);
      await worker.stop(5_000);
      return changes.at(-1)?.before;
    };
    expect(await deleted('a')).toEqual({ id: 'a' });
    await place.sql('ALTER TABLE clients_b REPLICA IDENTITY FULL');
    expect(await deleted('b')).toMatchObject({ id: 'b', name: 'x', email: null });
  });
});

describe('a look at the publication', () => {
  it('waits for no lock of a table', async (context) => {
    const { setup, env, config } = await createPlace(context);
    await setUpChanges(setup);
    const migration = new pg.Client({ connectionString: env.DATABASE_URL.replace(/\?.*/, '') });
    await migration.connect();
    await migration.query('BEGIN');
    await migration.query(`LOCK TABLE "${config.prefix}".clients IN ACCESS EXCLUSIVE MODE`);
    await checkChanges(setup);
    await migration.end();
  });

  it.for<[string, string[], RegExp[]]>([
    [
      'a primary key that is DEFERRABLE is no identity',
      [
        'ALTER TABLE clients DROP CONSTRAINT clients_pkey CASCADE',
        'ALTER TABLE clients ADD PRIMARY KEY (id) DEFERRABLE',
      ],
      [/^ALTER TABLE \S+"clients" REPLICA IDENTITY FULL;$/],
    ],
    [
      'a column that an index INCLUDEs is no part of the identity',
      [
        'ALTER TABLE clients ALTER email SET NOT NULL',
        'CREATE UNIQUE INDEX by_email ON clients (email) INCLUDE (id)',
        'ALTER TABLE clients REPLICA IDENTITY USING INDEX by_email',
      ],
      [/^ALTER TABLE \S+"clients" REPLICA IDENTITY FULL;$/],
    ],
    [
      'partitions by their own names',
      [
        'ALTER TABLE clients RENAME TO some_clients',
        'CREATE TABLE clients (LIKE some_clients, PRIMARY KEY (id)) PARTITION BY LIST (id)',
        'ALTER PUBLICATION {{name}} SET TABLE users, clients',
        'ALTER PUBLICATION {{name}} SET (publish_via_partition_root = false)',
      ],
      [/^ALTER PUBLICATION .* SET \(publish_via_partition_root = true\);$/],
    ],
    [
      'partitions without a primary key, the table alone with one',
      [
        ...partitioned('NOT NULL'),
        'ALTER TABLE clients REPLICA IDENTITY FULL',
        'ALTER PUBLICATION {{name}} ADD TABLE clients',
      ],
      ['a', 'b'].map((one) => new RegExp(`^ALTER TABLE \\S+"clients_${one}" REPLICA IDENTITY FULL;$`)),
    ],
    ['all tables', ['DROP PUBLICATION {{name}}', 'CREATE PUBLICATION {{name}} FOR ALL TABLES'], []],
  ])('finds what is told: %s', ([, statements, expected], context) =>
    findings(statements, expected, context),
  );

  it.for<[string, string[], RegExp[]]>([
    [
      'some of the rows',
      ["ALTER PUBLICATION {{name}} SET TABLE users, clients WHERE (id > 'm')"],
      [
        /^ALTER PUBLICATION .* DROP TABLE ONLY \S+"clients"; ALTER PUBLICATION .* ADD TABLE ONLY \S+"clients";$/,
      ],
    ],
    [
      'some of the columns',
      ['ALTER PUBLICATION {{name}} SET TABLE users, clients (id, name)'],
      [
        /^ALTER PUBLICATION .* DROP TABLE ONLY \S+"clients"; ALTER PUBLICATION .* ADD TABLE ONLY \S+"clients";$/,
      ],
    ],
    [
      'all of a schema',
      ['DROP PUBLICATION {{name}}', 'CREATE PUBLICATION {{name}} FOR TABLES IN SCHEMA {{name}}'],
      [],
    ],
  ])('finds what is told, as Postgres 15 and newer may: %s', ([, statements, expected], context) =>
    findings(statements, expected, context, 150_000),
  );

  it('finds a table that is not logged', async (context) => {
    const { setup, sql } = await createPlace(context);
    await sql('DROP TABLE clients CASCADE');
    await sql('CREATE UNLOGGED TABLE clients (id text PRIMARY KEY)');
    await expect(setUpChanges(setup)).rejects.toThrow(/"clients" is not logged. ALTER TABLE .* SET LOGGED;/);
  });
});

describe('a set-up that Postgres refuses', () => {
  it('says what and why: a user who does not own the tables', async (context) => {
    const { setup, sql, config, env } = await createPlace(context);
    const role = `${config.prefix}_plain`;
    await sql(`CREATE ROLE ${role} LOGIN REPLICATION PASSWORD 'plain'`);
    await sql(`CREATE PUBLICATION "${config.prefix}" WITH (publish_via_partition_root = true)`);
    const url = new URL(env.DATABASE_URL);
    [url.username, url.password] = [role, 'plain'];
    await expect(setUpChanges({ ...setup, databaseUrl: url.href })).rejects.toMatchObject({
      code: 'CHANGES_UNAVAILABLE',
      retryable: false,
      message: expect.stringMatching(/must be owner of publication .*: ALTER PUBLICATION .* ADD TABLE ONLY /),
    });
    await sql(`DROP ROLE ${role}`);
  });

  it('is none when somebody else has just done it', async (context) => {
    const { setup, prisma } = await createPlace(context);
    const overtaken = new Proxy(prisma, {
      get: (target, name) => (name === '$queryRawUnsafe' ? lookThenSetUp : Reflect.get(target, name)),
    });
    const lookThenSetUp = async (sql: string, ...values: unknown[]): Promise<unknown> => {
      const rows = await prisma.$queryRawUnsafe(sql, ...values);
      await setUpChanges(setup);
      return rows;
    };
    await setUpChanges({ ...setup, prisma: overtaken });
  });
});
