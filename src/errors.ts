/**
 * Every error that forebay throws on purpose: one class, told apart by `code`.
 * The message says what is wrong, where, and what to do about it; `context` has the same facts as data.
 */

export type ErrorCode =
  /** A value, id or option that the caller gave can't be used. */
  | 'INVALID_ID'
  | 'INVALID_VALUE'
  | 'VALUE_TOO_LARGE'
  | 'COUNTER_OVERFLOW'
  | 'UNKNOWN_STORE'
  | 'INVALID_DEFINITION'
  | 'INVALID_CONFIG'
  /** The record is not at the version that the caller has seen. */
  | 'CONFLICT'
  /** The lane holds its maximum of dirty records. */
  | 'BACKLOG_FULL'
  /** This process has its maximum of writes on their way to Redis. */
  | 'TOO_MANY_WRITES'
  /** This process has its maximum of loads waiting for their turn. */
  | 'TOO_MANY_LOADS'
  /** A loader took longer than its time-out. */
  | 'LOAD_TIMEOUT'
  /** A key that is empty, too long, or begins with a reserved character. */
  | 'INVALID_KEY'
  /** A value that is no plain integer can't be incremented. */
  | 'NOT_A_COUNTER'
  /** Redis could not be reached, and the write was not sent. */
  | 'REDIS_UNAVAILABLE'
  /** Redis refused the command, e.g. for its memory limit or for missing rights. */
  | 'REDIS_REFUSED'
  /** The connection broke while the write was on its way: it may have been accepted. */
  | 'OUTCOME_UNKNOWN'
  | 'DATABASE_UNAVAILABLE'
  | 'DATABASE_NOT_READY'
  | 'DATABASE_REFUSED'
  /** A lane holds its maximum of dead letters. */
  | 'DEAD_LETTERS_FULL'
  | 'PARTITIONS_CHANGED'
  | 'FLUSH_TIMEOUT'
  | 'CLOSED'
  /** A function of the process's shared client was called before `share`, or `share` twice. */
  | 'NOT_SHARED'
  | 'ALREADY_SHARED';

export interface ErrorDetails {
  /** True when the same call can succeed later without a change by the caller. Default false. */
  readonly retryable?: boolean;
  readonly context?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

export class ForebayError extends Error {
  override readonly name = 'ForebayError';
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly context: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.retryable = details.retryable ?? false;
    this.context = details.context ?? {};
  }
}

export function isForebayError(error: unknown, code?: ErrorCode): error is ForebayError {
  return error instanceof ForebayError && (code === undefined || error.code === code);
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}
