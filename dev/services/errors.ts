/**
 * What can go wrong while getting a Postgres and a Redis: one class, told apart by `code`.
 * The message says what is wrong, where, and what to do about it, and never carries a password.
 */

export type ServicesErrorCode =
  /** `DATABASE_URL` or `REDIS_*` is not an address, or nothing usable answers there. */
  | 'GIVEN_SERVICE_INVALID'
  | 'GIVEN_SERVICE_UNREACHABLE'
  /** A program is not on this machine, and can't be installed from here. */
  | 'PROGRAM_MISSING'
  | 'INSTALL_FAILED'
  /** A server was started and did not become ready. */
  | 'SERVER_START_FAILED'
  /** A server is running and does not end. */
  | 'SERVER_WILL_NOT_STOP'
  /** A folder belongs to somebody else or is open to others. */
  | 'FOLDER_NOT_SAFE'
  /** The process that keeps the servers could not be started or reached. */
  | 'HOST_UNAVAILABLE';

export class ServicesError extends Error {
  override readonly name = 'ServicesError';
  readonly code: ServicesErrorCode;

  constructor(code: ServicesErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
