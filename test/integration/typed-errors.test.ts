import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { type RedisServer, startRedisServer } from '../../dev/services/redis-server.js';
import { Project } from '../../examples/platform/generated/models.js';
import { createPrisma } from '../../examples/platform/prisma.js';
import { stores } from '../../examples/platform/stores.js';
import { connect } from '../../src/app/connect.js';
import { readConfig, requireDatabaseUrl } from '../../src/config.js';
import { record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';
import type { ForebayEvent } from '../../src/events.js';
import { redisSettings } from '../../src/redis-settings.js';
import { WriteBehindService } from '../../src/services/write-behind/write-behind.js';
import { createEnvironment, type Environment } from '../support/environment.js';

let environment: Environment;

beforeEach(async () => {
  environment = await createEnvironment();
});

afterEach(() => environment.close());

describe('a write that cannot be accepted fails with a typed error, and leaves nothing behind', () => {
  it.each([
    [
      'an id of the wrong type',
      { id: 7, name: 'x' },
      'INVALID_VALUE',
      /field id must be a string, not number 7/,
    ],
    ['an empty id', { id: '', name: 'x' }, 'INVALID_ID', /non-empty string/],
    ['a field of the wrong type', { id: 'p', name: 7 }, 'INVALID_VALUE', /field name must be a string/],
    ['a missing field', { id: 'p' }, 'INVALID_VALUE', /field name is missing/],
    ['an unknown field', { id: 'p', name: 'x', nam: 'y' }, 'INVALID_VALUE', /no field "nam"; its fields are/],
    ['a counter', { id: 'p', name: 'x', touches: 1 }, 'INVALID_VALUE', /no field "touches"/],
    ['a row that is none', 'p', 'INVALID_VALUE', /must be an object/],
    [
      'a value that is too large',
      { id: 'p', name: 'x'.repeat(2_000_000) },
      'VALUE_TOO_LARGE',
      /valueBytesMax/,
    ],
  ])('%s', async (_, row, code, message) => {
    const app = await environment.connect(stores);
    await expect(app.stores.projects.put(row as never)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
    expect(await app.backlog()).toMatchObject({ dirty: 0, sealed: 0 });
  });

  it('a value that is not JSON, in a store without a model', async () => {
    const notes = record({
      id: 'id',
      load: async () => [] as { id: string; at: unknown }[],
      persist: async () => undefined,
    });
    const app = await environment.connect(defineStores({ notes }));
    for (const at of [new Date(), () => 1, Number.NaN, 1n, new Map()]) {
      await expect(app.stores.notes.put({ id: 'n', at })).rejects.toMatchObject({
        code: 'INVALID_VALUE',
        message: expect.stringContaining('at at, '),
      });
    }
    expect(await app.backlog()).toMatchObject({ dirty: 0 });
  });

  it('an id of the wrong type, in a read, a delete and a delta', async () => {
    const app = await environment.connect(stores);
    const { projects, projectTouches } = app.stores;
    for (const call of [
      projects.get(7 as never),
      projects.delete(7 as never),
      projectTouches.add(7 as never, 1),
    ]) {
      await expect(call).rejects.toMatchObject({
        code: 'INVALID_ID',
        message: expect.stringContaining('not number 7'),
      });
    }
  });

  it('a delta that is no integer, and one whose sum would not fit in 64 bits', async () => {
    const app = await environment.connect(stores);
    await expect(app.stores.projectViews.add('p', 0.5)).rejects.toMatchObject({ code: 'INVALID_VALUE' });
    await app.stores.projectViews.add('p', 2n ** 63n - 1n);
    const adding = [app.stores.projectViews.add('p', 1), app.stores.projectTouches.add('p', 1)];
    const results = await Promise.allSettled(adding);
    expect(results[0]).toMatchObject({ status: 'rejected', reason: { code: 'COUNTER_OVERFLOW' } });
    expect(results[1]).toMatchObject({ status: 'fulfilled' });
  });

  it('a further record of a lane that is full, while records that are dirty already pass', async () => {
    const projects = record({ model: Project, counters: ['views', 'touches'], partitions: 1, dirtyMax: 2 });
    const app = await environment.connect(defineStores({ projects }));
    const rows = ['a', 'b', 'c'].map((id) => ({ id, name: id }));
    await expect(app.stores.projects.putMany(rows)).rejects.toMatchObject({
      code: 'BACKLOG_FULL',
      retryable: true,
      context: { accepted: 2, given: 3, dirtyMax: 2 },
    });
    await app.stores.projects.put({ id: 'a', name: 'again' });
    expect(await app.stores.projects.get('a')).toMatchObject({ name: 'again' });
  });
});

describe('a flush that cannot end in time', () => {
  it('names the lanes that hold it up, and keeps their writes', async () => {
    const app = await environment.connect(stores);
    const { lane } = await app.stores.projects.put({ id: 'p', name: 'waits' });
    await expect(app.flush({ timeoutMs: 100 })).rejects.toMatchObject({
      code: 'FLUSH_TIMEOUT',
      context: { lanes: [lane] },
    });
    await environment.startWorker(stores);
    await app.flush();
    expect(await environment.prisma.project.count()).toBe(1);
  });
});

describe('a start that cannot succeed says what to do', () => {
  const startWorker = (config: Environment['config'], prisma = environment.prisma) =>
    new WriteBehindService({ stores, prisma, config, emit: () => undefined }).start();

  it('without DATABASE_URL', () => {
    expect(() => requireDatabaseUrl(readConfig({}))).toThrow(/DATABASE_URL is not set/);
  });

  it('with a wrong password for Redis, which is not told', async () => {
    const redis = { ...environment.config.redis, password: 'wrong-secret' };
    const starting = startWorker({ ...environment.config, redis });
    await expect(starting).rejects.toMatchObject({
      code: 'REDIS_UNAVAILABLE',
      message: expect.stringContaining('Check REDIS_USERNAME and REDIS_PASSWORD'),
    });
    await expect(starting).rejects.not.toMatchObject({ message: expect.stringContaining('wrong-secret') });
  });

  it('with a Redis that is not there', async () => {
    const redis = { ...environment.config.redis, port: 1 };
    await expect(startWorker({ ...environment.config, redis })).rejects.toMatchObject({
      code: 'REDIS_UNAVAILABLE',
      message: expect.stringContaining('127.0.0.1:1'),
    });
  });

  it('with a wrong password for Postgres, which is not told', async () => {
    const url = new URL(inject('databaseUrl'));
    url.password = 'wrong-secret';
    const prisma = createPrisma(url.toString(), { connections: 1, name: 'test' });
    const starting = startWorker(environment.config, prisma);
    await expect(starting).rejects.toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
      message: expect.stringContaining('DATABASE_URL'),
    });
    await expect(starting).rejects.not.toMatchObject({ message: expect.stringContaining('wrong-secret') });
    await prisma.$disconnect();
  });

  it('with a database that has no tables', async () => {
    const url = new URL(inject('databaseUrl'));
    url.searchParams.set('schema', 'no_such_schema');
    const prisma = createPrisma(url.toString(), { connections: 1, name: 'test' });
    await expect(startWorker(environment.config, prisma)).rejects.toMatchObject({
      code: 'DATABASE_NOT_READY',
      message: expect.stringContaining('migrate'),
    });
    await prisma.$disconnect();
  });
});

describe('a Redis that endangers accepted writes', () => {
  let folder: string;
  let server: RedisServer;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'forebay-redis-'));
  });

  afterEach(async () => {
    await server.stop();
    await rm(folder, { recursive: true });
  });

  it('is told of: no append-only file, eviction of all keys', async () => {
    server = await startRedisServer({
      folder,
      extraArgs: ['--appendonly', 'no', '--maxmemory-policy', 'allkeys-lru'],
    });
    const events: ForebayEvent[] = [];
    const app = await connectTo(server, events);
    await app.close();
    const warnings = events.flatMap((event) => (event.type === 'server.warning' ? [event.what] : []));
    expect(warnings).toEqual([
      expect.stringContaining('allkeys-lru'),
      expect.stringContaining('appendonly is off'),
    ]);
  });

  it('is refused when it is a replica', async () => {
    const { host, port, password = '' } = redisSettings(inject('redisUrl'));
    server = await startRedisServer({
      folder,
      extraArgs: ['--replicaof', `${host} ${port}`, '--masterauth', password],
    });
    await expect(connectTo(server, [])).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      message: expect.stringContaining('Connect to its primary'),
    });
  });

  function connectTo({ url }: RedisServer, events: ForebayEvent[]) {
    const redis = redisSettings(url);
    const config = { prefix: environment.config.prefix, redis, queueRedis: redis };
    return connect(stores, { prisma: environment.prisma, config, onEvent: (event) => events.push(event) });
  }
});
