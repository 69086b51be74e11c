/** The demo's own place in Postgres and Redis: a schema and a prefix that nothing else uses, emptied at the start. */
import { Redis } from 'ioredis';
import pg from 'pg';
import { DemoError } from './errors.js';

export const demoSchema = 'forebay_demo';
export const demoPrefix = 'forebay-demo';

/** Held while a demo runs against the database. Only has to differ from other programs' locks. */
const lockKey = 7_230_418_551;
const connectTimeoutMs = 10_000;
const unlinkMax = 1_000;

export interface DemoPlace {
  /** With `?schema=`. */
  readonly databaseUrl: string;
  leave(): Promise<void>;
}

/** @throws DemoError DEMO_RUNNING when another demo uses the same database */
export async function enterFreshState(databaseUrl: string, redisUrl: string): Promise<DemoPlace> {
  const connectionString = withSchema(databaseUrl, undefined);
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: connectTimeoutMs });
  // The lock is gone with the connection; then at worst a second demo starts.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await lock(client);
    await client.query(`drop schema if exists "${demoSchema}" cascade`);
    await unlinkKeys(redisUrl, `{${demoPrefix}[:}]*`);
  } catch (error) {
    await client.end();
    throw error;
  }
  return { databaseUrl: withSchema(databaseUrl, demoSchema), leave: () => client.end() };
}

/** Sets Prisma's `schema` parameter, which other programs don't know, or takes it away. */
export function withSchema(databaseUrl: string, schema: string | undefined): string {
  const url = new URL(databaseUrl);
  url.searchParams.delete('schema');
  if (schema !== undefined) url.searchParams.set('schema', schema);
  return url.toString();
}

async function lock(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ locked: boolean }>('select pg_try_advisory_lock($1) as locked', [
    lockKey,
  ]);
  if (rows[0]?.locked === true) return;
  throw new DemoError(
    'DEMO_RUNNING',
    'Another demo is running against this database. End it first (Ctrl-C there).',
  );
}

async function unlinkKeys(redisUrl: string, pattern: string): Promise<void> {
  const redis = new Redis(redisUrl, { lazyConnect: true, maxRetriesPerRequest: 3 });
  // Commands fail with the same error.
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    for await (const keys of redis.scanStream({ match: pattern, count: unlinkMax }) as AsyncIterable<
      string[]
    >) {
      if (keys.length > 0) await redis.unlink(...keys);
    }
  } finally {
    redis.disconnect();
  }
}
