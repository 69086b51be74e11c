/** What a load of rows that failed is told as. */
import { ForebayError, messageOf } from '../../errors.js';

export function toLoadError(store: string, error: unknown): ForebayError {
  return new ForebayError(
    'DATABASE_UNAVAILABLE',
    `Store "${store}" could not be loaded: ${messageOf(error)}`,
    { retryable: true, cause: error, context: { store } },
  );
}
