/** What a process can be asked at each scrape, and what becomes of the answers. */
import type { Backlog } from '../buffer/backlog.js';
import type { CacheCounts, CacheStatistics } from '../cache-statistics.js';
import type { RedisMetrics } from '../connection/connection-metrics.js';
import { inTime } from '../connection/deadline.js';
import { definedNamespaces } from '../definitions/cache-key.js';
import type { CheckResult } from '../vitals/health.js';
import type { MetricName, MetricSource } from './catalogue.js';
import type { MetricSet, Sample } from './metric-set.js';

/** What a process can be asked for its metrics. */
export interface Looks {
  /** What waits in the lanes. */
  readonly backlog?: () => Promise<Backlog>;
  /** What the cache has counted, and the stores that are counted by their names. */
  readonly cache?: () => Promise<CountedCache>;
  /** What the connections to Redis went through. */
  readonly redis?: () => Promise<RedisMetrics>;
  /** Whether what it needs answers. */
  readonly needs?: () => Promise<readonly CheckResult[]>;
  /** How many jobs wait, of the queue whose jobs it takes. */
  readonly jobs?: () => Promise<{ readonly queue: string; readonly waiting: number }>;
  /** For how long it has had a batch in hand, in ms. */
  readonly batches?: () => Promise<number>;
  /** When each schedule is due next. */
  readonly schedules?: () => Promise<readonly { readonly schedule: string; readonly next: string }[]>;
}

/** What a cache has counted. */
export interface CountedCache {
  /** What it has counted, by namespace: a store's name is one. */
  readonly statistics: CacheStatistics;
  /** Names of stores. */
  readonly stores: readonly string[];
}

/** What is asked after this long has no answer: Prometheus waits for 10 s. */
const lookMaxMs = 2_000;

export class LookedAt {
  readonly #looks: Looks;
  #set: MetricSet | undefined;
  #looking: Promise<void> | undefined;

  constructor(looks: Looks) {
    this.#looks = looks;
  }

  get sources(): MetricSource[] {
    return Object.keys(this.#looks) as (keyof Looks)[];
  }

  fill(set: MetricSet): void {
    this.#set = set;
  }

  /** Once for a scrape, of which each metric asks for it. */
  look(): Promise<void> {
    this.#looking ??= this.#lookAtAll().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #lookAtAll(): Promise<void> {
    const { backlog, cache, redis, needs, jobs, batches, schedules } = this.#looks;
    await Promise.all([
      this.#tell(backlog, backlogSamples),
      this.#tell(cache, cacheSamples),
      this.#tell(redis, redisSamples),
      this.#tell(needs, needsSamples),
      this.#tell(jobs, jobsSamples),
      this.#tell(batches, batchesSamples),
      this.#tell(schedules, schedulesSamples),
    ]);
  }

  /** What has no answer is not told of: an old number would look like a new one. */
  async #tell<T>(
    look: (() => Promise<T>) | undefined,
    samplesOf: (value: T | undefined) => Samples,
  ): Promise<void> {
    if (look === undefined) return;
    const value = await inTime(look(), lookMaxMs).catch(() => undefined);
    for (const [name, samples] of Object.entries(samplesOf(value)) as [MetricName, readonly Sample[]][]) {
      this.#set?.replace(name, samples);
    }
  }
}

type Samples = { readonly [Name in MetricName]?: readonly Sample[] };

function backlogSamples(backlog: Backlog | undefined): Samples {
  const stores = Object.entries(backlog?.byStore ?? {});
  const of = (pick: (counts: Backlog['byStore'][string]) => number) =>
    stores.map(([store, counts]): Sample => [{ store }, pick(counts)]);
  return {
    forebay_oldest_dirty_age_seconds: of(({ oldestDirtyAgeMs }) => oldestDirtyAgeMs / 1_000),
    forebay_dirty_records: of(({ dirty }) => dirty),
    forebay_sealed_records: of(({ sealed }) => sealed),
    forebay_waiting_records: of(({ waiting }) => waiting),
    forebay_dead_letters: of(({ dead }) => dead),
    forebay_persisted_records_total: of(({ persisted }) => persisted),
    forebay_persisted_batches_total: of(({ batches }) => batches),
  };
}

function cacheSamples(counted: CountedCache | undefined): Samples {
  if (counted === undefined) return {};
  const { byNamespace, latency } = counted.statistics;
  const counts = Object.entries(byNamespace);
  // A key without a namespace would be one of its own.
  const named = new Set([...counted.stores, ...definedNamespaces()]);
  // Counters take what is other together: each namespace adds to it.
  const of = (pick: (counts: CacheCounts) => number, labels: Readonly<Record<string, string>> = {}) =>
    counts.map(
      ([name, one]): Sample => [{ namespace: named.has(name) ? name : 'other', ...labels }, pick(one)],
    );
  return {
    forebay_cache_hits_total: [
      ...of(({ l1Hits }) => l1Hits, { tier: 'memory' }),
      ...of(({ hits, l1Hits }) => hits - l1Hits, { tier: 'redis' }),
    ],
    forebay_cache_stale_hits_total: of(({ staleHits }) => staleHits),
    forebay_cache_misses_total: of(({ misses }) => misses),
    forebay_cache_waits_total: of(({ waits }) => waits),
    forebay_cache_loads_total: of(({ loads }) => loads),
    forebay_cache_load_failures_total: of(({ loadFailures }) => loadFailures),
    forebay_cache_sets_total: of(({ sets }) => sets),
    forebay_cache_deletes_total: of(({ deletes }) => deletes),
    forebay_cache_errors_total: of(({ errors }) => errors),
    forebay_cache_redis_calls_total: [[{}, latency.count]],
    forebay_cache_redis_seconds_total: [[{}, (latency.count * latency.meanMs) / 1_000]],
  };
}

function redisSamples(metrics: RedisMetrics | undefined): Samples {
  if (metrics === undefined) return {};
  return {
    forebay_redis_connections: [[{}, metrics.connections]],
    forebay_redis_reconnects_total: [[{}, metrics.reconnects]],
    forebay_redis_errors_total: [[{}, metrics.errors]],
    forebay_redis_commands_total: [[{}, metrics.commands]],
  };
}

function needsSamples(needs: readonly CheckResult[] = []): Samples {
  return { forebay_up: needs.map(({ name, ok }) => [{ what: name }, ok ? 1 : 0]) };
}

function jobsSamples(jobs: { readonly queue: string; readonly waiting: number } | undefined): Samples {
  return { forebay_queue_waiting_jobs: jobs ? [[{ queue: jobs.queue }, jobs.waiting]] : [] };
}

function batchesSamples(ms = 0): Samples {
  return { forebay_oldest_batch_in_hand_seconds: [[{}, ms / 1_000]] };
}

function schedulesSamples(
  schedules: readonly { readonly schedule: string; readonly next: string }[] = [],
): Samples {
  const lagOf = (next: string): number => Math.max(0, (Date.now() - Date.parse(next)) / 1_000);
  return { forebay_schedule_lag_seconds: schedules.map(({ schedule, next }) => [{ schedule }, lagOf(next)]) };
}
