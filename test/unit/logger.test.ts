/** What is logged of an event, and at which level. */

import { afterEach, beforeEach, describe, expect, it, test, vi } from 'vitest';
import { StatisticsCounter } from '../../src/cache/statistics.js';
import { ForebayError } from '../../src/errors.js';
import { logEvents } from '../../src/event-log.js';
import type { Emit, EventType, ForebayEvent } from '../../src/events.js';
import { createLogger } from '../../src/logger.js';
import { pino } from '../../src/peers/pino.js';

/** What a logger of forebay writes, line by line, as JSON. */
function logged(level: string, ...events: ForebayEvent[]): Record<string, unknown>[] {
  const lines: Record<string, unknown>[] = [];
  const emit = emitInto(lines, level);
  for (const event of events) emit(event);
  return lines;
}

function emitInto(lines: Record<string, unknown>[], level = 'trace'): Emit {
  const logger = createLogger({ name: 'app', level });
  const stream = { write: (line: string) => lines.push(JSON.parse(line)) };
  return logEvents(Object.assign(logger, { [pino.symbols.streamSym]: stream }));
}

const lane = 'tasks/3';
const error = new Error('broken');
const failed = { type: 'batch.failed', lane, number: '17', retryMs: 50, error } as const;

/** An event of each type, with the level at which it is logged. */
const events: Record<EventType, [ForebayEvent, string]> = {
  'queue.missing': [{ type: 'queue.missing', install: 'npm install bullmq' }, 'warn'],
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
  'entries.not-dropped': [{ type: 'entries.not-dropped', store: 'tasks', error }, 'warn'],
  'cache.failed': [{ type: 'cache.failed', key: 'user:profile:1', error }, 'warn'],
  'value.not-cached': [{ type: 'value.not-cached', key: 'user:profile:1', error }, 'warn'],
  'cache.statistics': [{ type: 'cache.statistics', statistics: new StatisticsCounter().read() }, 'debug'],
  'batch.sealed': [{ type: 'batch.sealed', lane, number: '17', size: 2 }, 'debug'],
  'batch.written': [{ type: 'batch.written', lane, number: '17' }, 'debug'],
  'batch.applied': [{ type: 'batch.applied', lane, number: '17', applied: true, size: 5, ms: 3 }, 'debug'],
  'batch.acked': [{ type: 'batch.acked', lane, number: '17', size: 2 }, 'debug'],
  'batch.late': [{ type: 'batch.late', lane, number: '17', size: 5 }, 'debug'],
  'batch.failed': [{ ...failed, reason: 'refused' }, 'error'],
  'batch.void': [{ type: 'batch.void', lane, number: '17' }, 'debug'],
  'batch.split': [{ type: 'batch.split', lane, number: '17', rest: 9, dead: 1, waiting: 0 }, 'warn'],
  'record.refused': [{ type: 'record.refused', lane, field: 'tasks:1', state: '23514', error }, 'error'],
  'dead-letter.not-shown': [{ type: 'dead-letter.not-shown', lane, field: 'tasks:1', error }, 'warn'],
  'dead-letter.not-hidden': [{ type: 'dead-letter.not-hidden', lane, field: 'tasks:1', error }, 'warn'],
  'dead-letter.not-compared': [{ type: 'dead-letter.not-compared', error }, 'warn'],
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
  'board.audit': [
    {
      type: 'board.audit',
      user: 'ops',
      role: 'operator',
      address: '127.0.0.1',
      what: 'POST /letters/replay',
      status: 303,
    },
    'info',
  ],
  'stores.paused': [{ type: 'stores.paused', stores: ['tasks'] }, 'warn'],
  'rows.foreign': [{ type: 'rows.foreign', store: 'tasks', count: 1 }, 'warn'],
  'changes.opened': [{ type: 'changes.opened', isCold: true }, 'info'],
  'changes.lost': [{ type: 'changes.lost', retryMs: 500, error }, 'error'],
  'entries.audited': [{ type: 'entries.audited', store: 'tasks', consistent: 19, stale: 1 }, 'debug'],
  'entry.stale': [{ type: 'entry.stale', store: 'tasks', id: '1' }, 'warn'],
  'entries.not-audited': [{ type: 'entries.not-audited', error }, 'warn'],
  'changes.dropped': [{ type: 'changes.dropped', transactions: 1, rows: 2, lagMs: 12 }, 'debug'],
  'changes.not-dropped': [{ type: 'changes.not-dropped', retryMs: 500, error }, 'warn'],
  'changes.ids-unknown': [{ type: 'changes.ids-unknown', store: 'dashboards', error }, 'warn'],
  'lane.woken': [{ type: 'lane.woken', lane }, 'info'],
  'sweep.failed': [{ type: 'sweep.failed', error }, 'warn'],
  'mark.not-renewed': [{ type: 'mark.not-renewed', lane, error }, 'warn'],
  'ledger.not-compared': [{ type: 'ledger.not-compared', retryMs: 1_000, error }, 'warn'],
  'job.taken': [{ type: 'job.taken', queue: 'refresh', waitMs: 12 }, 'debug'],
  'job.failed': [{ type: 'job.failed', job: 'flush tasks/3', error }, 'error'],
  'redis.error': [{ type: 'redis.error', connection: 'reads', error }, 'warn'],
  'job.unknown': [
    { type: 'job.unknown', queue: 'warm', job: 'warm users', isSetAside: false, reason: 'No such store.' },
    'warn',
  ],
  'close.failed': [{ type: 'close.failed', what: 'jobs', error }, 'warn'],
  'breaker.opened': [{ type: 'breaker.opened', connection: 'reads', error }, 'error'],
  'breaker.closed': [{ type: 'breaker.closed', connection: 'reads' }, 'info'],
  'l1.opened': [{ type: 'l1.opened' }, 'debug'],
  'l1.closed': [{ type: 'l1.closed' }, 'info'],
  'server.warning': [{ type: 'server.warning', what: 'appendonly is off', advice: 'Set it.' }, 'warn'],
  'health.not-served': [{ type: 'health.not-served', retryMs: 1_000, error }, 'warn'],
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
    'queue.missing',
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
    'entries.not-dropped',
    'cache.failed',
    'value.not-cached',
    'batch.failed',
    'batch.split',
    'record.refused',
    'dead-letter.not-shown',
    'dead-letter.not-hidden',
    'dead-letter.not-compared',
    'database.away',
    'redis.regressed',
    'counter.rows-missing',
    'rows.overtaken',
    'stores.paused',
    'rows.foreign',
    'changes.lost',
    'entry.stale',
    'entries.not-audited',
    'changes.not-dropped',
    'changes.ids-unknown',
    'sweep.failed',
    'mark.not-renewed',
    'ledger.not-compared',
    'job.failed',
    'redis.error',
    'job.unknown',
    'close.failed',
    'breaker.opened',
    'server.warning',
    'health.not-served',
  ]);
});

describe('what repeats', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const woken = (name: string): ForebayEvent => ({ type: 'lane.woken', lane: name });

  it('is one line at once, and one for each interval, with the last one’s facts and their number', () => {
    const lines = logged('trace', ...['a/0', 'a/1', 'a/2'].map(woken));
    expect(lines).toMatchObject([{ msg: 'lane.woken', lane: 'a/0' }]);
    vi.advanceTimersByTime(10_000);
    expect(lines.slice(1)).toMatchObject([{ msg: 'lane.woken', lane: 'a/2', repeated: 2 }]);
    vi.advanceTimersByTime(60_000);
    expect(lines).toHaveLength(2);
  });

  it('is told again at once after an interval without any', () => {
    const lines: Record<string, unknown>[] = [];
    const emit = emitInto(lines);
    emit(woken('a/0'));
    vi.advanceTimersByTime(10_000);
    emit(woken('a/1'));
    expect(lines.map((line) => line.lane)).toEqual(['a/0', 'a/1']);
  });

  it('is told apart by type, connection and what is wrong', () => {
    const others: ForebayEvent[] = [
      woken('a/0'),
      { type: 'redis.error', connection: 'reads', error },
      { type: 'redis.error', connection: 'writes', error },
      { type: 'server.warning', what: 'one', advice: '' },
      { type: 'server.warning', what: 'another', advice: '' },
    ];
    expect(logged('trace', ...others)).toHaveLength(others.length);
  });

  it('is told apart by its reason, however deep that is', () => {
    const reply = (message: string) => Object.assign(new Error(message), { name: 'ReplyError' });
    const prisma = (originalCode: string) =>
      Object.assign(new Error('Invalid query'), {
        code: 'P2010',
        meta: { driverAdapterError: { name: 'DriverAdapterError', cause: { originalCode } } },
      });
    const errors = [
      reply("READONLY You can't write against a read only replica."),
      reply('ERR Error running script: MISCONF Redis is configured to save'),
      reply('LOADING Redis is loading'),
      new ForebayError('REDIS_REFUSED', 'x', { cause: reply('READONLY x') }),
      new ForebayError('REDIS_REFUSED', 'x', { cause: reply('OOM x') }),
      prisma('25006'),
      prisma('53300'),
      Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }),
      new TypeError('x'),
    ];
    const told = (error: unknown): ForebayEvent => ({ type: 'job.failed', job: 'flush', error });
    expect(logged('trace', ...errors.map(told))).toHaveLength(errors.length);
  });

  const error2 = new Error('another row');
  const losses: readonly (readonly [string, ForebayEvent, ForebayEvent])[] = [
    [
      'a failure of another batch',
      { ...failed, reason: 'unavailable' },
      { ...failed, lane: 'a/0', reason: 'unavailable', error: error2 },
    ],
    ['a record that is refused for the same', refusedOf('tasks:1'), refusedOf('tasks:2')],
    [
      'a job that fails',
      { type: 'job.failed', job: 'a', error },
      { type: 'job.failed', job: 'b', error: error2 },
    ],
  ];
  it.each(losses)('is one line also as an error: %s', (_, first, second) => {
    const lines = logged('trace', first, second, second);
    expect(lines).toHaveLength(1);
    vi.advanceTimersByTime(10_000);
    expect(lines[1]).toMatchObject({ msg: second.type, repeated: 2 });
  });

  it('is told at the latest when the process ends', () => {
    const lines = logged('trace', ...['a/0', 'a/1', 'a/2'].map(woken));
    for (const listener of process.listeners('exit')) listener.call(process, 0);
    expect(lines.slice(1)).toMatchObject([{ msg: 'lane.woken', lane: 'a/2', repeated: 2 }]);
  });

  it('is told for each lane that has lost something', () => {
    const [regressed] = events['redis.regressed'];
    expect(logged('trace', regressed, { ...regressed, lane: 'a/0' } as ForebayEvent)).toHaveLength(2);
  });

  it('is never left out, whatever the order: what is told and its number are all that there was', () => {
    const lines: Record<string, unknown>[] = [];
    const emit = emitInto(lines);
    for (let i = 0; i < 1_000; i++) {
      emit(woken(`a/${i}`));
      vi.advanceTimersByTime((i * 7_919) % 313);
    }
    vi.advanceTimersByTime(20_000);
    const counted = lines.map(({ repeated }) => (repeated as number | undefined) ?? 1);
    expect(counted.reduce((sum, one) => sum + one, 0)).toBe(1_000);
    expect(lines.length).toBeLessThan(20);
  });
});

function refusedOf(field: string): ForebayEvent {
  return { type: 'record.refused', lane, field, state: '23514', error };
}

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
