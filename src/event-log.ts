/** What is logged: the level of each event, and how often one that repeats is told. */
import type { Emit, EventType, ForebayEvent } from './events.js';
import type { Logger } from './logger.js';

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

/** All of them. */
export const eventTypes: readonly string[] = Object.keys(levels);

/** Of a kind of warning that repeats, a line comes so often at most. */
const repeatMs = 10_000;

/**
 * Logs events, each with its type as the message. Of warnings and infos the first of a kind is logged at
 * once, and what repeats as one line for an interval: with the facts of the last, and their number as
 * `repeated`. Of what people did each is logged.
 */
export function logEvents(logger: Logger): Emit {
  const repeats = new Map<string, Repeats>();
  const log = (event: ForebayEvent, more: object = {}): void =>
    logger[levelOf(event)]({ ...withoutType(event), ...more }, event.type);
  const tell = (kind: string): void => {
    const told = repeats.get(kind);
    repeats.delete(kind);
    if (!told?.last) return;
    log(told.last, { repeated: told.count });
    begin(kind);
  };
  const begin = (kind: string): void => {
    repeats.set(kind, { count: 0, last: undefined });
    setTimeout(() => tell(kind), repeatMs).unref();
  };
  return (event) => {
    const level = levelOf(event);
    if (level === 'debug' || level === 'error' || event.type === 'board.audit') return log(event);
    const kind = kindOf(event);
    const told = repeats.get(kind);
    if (!told) {
      begin(kind);
      return log(event);
    }
    told.count += 1;
    told.last = event;
  };
}

interface Repeats {
  count: number;
  last: ForebayEvent | undefined;
}

/** What is one line when it repeats. */
function kindOf(event: ForebayEvent): string {
  const what = 'what' in event ? event.what : 'connection' in event ? event.connection : '';
  return `${event.type} ${what}`;
}

// A foreign key whose parent is on its way is part of the protocol, not trouble.
function levelOf(event: ForebayEvent): 'debug' | 'info' | 'warn' | 'error' {
  return event.type === 'batch.failed' && event.reason === 'not-yet' ? 'info' : levels[event.type];
}

function withoutType(event: ForebayEvent): object {
  const { type: _, ...facts } = event;
  return facts;
}
