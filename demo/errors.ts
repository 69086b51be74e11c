/** What can go wrong in the demo: one class, told apart by `code`. Messages say what is wrong, where, and what to do. */

export type DemoErrorCode =
  /** A flag that the demo doesn't have, or a value that it can't use. */
  | 'BAD_ARGUMENT'
  /** The activity file or the repository isn't there, or can't be read. */
  | 'ACTIVITY_MISSING'
  | 'NOT_A_REPOSITORY'
  | 'EMPTY_HISTORY'
  /** A line of the activity file is not a commit, or the file ends in the middle. */
  | 'ACTIVITY_BROKEN'
  | 'ACTIVITY_CHANGED'
  | 'GIT_MISSING'
  | 'GIT_FAILED'
  | 'DEMO_RUNNING'
  | 'WORKERS_NOT_READY'
  | 'WORKERS_WILL_NOT_STOP'
  | 'WRITE_FAILED'
  | 'NOT_DRAINED'
  | 'SERVICES_LOST';

export class DemoError extends Error {
  override readonly name = 'DemoError';
  readonly code: DemoErrorCode;

  constructor(code: DemoErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
