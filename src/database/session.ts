/** A session with Postgres without a Prisma client, for commands that know no app. */
import type { createPrismaAdapter } from '../connection/postgres.js';
import { messageOf } from '../errors.js';
import type { Database } from './database.js';

type Adapter = ReturnType<typeof createPrismaAdapter>;

export interface Session extends Database {
  /** Where `names.ts` looks for the schema, as in a Prisma client. */
  readonly _engineConfig: { readonly adapter: Adapter };
}

/** Connects with its first statement. Parameters are texts and arrays of texts. It has no transactions. */
export async function openSession(adapter: Adapter): Promise<Session> {
  const connection = await adapter.connect();
  const query = (sql: string, values: unknown[]) => ({
    sql,
    args: values,
    argTypes: values.map(
      (value) => ({ scalarType: 'string', arity: Array.isArray(value) ? 'list' : 'scalar' }) as const,
    ),
  });
  return {
    _engineConfig: { adapter },
    $executeRawUnsafe: (sql, ...values) => connection.executeRaw(query(sql, values)),
    async $queryRawUnsafe<T>(sql: string, ...values: unknown[]) {
      const { columnNames, rows } = await connection.queryRaw(query(sql, values));
      return rows.map((row) => Object.fromEntries(columnNames.map((name, i) => [name, row[i]]))) as T;
    },
    $transaction: () => Promise.reject(new Error('this needs a client of the app')),
    $disconnect: () => connection.dispose(),
  };
}

/** What Postgres, or the way to it, says: the adapter's own messages are but names of kinds. */
export function postgresMessage(error: unknown): string {
  const { cause } = (error ?? {}) as {
    cause?: { originalMessage?: string; kind?: string; host?: string; port?: number };
  };
  if (cause?.originalMessage !== undefined) return cause.originalMessage;
  if (cause?.kind === 'DatabaseNotReachable') return `nobody answers at ${cause.host}:${cause.port}`;
  return cause?.kind ?? messageOf(error);
}
