/** What is logged: the level of each event, and how often one that repeats is told. */
import type { Emit, EventType, ForebayEvent } from './events.js';
import { limitRepeats } from './repeats.js';

const levels: Record<EventType, 'debug' | 'info' | 'warn' | 'error'> = {
  'wake.failed': 'warn',
  'queue.missing': 'warn',
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
  'entries.not-dropped': 'warn',
  'cache.failed': 'warn',
  'value.not-cached': 'warn',
  'cache.statistics': 'debug',
  'batch.sealed': 'debug',
  'batch.written': 'debug',
  'batch.applied': 'debug',
  'batch.acked': 'debug',
  'batch.late': 'debug',
  'batch.failed': 'error',
  'batch.void': 'debug',
  'batch.split': 'warn',
  'record.refused': 'error',
  'dead-letter.not-shown': 'warn',
  'dead-letter.not-hidden': 'warn',
  'dead-letter.not-compared': 'warn',
  'database.away': 'error',
  'database.back': 'info',
  'redis.regressed': 'error',
  'counter.rows-missing': 'warn',
  'rows.overtaken': 'warn',
  'board.audit': 'info',
  'stores.paused': 'warn',
  'rows.foreign': 'warn',
  'changes.opened': 'info',
  'changes.lost': 'error',
  'changes.dropped': 'debug',
  'changes.not-dropped': 'warn',
  'changes.ids-unknown': 'warn',
  'entries.audited': 'debug',
  'entry.stale': 'warn',
  'entries.not-audited': 'warn',
  'lane.woken': 'info',
  'sweep.failed': 'warn',
  'mark.not-renewed': 'warn',
  'ledger.not-compared': 'warn',
  'job.failed': 'error',
  'job.taken': 'debug',
  'job.unknown': 'warn',
  'close.failed': 'warn',
  'redis.error': 'warn',
  'breaker.opened': 'error',
  'breaker.closed': 'info',
  'l1.opened': 'debug',
  'l1.closed': 'info',
  'server.warning': 'warn',
  'health.not-served': 'warn',
};

/** Where events are logged: a logger of pino, or what has its four methods. */
export interface EventLogger {
  /** Logs one that is for whoever looks closely. */
  debug(facts: object, message: string): void;
  /** Logs one that is no trouble. */
  info(facts: object, message: string): void;
  /** Logs one that somebody should look at. */
  warn(facts: object, message: string): void;
  /** Logs one that somebody must look at. */
  error(facts: object, message: string): void;
}

/** All of them. */
export const eventTypes: readonly string[] = Object.keys(levels);

/**
 * Logs events, each with its type as the message. Of each kind and reason the first is logged at once, and
 * what repeats as one line for 10 s: with the facts of the last, and their number as `repeated`. Of the level
 * `debug` every one, and of what people did.
 */
export function logEvents(logger: EventLogger): Emit {
  const log = (event: ForebayEvent, repeated?: number): void =>
    logger[levelOf(event)]({ ...withoutType(event), ...(repeated && { repeated }) }, event.type);
  const logLimited = limitRepeats(log);
  return (event) =>
    levelOf(event) === 'debug' || event.type === 'board.audit' ? log(event) : logLimited(event);
}

// A foreign key whose parent is on its way is part of the protocol, not trouble.
function levelOf(event: ForebayEvent): 'debug' | 'info' | 'warn' | 'error' {
  return event.type === 'batch.failed' && event.reason === 'not-yet' ? 'info' : levels[event.type];
}

function withoutType(event: ForebayEvent): object {
  const { type: _, ...facts } = event;
  return facts;
}
