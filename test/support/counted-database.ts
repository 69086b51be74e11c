/** A Prisma client that counts how often forebay reaches for the database through it. */
import type { Database } from '../../src/database/database.js';

export interface CallCounts {
  transactions: number;
  queries: number;
}

export function countCalls(prisma: Database): { database: Database; calls: CallCounts } {
  const calls: CallCounts = { transactions: 0, queries: 0 };
  const database: Database = {
    $transaction(work, options) {
      calls.transactions += 1;
      return prisma.$transaction(work, options);
    },
    $queryRawUnsafe(sql, ...values) {
      calls.queries += 1;
      return prisma.$queryRawUnsafe(sql, ...values);
    },
    $executeRawUnsafe: (sql, ...values) => prisma.$executeRawUnsafe(sql, ...values),
    $disconnect: () => prisma.$disconnect(),
  };
  return { database, calls };
}
