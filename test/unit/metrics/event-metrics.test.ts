/** Each metric that comes of events moves with the event that it is of, and no other one does. */
import { Registry } from 'prom-client';
import { expect, it, test } from 'vitest';
import type { ForebayEvent } from '../../../src/events.js';
import { catalogue, type MetricDefinition } from '../../../src/metrics/catalogue.js';
import { countEvents } from '../../../src/metrics/event-metrics.js';
import { MetricSet } from '../../../src/metrics/metric-set.js';
import { samplesOf } from '../../support/metric-samples.js';

const lane = 'user/data/3';
const number = '17';
const error = new Error('no');
const ofLane = { lane, number };

const moves: [ForebayEvent, Record<string, number>][] = [
  [
    { type: 'batch.sealed', ...ofLane, size: 40 },
    { 'forebay_batch_size_records_sum{store="user/data"}': 40 },
  ],
  [
    { type: 'batch.applied', ...ofLane, applied: true, size: 40, ms: 250 },
    {
      'forebay_batches_total{store="user/data",outcome="applied"}': 1,
      'forebay_records_total{store="user/data",outcome="applied"}': 40,
      'forebay_flush_duration_seconds_sum{store="user/data"}': 0.25,
    },
  ],
  [
    { type: 'batch.applied', ...ofLane, applied: false, size: 40, ms: 250 },
    {
      'forebay_batches_total{store="user/data",outcome="skipped"}': 1,
      'forebay_records_total{store="user/data",outcome="skipped"}': 40,
      'forebay_flush_duration_seconds_sum{store="user/data"}': 0.25,
    },
  ],
  [
    { type: 'batch.acked', ...ofLane, size: 40, ageMs: 750 },
    { 'forebay_time_to_database_seconds_sum{store="user/data"}': 0.75 },
  ],
  [{ type: 'batch.acked', ...ofLane, size: 40 }, {}],
  [
    { type: 'batch.late', ...ofLane, size: 40 },
    {
      'forebay_batches_total{store="user/data",outcome="late"}': 1,
      'forebay_records_total{store="user/data",outcome="late"}': 40,
    },
  ],
  [
    { type: 'batch.failed', ...ofLane, reason: 'unavailable', retryMs: 1, error },
    { 'forebay_batches_total{store="user/data",outcome="failed"}': 1 },
  ],
  [{ type: 'batch.void', ...ofLane }, { 'forebay_batches_total{store="user/data",outcome="void"}': 1 }],
  [
    { type: 'batch.split', ...ofLane, rest: 9, dead: 1, waiting: 2 },
    { 'forebay_records_total{store="user/data",outcome="waiting"}': 2 },
  ],
  [
    { type: 'record.refused', lane, field: 'users:id:7', state: '23514', error },
    { 'forebay_records_total{store="users",outcome="refused"}': 1 },
  ],
  [
    { type: 'rows.overtaken', lane, store: 'users', count: 3 },
    { 'forebay_records_total{store="users",outcome="overtaken"}': 3 },
  ],
  [
    { type: 'entries.audited', store: 'users', consistent: 9, stale: 1 },
    {
      'forebay_audited_entries_total{store="users",outcome="consistent"}': 9,
      'forebay_audited_entries_total{store="users",outcome="stale"}': 1,
    },
  ],
  [
    { type: 'counter.rows-missing', lane, store: 'views', count: 4 },
    { 'forebay_records_total{store="views",outcome="missing"}': 4 },
  ],
  [{ type: 'database.away', error }, { forebay_database_away: 1 }],
  [{ type: 'database.back', ms: 1_500 }, { forebay_database_away_seconds_total: 1.5 }],
  [{ type: 'breaker.opened', connection: 'reads', error }, { 'forebay_breaker_open{connection="reads"}': 1 }],
  [
    { type: 'job.taken', queue: 'refresh', waitMs: 90 },
    { 'forebay_job_wait_seconds_sum{queue="refresh"}': 0.09 },
  ],
  [
    { type: 'schedule.skipped', schedule: 'nightly', tick: '', running: '' },
    { 'forebay_schedule_ticks_total{schedule="nightly",outcome="skipped"}': 1 },
  ],
  [
    { type: 'schedule.missed', schedule: 'nightly', tick: '', isRun: true },
    { 'forebay_schedule_ticks_total{schedule="nightly",outcome="missed"}': 1 },
  ],
  [
    { type: 'schedule.failed', schedule: 'nightly', tick: '', error },
    { 'forebay_schedule_ticks_total{schedule="nightly",outcome="failed"}': 1 },
  ],
  [
    { type: 'refresh.failed', store: 'profiles', id: '7', attempt: 1, retryMs: 1, error },
    { 'forebay_refresh_failures_total{store="profiles"}': 1 },
  ],
];

/** What an event changes, but for a histogram's buckets and counts. */
async function changesOf(...events: ForebayEvent[]): Promise<Record<string, number>> {
  const registry = new Registry();
  const set = new MetricSet({ registry, sources: new Set(['events']), look: async () => undefined });
  const listener = countEvents(set);
  const before = await samplesOf(registry);
  for (const event of events) listener(event);
  const after = await samplesOf(registry);
  const changed = [...after].filter(([name, value]) => value !== (before.get(name) ?? 0));
  return Object.fromEntries(changed.filter(([name]) => !/_bucket|_count/.test(name)));
}

test.each(moves)('%o moves what is of it', async (event, changes) => {
  const ofType = { [`forebay_events_total{type="${event.type}"}`]: 1 };
  expect(await changesOf(event)).toEqual({ ...ofType, ...changes });
});

it('what was told to be away, or open, is not once it is back', async () => {
  const changes = await changesOf(
    { type: 'database.away', error },
    { type: 'breaker.opened', connection: 'cache', error },
    { type: 'breaker.closed', connection: 'cache' },
    { type: 'database.back', ms: 10 },
  );
  expect(Object.keys(changes).filter((name) => /_away$|breaker_open/.test(name))).toEqual([]);
});

it('every metric of events is among these', () => {
  const ofEvents = (Object.entries(catalogue) as [string, MetricDefinition][])
    .filter(([, { from }]) => from === 'events')
    .map(([name]) => name);
  const moved = new Set([
    'forebay_events_total',
    ...moves.flatMap(([, changes]) =>
      Object.keys(changes).map((name) => name.replace(/(_sum)?(\{.*)?$/, '')),
    ),
  ]);
  expect([...moved].sort()).toEqual(ofEvents.sort());
});

it('no label is of what there is without bound: ids, keys, numbers, errors', async () => {
  const secrets = ['id:7', 'batch 17', 'no'];
  const all = await changesOf(...moves.map(([event]) => event));
  const values = Object.keys(all).flatMap((name) =>
    [...name.matchAll(/="([^"]*)"/g)].map(([, value]) => value as string),
  );
  expect(values.filter((value) => secrets.some((secret) => value === secret || value === number))).toEqual(
    [],
  );
});
