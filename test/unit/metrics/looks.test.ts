/** What is asked at a scrape: every metric of it has its number, and none where there is no answer. */
import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { StatisticsCounter } from '../../../src/cache/statistics.js';
import { cacheKey, cacheKeys } from '../../../src/definitions/cache-key.js';
import { catalogue, type MetricDefinition } from '../../../src/metrics/catalogue.js';
import type { Looks } from '../../../src/metrics/looks.js';
import { metricsOf } from '../../../src/metrics.js';
import { samplesOf } from '../../support/metric-samples.js';

cacheKeys('measured', { page: cacheKey<string>(60) });

const counts = {
  dirty: 1,
  sealed: 2,
  waiting: 3,
  dead: 4,
  oldestDirtyAgeMs: 5_500,
  persisted: 6,
  batches: 7,
};
const statistics = new StatisticsCounter();
Object.assign(statistics.of('users:1'), {
  hits: 10,
  l1Hits: 4,
  staleHits: 1,
  misses: 2,
  waits: 3,
  loads: 5,
  loadFailures: 6,
  sets: 7,
  deletes: 8,
  errors: 9,
});
statistics.of('measured:page:1').misses = 21;
statistics.of('a-key-with-an-id-7').misses = 1;
statistics.of('another').misses = 2;
statistics.took(250);

const looks: Required<Looks> = {
  backlog: async () => ({ ...counts, byStore: { users: counts } }),
  cache: async () => ({ statistics: statistics.read(), stores: ['users'] }),
  redis: async () => ({ connections: 5, reconnects: 1, errors: 2, commands: 30, uptimeMs: 1 }),
  needs: async () => [
    { name: 'redis', ok: true },
    { name: 'database', ok: false, reason: 'away' },
  ],
  jobs: async () => ({ queue: 'refresh', waiting: 12 }),
  batches: async () => 1_500,
  schedules: async () => [
    { schedule: 'soon', next: new Date(Date.now() + 60_000).toISOString() },
    { schedule: 'overdue', next: new Date(Date.now() - 60_000).toISOString() },
  ],
};

const told = {
  'forebay_oldest_dirty_age_seconds{store="users"}': 5.5,
  'forebay_dirty_records{store="users"}': 1,
  'forebay_sealed_records{store="users"}': 2,
  'forebay_waiting_records{store="users"}': 3,
  'forebay_dead_letters{store="users"}': 4,
  'forebay_persisted_records_total{store="users"}': 6,
  'forebay_persisted_batches_total{store="users"}': 7,
  'forebay_cache_hits_total{namespace="users",tier="memory"}': 4,
  'forebay_cache_hits_total{namespace="users",tier="redis"}': 6,
  'forebay_cache_stale_hits_total{namespace="users"}': 1,
  'forebay_cache_misses_total{namespace="users"}': 2,
  'forebay_cache_misses_total{namespace="measured"}': 21,
  'forebay_cache_misses_total{namespace="other"}': 3,
  'forebay_cache_waits_total{namespace="users"}': 3,
  'forebay_cache_loads_total{namespace="users"}': 5,
  'forebay_cache_load_failures_total{namespace="users"}': 6,
  'forebay_cache_sets_total{namespace="users"}': 7,
  'forebay_cache_deletes_total{namespace="users"}': 8,
  'forebay_cache_errors_total{namespace="users"}': 9,
  forebay_cache_redis_calls_total: 1,
  forebay_cache_redis_seconds_total: 0.25,
  forebay_redis_connections: 5,
  forebay_redis_reconnects_total: 1,
  forebay_redis_errors_total: 2,
  forebay_redis_commands_total: 30,
  'forebay_up{what="redis"}': 1,
  'forebay_up{what="database"}': 0,
  'forebay_queue_waiting_jobs{queue="refresh"}': 12,
  forebay_oldest_batch_in_hand_seconds: 1.5,
  'forebay_schedule_lag_seconds{schedule="soon"}': 0,
};

it('every metric that is looked for has what was answered, however often it is scraped', async () => {
  const { registry } = metricsOf({ looks });
  for (let scrape = 0; scrape < 3; scrape++) {
    const samples = await samplesOf(registry);
    for (const [name, value] of Object.entries(told))
      expect([name, samples.get(name)]).toEqual([name, value]);
    expect(samples.get('forebay_schedule_lag_seconds{schedule="overdue"}')).toBeCloseTo(60, 0);
  }
  const lookedFor = (Object.entries(catalogue) as [string, MetricDefinition][])
    .filter(([, { from }]) => from !== 'events')
    .map(([name]) => name);
  const names = new Set(Object.keys(told).map((name) => name.replace(/\{.*/, '')));
  expect([...names].sort()).toEqual(lookedFor.sort());
});

it('one scrape asks each thing once, however many metrics come of it', async () => {
  let asked = 0;
  const { text } = metricsOf({
    looks: {
      backlog: () => {
        asked += 1;
        return looks.backlog();
      },
    },
  });
  await text();
  expect(asked).toBe(1);
});

it('what has no answer, or none in time, is not told of; the rest is', async () => {
  let answer = looks.backlog;
  const { registry } = metricsOf({ looks: { ...looks, backlog: () => answer() } });
  const isTold = async () => (await samplesOf(registry)).has('forebay_dirty_records{store="users"}');
  expect(await isTold()).toBe(true);
  answer = () => Promise.reject(new Error('Redis is away'));
  expect(await isTold()).toBe(false);
  answer = () => new Promise(() => undefined);
  expect(await isTold()).toBe(false);
  expect((await samplesOf(registry)).get('forebay_up{what="redis"}')).toBe(1);
});

it('a process has only the metrics of what it can be asked, and none once it is stopped', async () => {
  const registry = new Registry();
  const metrics = metricsOf({ looks: { jobs: looks.jobs } }, { registry });
  const names = () => registry.getMetricsAsArray().map(({ name }) => name);
  expect(names()).toContain('forebay_queue_waiting_jobs');
  expect(names()).not.toContain('forebay_dirty_records');
  metrics.stop();
  expect(names()).toEqual([]);
  metricsOf({ looks: { jobs: looks.jobs } }, { registry });
});
