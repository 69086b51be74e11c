/** Logs as JSON lines, by pino. */
import { type Logger, pino } from 'pino';
import { isForebayError, messageOf } from './errors.js';

export type { Logger } from 'pino';

/** A logger of JSON lines to standard output; of errors it writes code and message, never their fields. */
export function createLogger(options: { name: string; level: string }): Logger {
  return pino({ name: options.name, level: options.level, serializers: { error: serializeError } });
}

/** An error's message and code, never its fields: a driver's error can carry rows and passwords. */
function serializeError(error: unknown): object {
  return isForebayError(error)
    ? { code: error.code, message: error.message }
    : { name: error instanceof Error ? error.name : typeof error, message: messageOf(error) };
}
