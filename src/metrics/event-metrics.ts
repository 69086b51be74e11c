/** What is counted of events, as they are told. */
import { eventTypes } from '../event-log.js';
import type { EventType, ForebayEvent } from '../events.js';
import { splitField } from '../keys.js';
import type { MetricSet } from './metric-set.js';

type Told<T extends EventType> = Extract<ForebayEvent, { type: T }>;
type Counters = { readonly [T in EventType]?: (event: Told<T>, set: MetricSet) => void };

export function countEvents(set: MetricSet): (event: ForebayEvent) => void {
  // The first of a kind shows as an increase only where there was a 0 before.
  for (const type of eventTypes) set.add('forebay_events_total', { type }, 0);
  for (const connection of ['cache', 'reads']) set.set('forebay_breaker_open', { connection }, 0);
  return (event) => {
    set.add('forebay_events_total', { type: event.type });
    (counters[event.type] as ((event: ForebayEvent, set: MetricSet) => void) | undefined)?.(event, set);
  };
}

const counters: Counters = {
  'batch.sealed': ({ lane, size }, set) =>
    set.observe('forebay_batch_size_records', { store: storeOf(lane) }, size),
  'batch.applied': ({ lane, size, applied, ms }, set) => {
    addBatch(set, lane, applied ? 'applied' : 'skipped', size);
    set.observe('forebay_flush_duration_seconds', { store: storeOf(lane) }, ms / 1_000);
  },
  'batch.acked': ({ lane, ageMs }, set) => {
    if (ageMs !== undefined)
      set.observe('forebay_time_to_database_seconds', { store: storeOf(lane) }, ageMs / 1_000);
  },
  'batch.late': ({ lane, size }, set) => addBatch(set, lane, 'late', size),
  'batch.failed': ({ lane }, set) => addBatch(set, lane, 'failed', 0),
  'batch.void': ({ lane }, set) => addBatch(set, lane, 'void', 0),
  'batch.split': ({ lane, waiting }, set) => addRecords(set, storeOf(lane), 'waiting', waiting),
  'record.refused': ({ field }, set) => addRecords(set, splitField(field).store, 'refused', 1),
  'rows.overtaken': ({ store, count }, set) => addRecords(set, store, 'overtaken', count),
  'rows.foreign': ({ store, count }, set) => addRecords(set, store, 'foreign', count),
  'entries.audited': ({ store, consistent, stale }, set) => {
    set.add('forebay_audited_entries_total', { store, outcome: 'consistent' }, consistent);
    set.add('forebay_audited_entries_total', { store, outcome: 'stale' }, stale);
  },
  'counter.rows-missing': ({ store, count }, set) => addRecords(set, store, 'missing', count),
  'database.away': (_, set) => set.set('forebay_database_away', {}, 1),
  'database.back': ({ ms }, set) => {
    set.set('forebay_database_away', {}, 0);
    set.add('forebay_database_away_seconds_total', {}, ms / 1_000);
  },
  'breaker.opened': ({ connection }, set) => set.set('forebay_breaker_open', { connection }, 1),
  'breaker.closed': ({ connection }, set) => set.set('forebay_breaker_open', { connection }, 0),
  'job.taken': ({ queue, waitMs }, set) => set.observe('forebay_job_wait_seconds', { queue }, waitMs / 1_000),
  'schedule.skipped': ({ schedule }, set) => addTick(set, schedule, 'skipped'),
  'schedule.missed': ({ schedule }, set) => addTick(set, schedule, 'missed'),
  'schedule.failed': ({ schedule }, set) => addTick(set, schedule, 'failed'),
  'refresh.failed': ({ store }, set) => set.add('forebay_refresh_failures_total', { store }),
};

/** Lanes are many, stores are few. */
function storeOf(lane: string): string {
  return lane.slice(0, lane.lastIndexOf('/'));
}

function addBatch(set: MetricSet, lane: string, outcome: string, records: number): void {
  const store = storeOf(lane);
  set.add('forebay_batches_total', { store, outcome });
  if (records > 0) addRecords(set, store, outcome, records);
}

function addRecords(set: MetricSet, store: string, outcome: string, count: number): void {
  if (count > 0) set.add('forebay_records_total', { store, outcome }, count);
}

function addTick(set: MetricSet, schedule: string, outcome: string): void {
  set.add('forebay_schedule_ticks_total', { schedule, outcome });
}
