/** Errors of the verification, told apart by `code`. */
export type VerifyErrorCode = 'BAD_ARGUMENT' | 'PROGRAM_MISSING' | 'CHILD_FAILED' | 'SERVER_STUCK';

export class VerifyError extends Error {
  override readonly name = 'VerifyError';
  readonly code: VerifyErrorCode;

  constructor(code: VerifyErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
