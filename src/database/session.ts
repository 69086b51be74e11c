/** A session with Postgres without a Prisma client, for commands that know no app. */
import type { createPrismaAdapter } from '../connection/postgres.js';
import type { Transaction } from '../definitions/record.js';
import { messageOf } from '../errors.js';
import type { Database } from './database.js';

type Adapter = ReturnType<typeof createPrismaAdapter>;

export interface Session extends Database {
  /** Where `names.ts` looks for the schema, as in a Prisma client. */
  readonly _engineConfig: { readonly adapter: Adapter };
}

/** Connects with its first statement. Parameters are texts and arrays of texts. */
export async function openSession(adapter: Adapter): Promise<Session> {
  const connection = await adapter.connect();
  return {
    _engineConfig: { adapter },
    ...statementsOf(connection),
    async $transaction(work, { isolationLevel } = {}) {
      const level = isolationLevel === 'RepeatableRead' ? 'REPEATABLE READ' : undefined;
      const tx = await connection.startTransaction(level);
      try {
        const result = await work(statementsOf(tx));
        // The adapter leaves both words to its caller, and gives the connection back.
        await tx.executeRaw(query('COMMIT', []));
        await tx.commit();
        return result;
      } catch (error) {
        // Where that fails, the connection is broken, and the transaction with it.
        await tx.executeRaw(query('ROLLBACK', [])).catch(() => undefined);
        await tx.rollback();
        throw error;
      }
    },
    $disconnect: () => connection.dispose(),
  };
}

type Queryable = Pick<Awaited<ReturnType<Adapter['connect']>>, 'executeRaw' | 'queryRaw'>;

function statementsOf(queryable: Queryable): Transaction {
  return {
    $executeRawUnsafe: (sql, ...values) => queryable.executeRaw(query(sql, values)),
    async $queryRawUnsafe<T>(sql: string, ...values: unknown[]) {
      const { columnNames, rows } = await queryable.queryRaw(query(sql, values));
      return rows.map((row) => Object.fromEntries(columnNames.map((name, i) => [name, row[i]]))) as T;
    },
  };
}

function query(sql: string, values: unknown[]) {
  return {
    sql,
    args: values,
    argTypes: values.map(
      (value) => ({ scalarType: 'string', arity: Array.isArray(value) ? 'list' : 'scalar' }) as const,
    ),
  };
}

/** What Postgres, or the way to it, says: the adapter's own messages are but names of kinds. */
export function postgresMessage(error: unknown): string {
  const { cause } = (error ?? {}) as {
    cause?: { originalMessage?: string; kind?: string; host?: string; port?: number };
  };
  if (cause?.originalMessage !== undefined) return cause.originalMessage;
  if (cause?.kind === 'DatabaseNotReachable') return `nobody answers at ${cause.host}:${cause.port ?? 5_432}`;
  return cause?.kind ?? messageOf(error);
}
