/** Logs: pino, and the level at which each event is logged. */
import { type Logger, pino } from 'pino';
import { isForebayError, messageOf } from './errors.js';
import type { Emit, EventType, ForebayEvent } from './events.js';

export type { Logger } from 'pino';

export function createLogger(options: { name: string; level: string }): Logger {
  return pino({ name: options.name, level: options.level, serializers: { error: serializeError } });
}

const levels: Record<EventType, 'debug' | 'info' | 'warn' | 'error'> = {
  'wake.failed': 'warn',
  'refresh.not-asked': 'warn',
  'refresh.crowded': 'warn',
  'refresh.failed': 'warn',
  'warm.failed': 'warn',
  'warm.stopped': 'warn',
  'reads.unsent': 'warn',
  'schedule.failed': 'error',
  'schedule.skipped': 'info',
  'schedule.missed': 'warn',
  'fill.failed': 'warn',
  'cache.failed': 'warn',
  'cache.statistics': 'debug',
  'batch.sealed': 'debug',
  'batch.written': 'debug',
  'batch.applied': 'debug',
  'batch.acked': 'debug',
  'batch.late': 'info',
  'batch.failed': 'error',
  'batch.void': 'debug',
  'batch.split': 'warn',
  'record.refused': 'error',
  'dead-letter.hidden': 'warn',
  'database.away': 'error',
  'database.back': 'info',
  'redis.regressed': 'error',
  'counter.rows-missing': 'warn',
  'rows.overtaken': 'warn',
  'lane.woken': 'info',
  'sweep.failed': 'warn',
  'job.failed': 'error',
  'redis.error': 'warn',
  'breaker.opened': 'error',
  'breaker.closed': 'info',
  'l1.opened': 'debug',
  'l1.closed': 'info',
  'server.warning': 'warn',
};

/** Logs events, each with its type as the message. */
export function logEvents(logger: Logger): Emit {
  return (event) => logger[levelOf(event)](withoutType(event), event.type);
}

// A foreign key whose parent is on its way is part of the protocol, not trouble.
function levelOf(event: ForebayEvent): 'debug' | 'info' | 'warn' | 'error' {
  return event.type === 'batch.failed' && event.reason === 'not-yet' ? 'info' : levels[event.type];
}

function withoutType(event: ForebayEvent): object {
  const { type: _, ...facts } = event;
  return facts;
}

/** An error's message and code, never its fields: a driver's error can carry rows and passwords. */
function serializeError(error: unknown): object {
  return isForebayError(error)
    ? { code: error.code, message: error.message }
    : { name: error instanceof Error ? error.name : typeof error, message: messageOf(error) };
}
