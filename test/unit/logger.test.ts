/** What is logged of an event, and at which level. */

import { pino } from 'pino';
import { describe, expect, it, test } from 'vitest';
import { StatisticsCounter } from '../../src/cache/statistics.js';
import { ForebayError } from '../../src/errors.js';
import type { EventType, ForebayEvent } from '../../src/events.js';
import { createLogger, logEvents } from '../../src/logger.js';

/** What a logger of forebay writes, line by line, as JSON. */
function logged(level: string, ...events: ForebayEvent[]): Record<string, unknown>[] {
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger({ name: 'app', level });
  const stream = { write: (line: string) => lines.push(JSON.parse(line)) };
  const emit = logEvents(Object.assign(logger, { [pino.symbols.streamSym]: stream }));
  for (const event of events) emit(event);
  return lines;
}

const lane = 'tasks/3';
const error = new Error('broken');
const failed = { type: 'batch.failed', lane, number: '17', retryMs: 50, error } as const;

/** An event of each type, with the level at which it is logged. */
const events: Record<EventType, [ForebayEvent, string]> = {
  'wake.failed': [{ type: 'wake.failed', lane, error }, 'warn'],
  'refresh.not-asked': [{ type: 'refresh.not-asked', store: 'dashboards', id: '1', error }, 'warn'],
  'refresh.crowded': [{ type: 'refresh.crowded', waiting: 10_000 }, 'warn'],
  'refresh.failed': [
    { type: 'refresh.failed', store: 'dashboards', id: '1', attempt: 1, retryMs: 1_000, error },
    'warn',
  ],
  'warm.failed': [{ type: 'warm.failed', store: 'dashboards', ids: 100, error }, 'warn'],
  'reads.unsent': [{ type: 'reads.unsent', store: 'profiles', error }, 'warn'],
  'schedule.failed': [
    { type: 'schedule.failed', schedule: 'nightly', tick: '2026-01-02T03:00:00.000Z', error },
    'error',
  ],
  'schedule.skipped': [
    { type: 'schedule.skipped', schedule: 'nightly', tick: '2026-01-02T03:00:00.000Z', running: 'nightly@1' },
    'info',
  ],
  'schedule.missed': [
    { type: 'schedule.missed', schedule: 'nightly', tick: '2026-01-02T03:00:00.000Z', isRun: true },
    'warn',
  ],
  'warm.stopped': [{ type: 'warm.stopped', store: 'dashboards', retryMs: 1_000, error }, 'warn'],
  'fill.failed': [{ type: 'fill.failed', store: 'tasks', error }, 'warn'],
  'cache.failed': [{ type: 'cache.failed', key: 'user:profile:1', error }, 'warn'],
  'cache.statistics': [{ type: 'cache.statistics', statistics: new StatisticsCounter().read() }, 'debug'],
  'batch.sealed': [{ type: 'batch.sealed', lane, number: '17', size: 2 }, 'debug'],
  'batch.written': [{ type: 'batch.written', lane, number: '17' }, 'debug'],
  'batch.applied': [{ type: 'batch.applied', lane, number: '17', applied: true, ms: 3 }, 'debug'],
  'batch.acked': [{ type: 'batch.acked', lane, number: '17', size: 2 }, 'debug'],
  'batch.late': [{ type: 'batch.late', lane, number: '17' }, 'info'],
  'batch.failed': [{ ...failed, reason: 'refused' }, 'error'],
  'batch.void': [{ type: 'batch.void', lane, number: '17' }, 'debug'],
  'batch.split': [{ type: 'batch.split', lane, number: '17', rest: 9, dead: 1, waiting: 0 }, 'warn'],
  'record.refused': [{ type: 'record.refused', lane, field: 'tasks:1', state: '23514', error }, 'error'],
  'dead-letter.hidden': [{ type: 'dead-letter.hidden', lane, error }, 'warn'],
  'database.away': [{ type: 'database.away', error }, 'error'],
  'database.back': [{ type: 'database.back', ms: 5_300 }, 'info'],
  'redis.regressed': [
    {
      type: 'redis.regressed',
      lane,
      batch: '1760000000000000',
      ledger: '1760000060000000',
      since: '2025-10-09T08:53:20.000Z',
      until: '2025-10-09T08:54:20.000Z',
    },
    'error',
  ],
  'counter.rows-missing': [{ type: 'counter.rows-missing', lane, store: 'views', count: 1 }, 'warn'],
  'rows.overtaken': [{ type: 'rows.overtaken', lane, store: 'tasks', count: 1 }, 'warn'],
  'lane.woken': [{ type: 'lane.woken', lane }, 'info'],
  'sweep.failed': [{ type: 'sweep.failed', error }, 'warn'],
  'job.failed': [{ type: 'job.failed', job: 'flush tasks/3', error }, 'error'],
  'redis.error': [{ type: 'redis.error', connection: 'reads', error }, 'warn'],
  'breaker.opened': [{ type: 'breaker.opened', connection: 'reads', error }, 'error'],
  'breaker.closed': [{ type: 'breaker.closed', connection: 'reads' }, 'info'],
  'l1.opened': [{ type: 'l1.opened' }, 'debug'],
  'l1.closed': [{ type: 'l1.closed' }, 'info'],
  'server.warning': [{ type: 'server.warning', what: 'appendonly is off', advice: 'Set it.' }, 'warn'],
};

test.each(Object.entries(events))('%s is logged with its facts', (type, [event, level]) => {
  const [line, ...more] = logged('trace', event);
  expect(more).toEqual([]);
  expect(line).toMatchObject({ name: 'app', msg: type, level: pino.levels.values[level] });
  const { type: _, error: __, ...facts } = { error: undefined, ...event };
  expect(line).toMatchObject(facts);
  expect(line).not.toHaveProperty('type');
});

it('a batch that waits for its parents is no trouble, one that the database cannot take is', () => {
  const levels = (['not-yet', 'unavailable', 'refused'] as const).map(
    (reason) => logged('trace', { ...failed, reason })[0]?.level,
  );
  expect(levels).toEqual([30, 50, 50]);
});

it('what is below the level is left out', () => {
  const [sealed] = events['batch.sealed'];
  expect(
    logged('warn', sealed, ...Object.values(events).map(([event]) => event)).map(({ msg }) => msg),
  ).toEqual([
    'wake.failed',
    'refresh.not-asked',
    'refresh.crowded',
    'refresh.failed',
    'warm.failed',
    'reads.unsent',
    'schedule.failed',
    'schedule.missed',
    'warm.stopped',
    'fill.failed',
    'cache.failed',
    'batch.failed',
    'batch.split',
    'record.refused',
    'dead-letter.hidden',
    'database.away',
    'redis.regressed',
    'counter.rows-missing',
    'rows.overtaken',
    'sweep.failed',
    'job.failed',
    'redis.error',
    'breaker.opened',
    'server.warning',
  ]);
});

describe('an error is logged without its fields', () => {
  const secrets = {
    password: 's3cret',
    row: { email: 's3cret' },
    cause: new Error('s3cret'),
    stack: 's3cret',
  };
  const lineOf = (thrown: unknown) => logged('trace', { type: 'sweep.failed', error: thrown })[0];

  test.each<[string, unknown, object]>([
    [
      "a driver's",
      Object.assign(new TypeError('no route'), secrets, { code: 's3cret', meta: { query: 's3cret' } }),
      { name: 'TypeError', message: 'no route' },
    ],
    [
      "forebay's own, but with its code",
      new ForebayError('CLOSED', 'Closed.', { cause: secrets.cause, context: { row: secrets.row } }),
      { code: 'CLOSED', message: 'Closed.' },
    ],
    ['a text', 'broken', { name: 'string', message: 'broken' }],
    ['an object', secrets, { name: 'object', message: '[object Object]' }],
  ])('%s', (_, thrown, facts) => {
    const line = lineOf(thrown);
    expect(line?.error).toEqual(facts);
    expect(JSON.stringify(line)).not.toContain('s3cret');
  });
});
