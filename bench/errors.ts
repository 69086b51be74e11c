/** What can go wrong in a bench: one class, told apart by `code`. Messages say what is wrong, where, and what to do. */

export type BenchErrorCode =
  /** No such bench, an option that is not there, or a value that can't be used. */
  | 'BAD_ARGUMENT'
  /** A process that was started for the bench ended, failed, or took too long. */
  | 'CHILD_FAILED'
  | 'JOBS_FAILED'
  /** The revision to compare with is not there, or its bench fails. */
  | 'REVISION_FAILED';

export class BenchError extends Error {
  override readonly name = 'BenchError';
  readonly code: BenchErrorCode;

  constructor(code: BenchErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
