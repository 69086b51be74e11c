/** How many queries the database was asked: by its own count. Other programs that use the same database meanwhile are counted too. */
import { setTimeout as delay } from 'node:timers/promises';
import type { PrismaClient } from '../../examples/platform/generated/prisma/client.js';

/** What the apps' connections are called. */
export const connectionName = 'bench-replay';

const lookEveryMs = 20;
const looksMax = 500;

/**
 * Since the database was made. A page's queries are a transaction each. Postgres adds a connection's to the sum when the connection
 * ends, or a second later; so the apps must have let go of theirs.
 */
export async function countQueries(prisma: PrismaClient): Promise<number> {
  for (let look = 0; look < looksMax; look++) {
    const [row] = await prisma.$queryRaw<{ open: number; queries: number }[]>`
      SELECT (SELECT count(*) FROM pg_stat_activity
              WHERE datname = current_database() AND application_name = ${connectionName})::int AS open,
             xact_commit::float8 AS queries
      FROM pg_stat_database WHERE datname = current_database()`;
    if (row?.open === 0) return row.queries;
    await delay(lookEveryMs);
  }
  throw new Error(`Connections named ${connectionName} stay open: does another bench use this database?`);
}
