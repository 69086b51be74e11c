/** What forebay needs of a Prisma client, and its errors sorted by what they mean for a batch. */
import type { Transaction } from '../definitions/record.js';
import { ForebayError, isForebayError, messageOf } from '../errors.js';

/** A Prisma client: any that has these methods. */
export interface Database extends Transaction {
  /** Runs `work` in one transaction. */
  $transaction<T>(
    work: (tx: Transaction) => Promise<T>,
    options?: { maxWait?: number; timeout?: number; isolationLevel?: 'RepeatableRead' },
  ): Promise<T>;
  /** Ends its connections. */
  $disconnect(): Promise<void>;
}

/**
 * - `unavailable`: the database is away, busy or stopped the statement for reasons of its own
 * - `not-yet`: a foreign key whose parent, or child that is deleted, may still be dirty in another lane
 * - `refused`: the rows themselves can't be stored
 */
export type FailureReason = 'unavailable' | 'not-yet' | 'refused';

/** Of a unique constraint that another lane may yet make true. */
export const uniqueViolation = '23505';
/** Stands for the failure of a persist of the user's own that looks like one of a connection. */
export const connectionFailure = '08006';

/** Of a foreign key that another lane may yet make true; Postgres 18 has its own for what it restricts. */
const foreignKeyStates = new Set(['23503', '23001']);

/** Whether an SQLSTATE says that a row refers to one that is not there, or is still referred to. */
export function isOfForeignKey(state: string): boolean {
  return foreignKeyStates.has(state);
}

/** Stands for an SQLSTATE where a delta's row does not exist; see try-records.sql. */
export const rowMissing = 'FB001';

/**
 * Classes of SQLSTATE that are about the rows: data, constraints, limits, exceptions of triggers. The rest is
 * the server's state or the schema's, such as a table that is not there yet: no row is to blame.
 */
const refusedClasses = new Set(['21', '22', '23', '44', '54', 'P0']);

/**
 * Classes that are the server's state or the schema's as a rule, though a trigger may raise any: connection,
 * transaction, rights, names, resources, locks, operators, the system.
 */
const serverClasses = new Set(['08', '25', '26', '28', '3D', '3F', '40', '42', '53', '55', '57', '58', 'XX']);

/** Whether an SQLSTATE tells nothing of a record when all others of its batch fail too. */
export function isOfServer(state: string): boolean {
  return serverClasses.has(state.slice(0, 2));
}

/** Sorts an error by its SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
export function failureReason(error: unknown): FailureReason {
  if (isForebayError(error, 'INVALID_VALUE')) return 'refused';
  const state = sqlStateOf(error);
  if (state !== undefined && isOfForeignKey(state)) return 'not-yet';
  if (state !== undefined) return refusedClasses.has(state.slice(0, 2)) ? 'refused' : 'unavailable';
  return isConnectionFailure(error) ? 'unavailable' : 'refused';
}

/** The SQLSTATE that Postgres gave, where the error carries one. */
export function sqlStateOf(error: unknown): string | undefined {
  const { code } = metaOf(error);
  const state = adapterCauseOf(error)?.originalCode ?? code;
  return typeof state === 'string' && /^[0-9A-Z]{5}$/.test(state) ? state : undefined;
}

interface AdapterCause {
  readonly originalCode?: unknown;
  readonly kind?: unknown;
}

interface Meta {
  readonly code?: unknown;
  readonly driverAdapterError?: { readonly cause?: AdapterCause };
}

const metaOf = (error: unknown): Meta => (error as { meta?: Meta } | undefined)?.meta ?? {};

/** What the driver adapter says: in a statement's error under `meta`, in a commit's as its `cause`. */
function adapterCauseOf(error: unknown): AdapterCause | undefined {
  return metaOf(error).driverAdapterError?.cause ?? (error as { cause?: AdapterCause } | undefined)?.cause;
}

/** Kinds of the driver adapter's errors that are about the way to the server. */
const connectionKinds = new Set([
  'DatabaseNotReachable',
  'ConnectionClosed',
  'SocketTimeout',
  'TlsConnectionError',
  'TooManyConnections',
]);

// Prisma's codes for a server that can't be reached, a pool or a transaction that timed out, and the like;
// Node's for sockets.
const connectionCodes = /^(P1\d{3}|P2024|P2028|P2034|P2037|E(?!RR_)[A-Z_]+)$/;

function isConnectionFailure(error: unknown): boolean {
  const { name, code } = (error ?? {}) as { name?: string; code?: unknown };
  if (typeof code === 'string' && connectionCodes.test(code)) return true;
  if (connectionKinds.has(String(adapterCauseOf(error)?.kind))) return true;
  return name === 'DriverAdapterError' || /connect|terminat|timeout|closed/i.test(messageOf(error));
}

/** For what needs Postgres before anything is done. */
export function databaseUnavailable(cause: unknown): ForebayError {
  return new ForebayError(
    'DATABASE_UNAVAILABLE',
    `Postgres can't be used (${messageOf(cause).trim()}). Check DATABASE_URL and that the server runs.`,
    { retryable: true, cause },
  );
}
