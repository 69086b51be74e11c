/** Metrics move when what they are of happens: a worker, its app, a scheduler, on real servers. */
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';
import { stores } from '../../examples/platform/stores.js';
import type { Forebay } from '../../src/app/connect.js';
import { queuePrefix } from '../../src/keys.js';
import { type Metrics, metricsOf } from '../../src/metrics.js';
import { Resources } from '../../src/resources.js';
import { takeJobs } from '../../src/services/role/take-jobs.js';
import { SchedulerService } from '../../src/services/scheduler/scheduler.js';
import { defineSchedules } from '../../src/services/scheduler/schedules.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { samplesOf } from '../support/metric-samples.js';

type App = Forebay<(typeof stores)['definitions']>;

let environment: Environment;
let app: App;
let ofApp: Metrics;

beforeEach(async () => {
  environment = await createEnvironment();
  app = await environment.connect(stores);
  ofApp = metricsOf(app);
});

afterEach(() => environment.close());

/** Of each name; 0 of what is not told. */
async function read<Name extends string>(metrics: Metrics, ...names: Name[]): Promise<Record<Name, number>> {
  const samples = await samplesOf(metrics.registry);
  return Object.fromEntries(names.map((name) => [name, samples.get(name) ?? 0])) as Record<Name, number>;
}

const becomes = (metrics: Metrics, expected: Record<string, number>): Promise<void> =>
  expect.poll(() => read(metrics, ...Object.keys(expected)), { interval: 50 }).toMatchObject(expected);

it('what is accepted is told until it is in the database, and then how long that took', async () => {
  await app.stores.projects.putMany([
    { id: 'a', name: 'one' },
    { id: 'b', name: 'two' },
  ]);
  await app.stores.projectTouches.add('a', 1);
  await becomes(ofApp, { 'forebay_dirty_records{store="projects"}': 3 });
  const age = 'forebay_oldest_dirty_age_seconds{store="projects"}';
  expect((await read(ofApp, age))[age]).toBeGreaterThan(0);
  const ofWorker = metricsOf(await environment.startWorker(stores));
  await app.flush();
  await becomes(ofApp, {
    'forebay_dirty_records{store="projects"}': 0,
    'forebay_sealed_records{store="projects"}': 0,
    [age]: 0,
    'forebay_persisted_records_total{store="projects"}': 3,
  });
  await becomes(ofWorker, {
    'forebay_persisted_records_total{store="projects"}': 3,
    'forebay_records_total{store="projects",outcome="applied"}': 3,
    'forebay_batch_size_records_sum{store="projects"}': 3,
    forebay_oldest_batch_in_hand_seconds: 0,
    'forebay_queue_waiting_jobs{queue="write-behind"}': 0,
    'forebay_up{what="redis"}': 1,
    'forebay_up{what="database"}': 1,
    'forebay_up{what="lanes"}': 1,
  });
  const samples = await samplesOf(ofWorker.registry);
  const batches = samples.get('forebay_batches_total{store="projects",outcome="applied"}') as number;
  expect(batches).toBeGreaterThan(0);
  for (const histogram of ['flush_duration', 'time_to_database'])
    expect(samples.get(`forebay_${histogram}_seconds_count{store="projects"}`)).toBe(batches);
  expect(samples.get('forebay_job_wait_seconds_count{queue="write-behind"}')).toBeGreaterThan(0);
  // The writes had waited for the worker.
  const took = samples.get('forebay_time_to_database_seconds_sum{store="projects"}') as number;
  expect(took).toBeGreaterThan(samples.get('forebay_flush_duration_seconds_sum{store="projects"}') as number);
});

it('what the database refuses, what waits for another row, and what finds no row are told apart', async () => {
  await environment.prisma.$executeRawUnsafe(
    'ALTER TABLE projects ADD CONSTRAINT short_name CHECK (length(name) < 10)',
  );
  const ofWorker = metricsOf(await environment.startWorker(stores));
  await app.stores.projects.put({ id: 'bad', name: 'x'.repeat(20) });
  await app.stores.projectTouches.add('nowhere', 1);
  await app.stores.tasks.put({ id: 't', projectId: 'unborn', title: 'waits' });
  await becomes(ofApp, {
    'forebay_dead_letters{store="projects"}': 2,
    'forebay_waiting_records{store="tasks"}': 1,
  });
  await becomes(ofWorker, {
    'forebay_records_total{store="projects",outcome="refused"}': 1,
    'forebay_records_total{store="projectTouches",outcome="missing"}': 1,
    'forebay_events_total{type="record.refused"}': 1,
  });
  // It is told at each try.
  const waiting = 'forebay_records_total{store="tasks",outcome="waiting"}';
  expect((await read(ofWorker, waiting))[waiting]).toBeGreaterThanOrEqual(1);
  await app.stores.projects.put({ id: 'unborn', name: 'born' });
  await becomes(ofApp, { 'forebay_waiting_records{store="tasks"}': 0 });
});

it('reads are told by their store and tier, and keys without a store together', async () => {
  await app.stores.projects.get('none');
  await app.stores.projects.get('none');
  await app.cache.set('loose-key', 'value', 60);
  await app.cache.get('loose-key');
  await becomes(ofApp, {
    'forebay_cache_misses_total{namespace="projects"}': 1,
    'forebay_cache_loads_total{namespace="projects"}': 1,
    'forebay_cache_hits_total{namespace="projects",tier="redis"}': 1,
    'forebay_cache_sets_total{namespace="other"}': 1,
    'forebay_breaker_open{connection="reads"}': 0,
  });
  const samples = await samplesOf(ofApp.registry);
  expect([...samples.keys()].filter((name) => name.includes('loose-key'))).toEqual([]);
  expect(samples.get('forebay_cache_redis_calls_total')).toBeGreaterThan(0);
  expect(samples.get('forebay_redis_connections')).toBeGreaterThan(0);
  expect(samples.get('forebay_redis_commands_total')).toBeGreaterThan(0);
});

it('a miss that waits for what another process loads is told as such', async () => {
  const other = await environment.connect(stores);
  let letGo: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  let begun: () => void = () => undefined;
  const loading = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const slow = other.read(
    'report:1' as never,
    async () => {
      begun();
      await held;
      return 'loaded';
    },
    { ttlMs: 60_000 },
  );
  await loading;
  const waits = app.read('report:1' as never, async () => 'loaded twice', { ttlMs: 60_000 });
  await becomes(ofApp, { 'forebay_cache_waits_total{namespace="other"}': 1 });
  letGo();
  expect(await slow).toBe('loaded');
  expect(await waits).toBe('loaded');
});

it('jobs that wait for a worker are told, and none while their queue is paused', async () => {
  const { config, env } = environment;
  const connection = new Redis(env.REDIS_URL, { maxRetriesPerRequest: null });
  const queue = new Queue('held', { connection, prefix: queuePrefix(config.prefix) });
  const parts = new Resources(() => undefined);
  let letGo: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  await queue.addBulk([1, 2, 3].map((data) => ({ name: 'job', data })));
  const duty = await takeJobs<number, void>(parts, {
    queue: 'held',
    shape: z.number(),
    connection: connection as never,
    prefix: config.prefix,
    emit: () => undefined,
    concurrency: 1,
    process: () => held,
  });
  const { registry } = metricsOf({ looks: { jobs: () => duty.look() } });
  const waiting = async () => (await samplesOf(registry)).get('forebay_queue_waiting_jobs{queue="held"}');
  await expect.poll(waiting).toBe(2);
  await queue.pause();
  expect(await waiting()).toBe(0);
  await queue.resume();
  expect(await waiting()).toBe(2);
  letGo();
  await expect.poll(waiting).toBe(0);
  expect(await duty.problem()).toBeUndefined();
  await parts.close(5_000);
  await queue.close();
  connection.disconnect();
});

it('schedules tell their lag, and their runs how long they waited for a worker', async () => {
  const { prisma, config, events } = environment;
  const schedules = defineSchedules(stores, {
    often: { cron: '* * * * * *', run: async () => undefined },
    yearly: { cron: '0 3 1 1 *', run: async () => undefined },
  });
  const emit = (event: (typeof events)[number]): void => void events.push(event);
  const scheduler = new SchedulerService({ stores, schedules, prisma, config, emit });
  await scheduler.start();
  try {
    const metrics = metricsOf(scheduler);
    await expect
      .poll(async () =>
        (await samplesOf(metrics.registry)).get('forebay_job_wait_seconds_count{queue="schedules"}'),
      )
      .toBeGreaterThan(0);
    const samples = await samplesOf(metrics.registry);
    expect(samples.get('forebay_schedule_lag_seconds{schedule="yearly"}')).toBe(0);
    expect(samples.has('forebay_schedule_lag_seconds{schedule="often"}')).toBe(true);
  } finally {
    await scheduler.stop(5_000);
  }
});
