/** What forebay needs of a Prisma client, and its errors sorted by what they mean for a batch. */
import type { Transaction } from '../definitions/record.js';
import { messageOf } from '../errors.js';

/** A Prisma client: any that has these methods. */
export interface Database extends Transaction {
  $transaction<T>(
    work: (tx: Transaction) => Promise<T>,
    options?: { maxWait?: number; timeout?: number; isolationLevel?: 'RepeatableRead' },
  ): Promise<T>;
  $disconnect(): Promise<void>;
}

/**
 * - `unavailable`: the database is away, busy or stopped the statement for reasons of its own
 * - `not-yet`: a foreign key whose parent may still be dirty in another lane
 * - `refused`: the rows themselves can't be stored
 */
export type FailureReason = 'unavailable' | 'not-yet' | 'refused';

const foreignKeyViolation = '23503';

/** Classes of SQLSTATE that are about the rows: data, constraints, syntax and rights. The rest is the server's state. */
const refusedClasses = new Set(['22', '23', '42', '44', '0A']);

/** Sorts an error by its SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
export function failureReason(error: unknown): FailureReason {
  const state = sqlStateOf(error);
  if (state === foreignKeyViolation) return 'not-yet';
  if (state !== undefined) return refusedClasses.has(state.slice(0, 2)) ? 'refused' : 'unavailable';
  return isPrismaFailure(error) ? 'unavailable' : 'refused';
}

/** The SQLSTATE that Postgres gave, where the error carries one. */
export function sqlStateOf(error: unknown): string | undefined {
  const meta = (
    error as { meta?: { code?: unknown; driverAdapterError?: { cause?: { originalCode?: unknown } } } }
  ).meta;
  const state = meta?.driverAdapterError?.cause?.originalCode ?? meta?.code;
  return typeof state === 'string' && /^[0-9A-Z]{5}$/.test(state) ? state : undefined;
}

// Prisma's codes for a server that can't be reached, a pool or a transaction that timed out, and the like: P1xxx, P20xx.
function isPrismaFailure(error: unknown): boolean {
  const { name, code } = error as { name?: string; code?: unknown };
  if (typeof code === 'string' && /^(P1\d{3}|P2024|P2028|P2034|P2037|E[A-Z]+)$/.test(code)) return true;
  return name === 'DriverAdapterError' || /connect|terminat|timeout|closed/i.test(messageOf(error));
}
