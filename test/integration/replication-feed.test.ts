/** Postgres's feed of changes: what it says when something is wrong, and what it leaves behind. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { splitUrl } from '../../src/connection/postgres.js';
import { openReplication, ReplicationFeed } from '../../src/connection/replication.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { patient } from '../support/patient.js';

let environment: Environment;
let publication: string;
let name: string;

beforeAll(async () => {
  environment = await createEnvironment();
  publication = environment.config.prefix;
  name = `feed-of-${publication}`;
  await sql(`CREATE PUBLICATION "${publication}" FOR TABLE clients`);
});

afterAll(() => environment.close());

const sql = (text: string): Promise<number> => environment.prisma.$executeRawUnsafe(text);

describe('a feed', () => {
  it('that is given up while it waits for an open transaction leaves neither a slot nor a connection', async () => {
    const giveUp = new AbortController();
    const other = await heldTransaction();
    const opening = openReplication({ ...ways(), ...nothing }, giveUp.signal).catch((error: Error) => error);
    try {
      await expect.poll(waiting).toEqual([{ slots: 1 }]);
      giveUp.abort();
      expect(await opening).toBeInstanceOf(Error);
      await expect.poll(waiting, { timeout: patient(5_000) }).toEqual([]);
    } finally {
      await other.end();
    }
  });

  it('waits for open transactions for longer than its role may wait for a lock', async () => {
    const other = await heldTransaction();
    const url = new URL(environment.env.DATABASE_URL);
    url.searchParams.set('options', '-c lock_timeout=50');
    const opening = openReplication({ ...ways(), ...nothing, url: url.href }, new AbortController().signal);
    const early = opening.catch((error: Error) => error);
    await expect.poll(waiting).toEqual([{ slots: 1 }]);
    await sql('SELECT pg_sleep(0.2)');
    await other.end();
    const feed = await early;
    expect(feed).toBeInstanceOf(ReplicationFeed);
    (feed as ReplicationFeed).close();
  });

  it('goes on while Postgres decodes a transaction for longer than a server may be silent', async (context) => {
    const { version, rows } = await slowRows();
    if (version < 150_000) context.skip('a row filter makes it slow');
    const slow = `${publication}_slow`;
    await sql(`CREATE PUBLICATION "${slow}" FOR TABLE users, clients WHERE (${isNever('id')})`);
    const heard: (Buffer | Error)[] = [];
    const onMessage = (message: Buffer): void => void heard.push(message);
    const onLost = (error: Error): void => void heard.push(error);
    const options = { ...ways(), publication: slow, onMessage, onLost };
    const feed = await openReplication(options, new AbortController().signal);
    await sql(
      `INSERT INTO clients (id, name, updated_at) SELECT chr(64 + i), '', now() FROM generate_series(1, ${rows}) AS i`,
    );
    await sql("INSERT INTO users (id, email, name, updated_at) VALUES ('u', 'u@x', 'u', now())");
    await expect.poll(() => heard, { timeout: patient(60_000) }).not.toEqual([]);
    feed.close();
    await sql(`DROP PUBLICATION "${slow}"`);
    expect(heard[0]).toBeInstanceOf(Buffer);
  });

  it('of which a message can’t be handled is lost, and tells no more', async () => {
    const messages: Buffer[] = [];
    const lost = await new Promise<Error>((onLost, onFailed) => {
      const onMessage = (message: Buffer): void => {
        messages.push(message);
        throw new RangeError('not understood');
      };
      openReplication({ ...ways(), onMessage, onLost }, new AbortController().signal)
        .then(() => sql("INSERT INTO clients (id, name, updated_at) VALUES ('a', 'a', now())"))
        .catch(onFailed);
    });
    expect(lost).toBeInstanceOf(RangeError);
    expect(messages).toHaveLength(1);
  });
});

/** Begun, with a row that it has written. */
async function heldTransaction(): Promise<pg.Client> {
  const { connectionString } = splitUrl(environment.env.DATABASE_URL);
  const client = new pg.Client({ connectionString });
  await client.connect();
  await client.query('BEGIN');
  await client.query('SELECT pg_current_xact_id()');
  return client;
}

/** The feed's connections that are not following yet, each with its slots. */
const waiting = (): Promise<unknown> =>
  environment.prisma.$queryRawUnsafe(
    `SELECT count(slot_name)::int AS slots FROM pg_stat_activity JOIN pg_replication_slots ON active_pid = pid
     WHERE application_name = '${name}' GROUP BY pid`,
  );

const isNever = (id: string): string => `md5(repeat(${id}, 100000000)) = 'never'`;

/** How many it takes to keep Postgres busy for 8 s with what is never true. */
async function slowRows(): Promise<{ version: number; rows: number }> {
  const startedAt = performance.now();
  const [row] = await environment.prisma.$queryRawUnsafe<{ version: number }[]>(
    `SELECT current_setting('server_version_num')::int AS version WHERE NOT ${isNever("'a'")}`,
  );
  return { version: row?.version ?? 0, rows: Math.ceil(8_000 / (performance.now() - startedAt)) };
}

const nothing = { onMessage: () => undefined, onLost: () => undefined };
const ways = () => ({
  url: environment.env.DATABASE_URL,
  publication,
  name,
  onSentUpTo: () => undefined,
});
