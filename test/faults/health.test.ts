/** What a process tells of its health while Redis, Postgres or a table's lock keeps it from its work. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type PostgresServer, startPostgresServer } from '../../dev/services/postgres-server.js';
import { stores } from '../../examples/platform/stores.js';
import type { Forebay } from '../../src/app/connect.js';
import { metricsOf } from '../../src/metrics.js';
import { WriteBehindService } from '../../src/services/write-behind/write-behind.js';
import type { HealthReport } from '../../src/vitals/health.js';
import { HealthServer } from '../../src/vitals/health-server.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { samplesOf } from '../support/metric-samples.js';
import { type OwnRedis, startOwnRedis } from '../support/own-redis.js';

type App = Forebay<(typeof stores)['definitions']>;

let folder: string;
let postgres: PostgresServer;
let redis: OwnRedis;
let environment: Environment;
let app: App;
let worker: WriteBehindService;
let server: HealthServer;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'forebay-postgres-'));
  [postgres, redis] = await Promise.all([startPostgresServer({ folder }), startOwnRedis()]);
});

afterAll(async () => {
  await postgres.stop();
  await redis.remove();
  await rm(folder, { recursive: true });
});

beforeEach(async () => {
  environment = await createEnvironment({ databaseUrl: postgres.url });
  const config = { ...environment.config, redis: redis.settings, queueRedis: redis.settings };
  const emit = (event: Environment['events'][number]): void => void environment.events.push(event);
  app = await environment.connect(stores, { config });
  worker = new WriteBehindService({ stores, prisma: environment.prisma, config, emit });
  const place = { kind: 'port', host: '127.0.0.1', from: 0, to: 0 } as const;
  server = new HealthServer({ name: 'write-behind', place, health: worker.health, pages: {}, emit });
  await server.start();
});

afterEach(async () => {
  vi.restoreAllMocks();
  await worker.stop(5_000);
  await server.stop();
  await environment.close();
});

type Told = HealthReport & { readonly status: number };

async function ask(page: 'live' | 'ready'): Promise<Told> {
  const response = await fetch(`${server.url}${page}`);
  return { status: response.status, ...((await response.json()) as HealthReport) };
}

/** What is wrong, by name. */
const wrong = ({ checks }: HealthReport): string[] =>
  checks.filter(({ ok }) => !ok).map(({ name, reason }) => (reason ? name : ''));

const becomes = (page: 'live' | 'ready', names: string[]): Promise<void> =>
  expect
    .poll(
      async () => {
        const told = await ask(page);
        expect(told.status).toBe(told.ok ? 200 : 503);
        return wrong(told);
      },
      { interval: 50 },
    )
    .toEqual(names);

/** What it measures, once it is so. */
async function measured(
  registry: { metrics(): Promise<string> },
  told: Record<string, unknown>,
): Promise<void> {
  const read = async () => Object.fromEntries(await samplesOf(registry));
  await expect.poll(read, { interval: 50 }).toMatchObject(told);
}

describe('a worker', () => {
  it('is ready once it is started, and no more while it stops', async () => {
    expect(wrong(await ask('ready'))).toEqual(['started']);
    await worker.start();
    expect(await ask('ready')).toMatchObject({
      status: 200,
      name: 'write-behind',
      pid: process.pid,
      checks: ['started', 'redis', 'queue redis', 'database', 'lanes'].map((name) => ({ name, ok: true })),
      eventLoop: { maxMs: expect.any(Number) },
    });
    expect(wrong(await ask('live'))).toEqual([]);
    await worker.stop(5_000);
    expect((await ask('ready')).checks[0]).toMatchObject({ name: 'started', ok: false });
    expect((await ask('live')).status).toBe(200);
  });

  it('is not ready while Redis is away, is alive all the same, and is ready when Redis is back', async () => {
    await worker.start();
    const { registry } = metricsOf(worker);
    const ofApp = metricsOf(app).registry;
    const backlog = 'forebay_dirty_records{store="projects"}';
    await measured(registry, { 'forebay_up{what="redis"}': 1, [backlog]: 0 });
    await redis.stop();
    await expect.poll(async () => wrong(await ask('ready'))).toEqual(['redis', 'queue redis']);
    expect(wrong(await app.health.ready())).toEqual(['redis', 'queue redis']);
    expect((await ask('live')).status).toBe(200);
    await measured(registry, { 'forebay_up{what="redis"}': 0, 'forebay_up{what="database"}': 1 });
    expect((await samplesOf(registry)).has(backlog)).toBe(false);
    await expect(app.stores.projects.get('any')).rejects.toThrow();
    await measured(ofApp, { 'forebay_breaker_open{connection="reads"}': 1, forebay_redis_connections: 0 });
    expect((await samplesOf(ofApp)).get('forebay_redis_errors_total')).toBeGreaterThan(0);
    await redis.restart();
    await becomes('ready', []);
    await expect.poll(async () => (await app.health.ready()).ok).toBe(true);
    await measured(registry, { 'forebay_up{what="redis"}': 1, [backlog]: 0 });
    await measured(ofApp, { 'forebay_breaker_open{connection="reads"}': 0 });
    expect((await samplesOf(ofApp)).get('forebay_redis_reconnects_total')).toBeGreaterThan(0);
  });

  it('is not ready while Postgres is away, is alive all the same, and is ready when Postgres is back', async () => {
    await worker.start();
    const { registry } = metricsOf(worker);
    await measured(registry, { 'forebay_up{what="database"}': 1, forebay_database_away: 0 });
    await postgres.kill();
    await app.stores.projects.put({ id: 'during', name: 'during' });
    await becomes('ready', ['database']);
    expect(wrong(await app.health.ready())).toEqual(['database']);
    expect((await ask('live')).status).toBe(200);
    await measured(registry, { 'forebay_up{what="database"}': 0, forebay_database_away: 1 });
    await postgres.restart();
    await measured(registry, { 'forebay_up{what="database"}': 1, forebay_database_away: 0 });
    expect((await samplesOf(registry)).get('forebay_database_away_seconds_total')).toBeGreaterThan(0);
    await becomes('ready', []);
    await expect.poll(async () => (await app.health.ready()).ok).toBe(true);
  });

  it('whose transaction hangs on a lock of a table is not alive, and is again once the lock is gone', async () => {
    await worker.start();
    const lock = await lockTable('projects');
    const sealed = (): boolean => environment.events.some(({ type }) => type === 'batch.sealed');
    const receipt = await app.stores.projects.put({ id: 'locked', name: 'locked' });
    await expect.poll(sealed, { interval: 20 }).toBe(true);
    expect((await ask('live')).status).toBe(200);
    await measured(metricsOf(worker).registry, {
      'forebay_sealed_records{store="projects"}': 1,
      forebay_oldest_batch_in_hand_seconds: expect.any(Number),
    });
    const now = performance.now.bind(performance);
    // As if the transaction had hung for so long: nothing else in it goes by this clock.
    vi.spyOn(performance, 'now').mockImplementation(() => now() + 25_000);
    const { status, checks } = await ask('live');
    expect(status).toBe(503);
    expect(checks).toContainEqual({
      name: 'batches',
      ok: false,
      reason: expect.stringMatching(/^no batch was done for 2\d s; lane projects\/\d has batch \d+ in hand/),
    });
    await lock.release();
    await receipt.persisted();
    await becomes('live', []);
  });
});

/** Held by a transaction of another client. */
async function lockTable(table: string): Promise<{ release(): Promise<void> }> {
  let letGo: () => void = () => undefined;
  const released = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  let transaction: Promise<void> = Promise.resolve();
  await new Promise<void>((held) => {
    transaction = environment.prisma.$transaction(
      async (tx) => {
        await tx.$executeRawUnsafe(`LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
        held();
        await released;
      },
      { timeout: 120_000 },
    );
  });
  return {
    async release() {
      letGo();
      await transaction;
    },
  };
}
