/** Logs as JSON lines, by pino. */
import type { Logger } from 'pino';
import { withoutFields } from './errors.js';
import { pino } from './peers/pino.js';

export type { Logger } from 'pino';

/** A logger of JSON lines to standard output; of errors it writes code and message, never their fields. */
export function createLogger(options: { name: string; level: string }): Logger {
  return pino({ name: options.name, level: options.level, serializers: { error: withoutFields } });
}
