/** forebay's transactions. They bring their limits: the adapter may have none, a pooler allow none. */
import { postgresLimits } from '../connection/postgres-limits.js';
import type { Transaction } from '../definitions/record.js';
import type { Database } from './database.js';
import { readSql } from './sql-file.js';

/** Longest wait for a free connection, and longest transaction, in ms. */
const connectionWaitMaxMs = 10_000;
const transactionMaxMs = 60_000;

export function inTransaction<T>(
  database: Database,
  work: (tx: Transaction) => Promise<T>,
  options: { readonly isolationLevel?: 'RepeatableRead' } = {},
): Promise<T> {
  return database.$transaction(
    async (tx) => {
      await limit(tx);
      return work(tx);
    },
    { ...options, maxWait: connectionWaitMaxMs, timeout: transactionMaxMs },
  );
}

async function limit(tx: Transaction): Promise<void> {
  const { statementTimeoutMs, lockTimeoutMs, idleInTransactionMs, connectionCheckMs } = postgresLimits;
  const texts = [statementTimeoutMs, lockTimeoutMs, idleInTransactionMs, connectionCheckMs].map(String);
  await tx.$queryRawUnsafe(readSql('limit-transaction'), ...texts);
}
