import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Project } from '../../examples/platform/generated/models.js';
import type { Forebay } from '../../src/app/connect.js';
import type { CacheOptions } from '../../src/cache/cache.js';
import { counter } from '../../src/definitions/counter.js';
import { record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { HeldDatabase } from '../support/held-database.js';
import { type OwnRedis, startOwnRedis } from '../support/own-redis.js';
import { patient } from '../support/patient.js';

const projects = record({ model: Project, counters: ['views', 'touches'], onRedisAway: 'load' });
const stores = defineStores({
  projects,
  views: counter({ of: projects, field: 'views', onRedisAway: 'load' }),
  touches: counter({ of: projects, field: 'touches' }),
});

let environment: Environment;
let server: OwnRedis;
let database: HeldDatabase;
let app: Forebay<(typeof stores)['definitions']>;

beforeEach(async () => {
  environment = await createEnvironment();
  server = await startOwnRedis();
  database = new HeldDatabase(environment.prisma);
  app = await connect();
  await environment.prisma.project.create({ data: { id: 'p', name: 'Harbour', views: 7 } });
});

afterEach(async () => {
  await environment.close();
  await server.remove();
});

function connect(cache: CacheOptions = {}): Promise<typeof app> {
  const redis = server.settings;
  const config = { ...environment.config, redis, queueRedis: redis };
  return environment.connect(stores, { config, prisma: database.database, cache });
}

describe('while Redis is away, a store that then loads', () => {
  it('gives what the database has, at once after a few calls; what is pending is seen again when Redis is back', async () => {
    await app.stores.projects.put({ id: 'p', name: 'pending' });
    await server.stop();
    expect(await app.stores.projects.get('p')).toMatchObject({ name: 'Harbour' });
    expect(await app.stores.projects.getMany(['p', 'q', 'p'])).toMatchObject([
      { name: 'Harbour' },
      null,
      { name: 'Harbour' },
    ]);
    expect(await app.stores.views.getMany(['p', 'q'])).toEqual([7n, null]);
    const startedAt = performance.now();
    for (let i = 0; i < 100; i++) await app.stores.projects.get('p');
    expect(performance.now() - startedAt).toBeLessThan(patient(2_000));
    expect(environment.events).toContainEqual(
      expect.objectContaining({ type: 'breaker.opened', connection: 'reads' }),
    );
    await server.restart();
    const name = async (): Promise<string | undefined> => (await app.stores.projects.get('p'))?.name;
    await expect.poll(name).toBe('pending');
    expect(environment.events).toContainEqual({ type: 'breaker.closed', connection: 'reads' });
  });

  it('loads a row once at a time, within the limit over all loads', async () => {
    const limited = await connect({ loadsMax: 1, waitingLoadsMax: 1 });
    await server.stop();
    await limited.stores.projects.get('p');
    database.close();
    const same = Array.from({ length: 50 }, () => limited.stores.projects.get('p'));
    const other = limited.stores.projects.get('q');
    const tooMany = limited.stores.projects.get('r');
    await expect(tooMany).rejects.toMatchObject({ code: 'TOO_MANY_LOADS', retryable: true });
    database.open();
    for (const row of await Promise.all(same)) expect(row).toMatchObject({ name: 'Harbour' });
    expect(await other).toBeNull();
  });

  it('tells that the database is away too, and does not ask it for every read', async () => {
    await server.stop();
    await app.stores.projects.get('q');
    await environment.prisma.$executeRawUnsafe('ALTER TABLE projects RENAME TO gone');
    await expect(app.stores.projects.get('p')).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    await environment.prisma.$executeRawUnsafe('ALTER TABLE gone RENAME TO projects');
    await expect(app.stores.projects.get('p')).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    await expect
      .poll(() => app.stores.projects.get('p').catch(() => null))
      .toMatchObject({ name: 'Harbour' });
  });
});

describe('while Redis is away, what needs to know what is pending', () => {
  it('fails with a typed error, at once after a few calls: reads of other stores, versions, updates', async () => {
    await server.stop();
    const away = { code: 'REDIS_UNAVAILABLE', retryable: true };
    await expect(app.stores.touches.get('p')).rejects.toMatchObject(away);
    const startedAt = performance.now();
    for (let i = 0; i < 20; i++) {
      await expect(app.stores.touches.get('p')).rejects.toMatchObject(away);
      await expect(app.stores.projects.getVersioned('p')).rejects.toMatchObject(away);
      await expect(app.stores.projects.update('p', (row) => row)).rejects.toMatchObject(away);
    }
    expect(performance.now() - startedAt).toBeLessThan(patient(2_000));
  });
});
