/** Plain connections to Postgres, beside Prisma's: for what Prisma has no words for. */
import pg from 'pg';
import { inTime } from './deadline.js';
import { splitUrl } from './postgres.js';

/** Runs a query; returns its rows. */
export type Query = <Row>(sql: string, values?: readonly unknown[]) => Promise<Row[]>;

export const connectTimeoutMs = 5_000;
const endTimeoutMs = 1_000;

/** Not connected yet. `isReplication`: it speaks the replication protocol too. */
export function createPostgresClient(
  url: string,
  { name, isReplication = false }: { readonly name: string; readonly isReplication?: boolean },
): pg.Client {
  const config = {
    connectionString: splitUrl(url).connectionString,
    application_name: name,
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    ...(isReplication && { replication: 'database' }),
  };
  const client = new pg.Client(config);
  // What breaks a connection also rejects what is asked of it.
  client.on('error', () => undefined);
  return client;
}

/** A connection for as long as `use` takes. @throws what Postgres and `use` throw */
export async function withPostgres<T>(
  url: string,
  name: string,
  use: (query: Query) => Promise<T>,
): Promise<T> {
  const client = createPostgresClient(url, { name });
  try {
    await client.connect();
    return await use(async (sql, values) => (await client.query(sql, values && [...values])).rows);
  } finally {
    await inTime(client.end(), endTimeoutMs).catch(() => client.connection.stream.destroy());
  }
}
