import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type PostgresServer, startPostgresServer } from '../../dev/services/postgres-server.js';
import { stores } from '../../examples/platform/stores.js';
import type { Forebay } from '../../src/app/connect.js';
import type { EventType } from '../../src/events.js';
import { WriteBehindService } from '../../src/services/write-behind/write-behind.js';
import { type CallCounts, countCalls } from '../support/counted-database.js';
import { drained } from '../support/drained.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { patient } from '../support/patient.js';
import { Traffic } from '../support/traffic.js';

type App = Forebay<(typeof stores)['definitions']>;

let folder: string;
let server: PostgresServer;
let environment: Environment;
let app: App;
let traffic: Traffic;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'forebay-postgres-'));
  server = await startPostgresServer({ folder });
});

afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});

beforeEach(async () => {
  environment = await createEnvironment({ databaseUrl: server.url });
  app = await environment.connect(stores);
  traffic = new Traffic(app);
});

afterEach(() => environment.close());

describe('while the database is away', () => {
  it.each(['stop', 'kill'] as const)(
    'writes are accepted and read, and drain by themselves after its %s',
    async (way) => {
      await environment.startWorker(stores);
      await traffic.round(50);
      await app.flush();
      await server[way]();
      await traffic.round(50);
      await app.stores.projects.put({ id: 'during', name: 'during' });
      expect(await app.stores.projects.get('during')).toMatchObject({ name: 'during' });
      await told('database.away');
      await server.restart();
      await traffic.round(50);
      await app.stores.projects.delete('during');
      await drained(app);
      await traffic.expectExact(environment.prisma);
      expect(types().filter((type) => type.startsWith('database.'))).toEqual([
        'database.away',
        'database.back',
      ]);
      expect(types()).not.toContain('job.failed');
    },
  );

  it('only probes reach for it, and no lane is taken for abandoned', async () => {
    const { calls, worker } = await startCountedWorker();
    await server.stop();
    await traffic.round(50);
    await told('database.away');
    const before = { ...calls };
    for (let round = 0; round < 8; round++) {
      await traffic.round(50);
      await probed(calls);
    }
    expect(calls.transactions).toBe(before.transactions);
    expect(calls.queries - before.queries).toBeLessThan(20);
    expect(types()).not.toContain('batch.failed');
    expect(types()).not.toContain('lane.woken');
    await server.restart();
    await drained(app);
    await traffic.expectExact(environment.prisma);
    await worker.stop(5_000);
  });

  it('the backlog grows with the records, not with the writes', async () => {
    const putAll = async (count: number): Promise<void> => {
      const rows = Array.from({ length: count }, (_, i) => ({ id: `p-${i % 500}`, name: 'the same name' }));
      for (let at = 0; at < count; at += 500) await app.stores.projects.putMany(rows.slice(at, at + 500));
    };
    await environment.startWorker(stores);
    await server.stop();
    await putAll(500);
    await told('database.away');
    await putAll(2_000);
    const bytes = await backlogBytes();
    await putAll(20_000);
    expect(await backlogBytes()).toBeLessThan(1.1 * bytes);
    await server.restart();
    await drained(app);
    expect(await environment.prisma.project.count()).toBe(500);
  });

  it('a worker that is told to stop leaves at once and hands its lanes back', async () => {
    const { worker } = await startCountedWorker();
    await server.stop();
    await traffic.round(50);
    await told('database.away');
    const startedAt = performance.now();
    await worker.stop(8_000);
    expect(performance.now() - startedAt).toBeLessThan(patient(4_000));
    expect((await app.backlog()).sealed).toBeGreaterThan(0);
    await server.restart();
    await environment.startWorker(stores);
    await drained(app);
    await traffic.expectExact(environment.prisma);
    expect(types()).not.toContain('job.failed');
  });
});

function told(type: EventType): Promise<void> {
  return expect.poll(() => types(), { interval: 20 }).toContain(type);
}

function types(): EventType[] {
  return environment.events.map(({ type }) => type);
}

async function startCountedWorker(): Promise<{ calls: CallCounts; worker: WriteBehindService }> {
  const { prisma, config, events } = environment;
  const { database, calls } = countCalls(prisma);
  const worker = new WriteBehindService({
    stores,
    prisma: database,
    config,
    emit: (event) => void events.push(event),
  });
  await worker.start();
  return { calls, worker };
}

/** Until there has been a further probe. */
async function probed(calls: CallCounts): Promise<void> {
  const { queries } = calls;
  await expect.poll(() => calls.queries, { interval: 20 }).toBeGreaterThan(queries);
}

/** Of the keys that hold what is not persisted yet. */
async function backlogBytes(): Promise<number> {
  const { redis, config } = environment;
  const keys = await redis.keys(`{${config.prefix}:*}:*`);
  const own = keys.filter((key) => /:(dirty|order|sealed|meta)$/.test(key));
  const sizes = await Promise.all(own.map((key) => redis.memory('USAGE', key, 'SAMPLES', 0)));
  return sizes.reduce((sum: number, bytes) => sum + Number(bytes), 0);
}
