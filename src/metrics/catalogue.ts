/** Every metric: its kind, its labels and what it says. docs/metrics.md has the same table. */

/** Where a metric comes from; a process has those of what it can be asked. */
export type MetricSource =
  /** What happens, as it is told. */
  | 'events'
  /** What waits in the lanes, asked at each scrape. */
  | 'backlog'
  /** What the cache has counted. */
  | 'cache'
  /** What the connections to Redis went through. */
  | 'redis'
  /** Whether what the process needs answers. */
  | 'needs'
  /** The queue whose jobs it takes. */
  | 'jobs'
  /** The batches that it has in hand. */
  | 'batches'
  /** The schedules. */
  | 'schedules';

export interface MetricDefinition {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly from: MetricSource;
  readonly labels: readonly string[];
  readonly help: string;
  /** Of a histogram. */
  readonly buckets?: readonly number[];
}

const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const waits = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3_600];
const sizes = [1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000];
const store = ['store'] as const;
/** Of keys: a store's name, or what `cacheKeys` has defined; of all others: other. */
const namespace = ['namespace'] as const;

export const catalogue = {
  forebay_oldest_dirty_age_seconds: {
    kind: 'gauge',
    from: 'backlog',
    labels: store,
    help: 'Age of the oldest accepted write that is not in the database, over all processes; 0 when there is none.',
  },
  forebay_dirty_records: {
    kind: 'gauge',
    from: 'backlog',
    labels: store,
    help: 'Records that wait for a batch, over all processes.',
  },
  forebay_sealed_records: {
    kind: 'gauge',
    from: 'backlog',
    labels: store,
    help: 'Records in batches that are on their way to the database, over all processes.',
  },
  forebay_waiting_records: {
    kind: 'gauge',
    from: 'backlog',
    labels: store,
    help: "Records that wait for others' rows or their tenant's turn, over all processes.",
  },
  forebay_dead_letters: {
    kind: 'gauge',
    from: 'backlog',
    labels: store,
    help: 'Records that the database refused, kept until they are replayed, superseded or discarded.',
  },
  forebay_persisted_records_total: {
    kind: 'counter',
    from: 'backlog',
    labels: store,
    help: 'Records that workers have persisted, over all processes.',
  },
  forebay_persisted_batches_total: {
    kind: 'counter',
    from: 'backlog',
    labels: store,
    help: 'Batches that workers have persisted, over all processes.',
  },
  forebay_batches_total: {
    kind: 'counter',
    from: 'events',
    labels: ['store', 'outcome'],
    help: 'Batches of this worker: applied, skipped (applied before), late (another worker acknowledged it), failed (tried again), void (some of it was refused).',
  },
  forebay_records_total: {
    kind: 'counter',
    from: 'events',
    labels: ['store', 'outcome'],
    help: 'Records of this worker: applied, skipped, late, refused (a dead letter), waiting (for another row), overtaken (the row had a newer version), foreign (another writer changed the row meanwhile), missing (a delta without its row).',
  },
  forebay_batch_size_records: {
    kind: 'histogram',
    from: 'events',
    labels: store,
    help: 'Records of a sealed batch.',
    buckets: sizes,
  },
  forebay_flush_duration_seconds: {
    kind: 'histogram',
    from: 'events',
    labels: store,
    help: "A batch's transaction.",
    buckets: seconds,
  },
  forebay_time_to_database_seconds: {
    kind: 'histogram',
    from: 'events',
    labels: store,
    help: 'From the acceptance of the oldest write in a batch until the batch is acknowledged: its receipt is settled then.',
    buckets: waits,
  },
  forebay_oldest_batch_in_hand_seconds: {
    kind: 'gauge',
    from: 'batches',
    labels: [],
    help: 'For how long this worker has had a batch in hand, of the one that it has longest; 0 when it has none.',
  },
  forebay_events_total: {
    kind: 'counter',
    from: 'events',
    labels: ['type'],
    help: 'Events by their types: batch.failed, lane.woken, redis.regressed, …',
  },
  forebay_up: {
    kind: 'gauge',
    from: 'needs',
    labels: ['what'],
    help: '1: what the process needs (redis, queue redis, database, lanes) answers, as /ready says it; else 0.',
  },
  forebay_database_away: {
    kind: 'gauge',
    from: 'events',
    labels: [],
    help: '1: this worker applies nothing, for the database does not answer; else 0.',
  },
  forebay_database_away_seconds_total: {
    kind: 'counter',
    from: 'events',
    labels: [],
    help: 'For how long the database did not answer this worker, in outages that are over.',
  },
  forebay_breaker_open: {
    kind: 'gauge',
    from: 'events',
    labels: ['connection'],
    help: '1: Redis is not asked by these reads (cache: values; reads: rows and counters), for it does not answer; else 0.',
  },
  forebay_redis_connections: {
    kind: 'gauge',
    from: 'redis',
    labels: [],
    help: 'Connections to Redis that are up.',
  },
  forebay_redis_reconnects_total: {
    kind: 'counter',
    from: 'redis',
    labels: [],
    help: 'How often a connection to Redis was up again after it was lost.',
  },
  forebay_redis_errors_total: {
    kind: 'counter',
    from: 'redis',
    labels: [],
    help: 'Errors of connections to Redis.',
  },
  forebay_redis_commands_total: {
    kind: 'counter',
    from: 'redis',
    labels: [],
    help: 'Commands that were given to Redis.',
  },
  forebay_cache_hits_total: {
    kind: 'counter',
    from: 'cache',
    labels: ['namespace', 'tier'],
    help: "Reads answered with what was cached, by tier: memory (this process's) or redis.",
  },
  forebay_cache_stale_hits_total: {
    kind: 'counter',
    from: 'cache',
    labels: namespace,
    help: 'Of the hits, those with a value in its grace.',
  },
  forebay_cache_misses_total: {
    kind: 'counter',
    from: 'cache',
    labels: namespace,
    help: 'Reads that found nothing, or what could not be served.',
  },
  forebay_cache_waits_total: {
    kind: 'counter',
    from: 'cache',
    labels: namespace,
    help: 'Misses that waited for what somebody else loads.',
  },
  forebay_cache_loads_total: {
    kind: 'counter',
    from: 'cache',
    labels: namespace,
    help: 'Values, rows and counters that were loaded.',
  },
  forebay_cache_load_failures_total: {
    kind: 'counter',
    from: 'cache',
    labels: namespace,
    help: 'Loads that failed, or took too long.',
  },
  forebay_cache_sets_total: {
    kind: 'counter',
    from: 'cache',
    labels: namespace,
    help: 'Values that were set, written or counted.',
  },
  forebay_cache_deletes_total: {
    kind: 'counter',
    from: 'cache',
    labels: namespace,
    help: 'Values that were deleted by their keys.',
  },
  forebay_cache_errors_total: {
    kind: 'counter',
    from: 'cache',
    labels: namespace,
    help: 'Calls that Redis did not answer.',
  },
  forebay_cache_redis_calls_total: {
    kind: 'counter',
    from: 'cache',
    labels: [],
    help: 'Reads of entries that Redis answered.',
  },
  forebay_cache_redis_seconds_total: {
    kind: 'counter',
    from: 'cache',
    labels: [],
    help: 'What those took together.',
  },
  forebay_audited_entries_total: {
    kind: 'counter',
    from: 'events',
    labels: ['store', 'outcome'],
    help: 'Entries of rows and counters that the change worker has compared with the database: consistent (as it within 1 s), stale.',
  },
  forebay_queue_waiting_jobs: {
    kind: 'gauge',
    from: 'jobs',
    labels: ['queue'],
    help: 'Jobs that wait for a worker of this role; 0 while the queue is paused.',
  },
  forebay_job_wait_seconds: {
    kind: 'histogram',
    from: 'events',
    labels: ['queue'],
    help: 'From when a job could have been taken until it was: the lag of refreshes, of warming and of schedules.',
    buckets: waits,
  },
  forebay_schedule_lag_seconds: {
    kind: 'gauge',
    from: 'schedules',
    labels: ['schedule'],
    help: 'For how long the next tick of a schedule is overdue; 0 when it is not.',
  },
  forebay_schedule_ticks_total: {
    kind: 'counter',
    from: 'events',
    labels: ['schedule', 'outcome'],
    help: 'Ticks that went otherwise than planned: skipped (the run before was not over), missed (no scheduler was there), failed (the run could not be added).',
  },
  forebay_refresh_failures_total: {
    kind: 'counter',
    from: 'events',
    labels: store,
    help: 'Values that this worker could not compute anew; it tries again.',
  },
} as const satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof catalogue;
