/**
 * Every error that forebay throws on purpose: one class, told apart by `code`.
 * The message says what is wrong, where, and what to do about it; `context` has the same facts as data.
 */

/** What there is to know of a code: the text of docs/errors.md. */
export interface ErrorCodeDoc {
  readonly when: string;
  /**
   * Whether the same call can succeed later, without a change by the caller. `sometimes`: the error says so.
   */
  readonly retryable: 'yes' | 'no' | 'sometimes';
  readonly advice: string;
}

/**
 * Every code, in the order of what it is about: what the caller gave, room, Redis, the database, the process.
 */
export const errorCodes = {
  INVALID_ID: {
    when: 'An id is none that the store can have, or an update would change it.',
    retryable: 'no',
    advice: 'Give an id of the type and form that the message names.',
  },
  INVALID_KEY: {
    when: 'A key is empty, too long, begins with a reserved character, or belongs to another namespace or writer.',
    retryable: 'no',
    advice: 'Make keys with `defineKeys`, or give the one that the message asks for.',
  },
  INVALID_VALUE: {
    when: "A value, delta, time to live or option can't be used.",
    retryable: 'no',
    advice: 'The message names the field and what it must be.',
  },
  VALUE_TOO_LARGE: {
    when: 'A row or a cached value has more bytes than `valueBytesMax`.',
    retryable: 'no',
    advice: 'Store less in it, or raise `valueBytesMax`.',
  },
  COUNTER_OVERFLOW: {
    when: "The sum of a counter's deltas that are not in the database, dead letters among them, would not fit in 64 bits.",
    retryable: 'no',
    advice:
      'Check the delta. Deltas are added up only until they are in the database: `flush()` empties them, and dead ones end when they are replayed or discarded, or their row is put.',
  },
  NOT_A_COUNTER: {
    when: 'A cached value is to be incremented that is no whole number of at most 2^53.',
    retryable: 'no',
    advice: 'Delete it, or count under another key.',
  },
  UNKNOWN_STORE: {
    when: 'A name is none of the defined stores or lanes.',
    retryable: 'no',
    advice: 'Check the name against the definitions; deploy workers with the same ones as apps.',
  },
  INVALID_DEFINITION: {
    when: "Stores, keys, writers or schedules are defined in a way that can't work.",
    retryable: 'no',
    advice: 'Mend what the message lists; it has all that is wrong.',
  },
  INVALID_CONFIG: {
    when: "The environment, or the Redis that it names, can't be used for what is asked.",
    retryable: 'no',
    advice: 'The message names the variable or setting. `forebay check` looks at Redis.',
  },
  CONFLICT: {
    when: 'The record is not at the version that the caller has seen.',
    retryable: 'sometimes',
    advice:
      'Read it again with `getVersioned`, or use `update`. One that an update gives up with can be tried again later.',
  },
  BACKLOG_FULL: {
    when: 'The lane holds its maximum of dirty records or bytes.',
    retryable: 'yes',
    advice:
      "Check that workers run and the database keeps up; wait with `onFull: 'wait'`; raise `dirtyMax`, `dirtyBytesMax` or `partitions`.",
  },
  TOO_MANY_WRITES: {
    when: 'This process has its maximum of writes that are not answered yet.',
    retryable: 'yes',
    advice: 'Await some writes before you issue more.',
  },
  TOO_MANY_LOADS: {
    when: 'This process has its maximum of loads under way and waiting.',
    retryable: 'yes',
    advice: 'Make loaders faster, serve stale values (a grace time), or raise `loadsMax`.',
  },
  LOAD_TIMEOUT: {
    when: 'A loader took longer than its time-out, or a record had no version for long.',
    retryable: 'yes',
    advice: 'Make the loader faster, or raise `loadTimeoutMs`.',
  },
  REDIS_UNAVAILABLE: {
    when: "Redis can't be reached, does not let the connection in, or does not answer. A read has no answer; a write was not sent.",
    retryable: 'sometimes',
    advice:
      'Try again later; it fails at once meanwhile. When the message names the password or the rights, mend those.',
  },
  REDIS_REFUSED: {
    when: "Redis is there and refuses the call: a replica (`READONLY`), one that loads its data (`LOADING`), a disk that it can't write to (`MISCONF`), missing rights (`NOPERM`), and the like.",
    retryable: 'sometimes',
    advice: "The message has Redis's own words and what to do about them.",
  },
  REDIS_OUT_OF_MEMORY: {
    when: 'Redis refuses the call, for its memory limit is reached.',
    retryable: 'yes',
    advice: 'Let the workers drain the backlog, raise `maxmemory`, or shorten the life of entries.',
  },
  OUTCOME_UNKNOWN: {
    when: 'The connection broke, or Redis did not answer, while the write was on its way: it may have been accepted.',
    retryable: 'no',
    advice: 'A put or a delete can be repeated; an add could count twice: read first.',
  },
  DURABILITY_NOT_MET: {
    when: 'The write is accepted, but in time neither a replica nor the disk had it, as was asked for.',
    retryable: 'no',
    advice: 'Do not repeat it for that. Check the replicas or the disk.',
  },
  DATABASE_UNAVAILABLE: {
    when: "Postgres can't be used, or a row, counter or page of it could not be loaded.",
    retryable: 'yes',
    advice: 'Check `DATABASE_URL` and that the server runs. Accepted writes are kept.',
  },
  DATABASE_NOT_READY: {
    when: 'A table or column is not there.',
    retryable: 'no',
    advice: 'Apply the migrations, and check that `DATABASE_URL` names the right database and schema.',
  },
  CHANGES_UNAVAILABLE: {
    when: 'Postgres is not set up to tell a change worker of changes, or refuses a statement of `setUpChanges`.',
    retryable: 'no',
    advice: 'The message has the statements that mend it; `setUpChanges` runs those that need no superuser.',
  },
  DATABASE_REFUSED: {
    when: 'The database refuses a write for what it holds. It is a dead letter now.',
    retryable: 'no',
    advice: 'Write the record anew, or mend the cause and replay it, or discard it.',
  },
  DEAD_LETTERS_FULL: {
    when: 'A lane holds its maximum of dead letters, so a batch with refused records holds it up.',
    retryable: 'yes',
    advice: 'Replay or discard dead letters, or raise `deadLettersMax`.',
  },
  LANES_CHANGING: {
    when: "The number of a store's lanes is being changed, and that took longer than a call waits, 5 s. Nothing was done.",
    retryable: 'yes',
    advice:
      'Repeat it. If it stays so: `forebay lanes` says how a store stands, and `forebay lanes STORE N` ends it.',
  },
  ACROSS_AGGREGATES: {
    when: 'Writes that are to be accepted together are not all of one row and of what belongs to it. Nothing was written.',
    retryable: 'no',
    advice: 'Give each aggregate a call of its own; see [aggregates](aggregates.md).',
  },
  WRITE_LOST: {
    when: 'Redis has gone back in time and lost a write that it had accepted; nothing proves that it was in the database before.',
    retryable: 'no',
    advice:
      "Read the record, and write it again where that is needed. See `redis.regressed`; ask for more with `durability: 'replicated'`, `'fsynced'` or `'database'`.",
  },
  COUNTER_ROW_MISSING: {
    when: 'A delta is flushed, and the row that it counts in does not exist. It is a dead letter now.',
    retryable: 'no',
    advice: 'Put the row: the delta counts then. Or discard the dead letter.',
  },
  ROW_MISSING: {
    when: 'A patch is of a row that does not exist.',
    retryable: 'no',
    advice: 'Put the whole row.',
  },
  FLUSH_TIMEOUT: {
    when: '`flush()` has waited for its time, and lanes still hold writes. They are kept.',
    retryable: 'yes',
    advice: 'Check that write-behind workers run, and their log for batches that failed.',
  },
  PERSIST_TIMEOUT: {
    when: 'A receipt has waited for its time, and the write is not in the database yet. It is kept.',
    retryable: 'yes',
    advice: 'Check that write-behind workers run, and their log for batches that failed.',
  },
  CLOSED: {
    when: 'The client is closed, or was while the call waited.',
    retryable: 'no',
    advice: 'Close it last; connect anew.',
  },
  PEER_MISSING: {
    when: 'A part of forebay is used that needs a package which is not installed.',
    retryable: 'no',
    advice: 'Run the `npm install` line of the message.',
  },
  DEPLOY_REFUSED: {
    when: 'A new build was not deployed, for it does not get ready, ends or hangs; or pm2, or its file, is not to be used.',
    retryable: 'no',
    advice: 'The message has the reason and the last words of the new process. What ran before still runs.',
  },
  ALREADY_STARTED: {
    when: "A worker's service was started before.",
    retryable: 'no',
    advice: 'A service is started once: for another start, make another.',
  },
  NOT_SHARED: {
    when: "A function of the process's shared client was called before `share`.",
    retryable: 'no',
    advice: 'Call `share(() => connect(…))` once, at the start.',
  },
  ALREADY_SHARED: {
    when: '`share` was called while the process shares a client.',
    retryable: 'no',
    advice: 'Use that one, or call `closeShared()` first.',
  },
} as const satisfies Record<string, ErrorCodeDoc>;

/** What kind of error it is. */
export type ErrorCode = keyof typeof errorCodes;

/** What an error says besides its code and message. */
export interface ErrorDetails {
  /** True when the same call can succeed later without a change by the caller. Default false. */
  readonly retryable?: boolean;
  /** The facts of the message, as data. Default: none. */
  readonly context?: Readonly<Record<string, unknown>>;
  /** What it came of. Default: none. */
  readonly cause?: unknown;
}

/** Every error that forebay throws on purpose; `code` tells them apart, the message says what to do. */
export class ForebayError extends Error {
  /** Always `ForebayError`. */
  override readonly name = 'ForebayError';
  /** What kind of error it is. */
  readonly code: ErrorCode;
  /** True when the same call can succeed later without a change by the caller. */
  readonly retryable: boolean;
  /** The facts of the message, as data. */
  readonly context: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.retryable = details.retryable ?? false;
    this.context = details.context ?? {};
  }
}

/** Whether something that was thrown is a ForebayError, and one of this code. */
export function isForebayError(error: unknown, code?: ErrorCode): error is ForebayError {
  return error instanceof ForebayError && (code === undefined || error.code === code);
}

/** For whatever is asked of a client that was closed. */
export function closedError(cause?: unknown): ForebayError {
  return new ForebayError('CLOSED', 'This client is closed.', { cause });
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}

/** For logs: an error's code and message, never its fields: a driver's error can carry rows and passwords. */
export function withoutFields(error: unknown): object {
  return isForebayError(error)
    ? { code: error.code, message: error.message }
    : { name: error instanceof Error ? error.name : typeof error, message: messageOf(error) };
}
