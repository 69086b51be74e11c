/** The connection to Redis: what the settings ask for, what becomes of it when Redis goes, and what it tells. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { keptPort } from '../../dev/services/ports.js';
import { startRedisCluster } from '../../dev/services/redis-cluster.js';
import { type RedisServer, startRedisServer } from '../../dev/services/redis-server.js';
import { stores } from '../../examples/platform/stores.js';
import { check } from '../../src/cli/check.js';
import { readConfig } from '../../src/config.js';
import { ConnectionMetrics } from '../../src/connection/connection-metrics.js';
import {
  createHealth,
  getRedisInfo,
  getRedisMemoryStats,
  isRedisAvailable,
  type RedisHealth,
  testRedisConnection,
} from '../../src/connection/health.js';
import {
  closeConnections,
  openConnections,
  type RedisClient,
  toReadError,
} from '../../src/connection/redis.js';
import type { ForebayEvent } from '../../src/events.js';
import { WriteBehindService } from '../../src/services/write-behind/write-behind.js';
import { createEnvironment } from '../support/environment.js';
import { type OwnRedis, startOwnRedis } from '../support/own-redis.js';
import { patient } from '../support/patient.js';

const ignore = (): void => undefined;

describe('a connection', () => {
  let server: OwnRedis;
  let redis: RedisClient;
  let cache: RedisClient;
  let health: RedisHealth;

  beforeEach(async () => {
    server = await startOwnRedis();
    const metrics = new ConnectionMetrics();
    const { settings } = server;
    const plan = { redis: [settings, 'reads'], cache: [settings, 'cache'] } as const;
    ({ redis, cache } = await openConnections(plan, ignore, { metrics }));
    health = createHealth(redis, metrics);
  });

  afterEach(async () => {
    redis.disconnect();
    cache.disconnect();
    await server.remove();
  });

  it('R2 reconnects, with waits that double', async () => {
    const waits: number[] = [];
    redis.on('reconnecting', (waitMs: number) => waits.push(waitMs));
    await server.stop();
    await expect.poll(() => waits.length).toBeGreaterThan(3);
    await server.restart();
    await expect.poll(() => health.isRedisAvailable()).toBe(true);
    expect(waits.slice(0, 4)).toEqual([50, 100, 200, 400]);
    expect(await redis.set('after', 1)).toBe('OK');
  });

  it('R3 a call of the cache ends soon while Redis hangs, and at once while it is away', async () => {
    await server.admin.call('CLIENT', 'PAUSE', '10000', 'ALL');
    const hungAt = performance.now();
    await expect(cache.get('a')).rejects.toThrow();
    expect(performance.now() - hungAt).toBeLessThan(patient(3_000));
    await server.stop();
    await expect.poll(() => cache.status).not.toBe('ready');
    const awayAt = performance.now();
    await expect(cache.get('a')).rejects.toThrow();
    expect(performance.now() - awayAt).toBeLessThan(patient(100));
  });

  it('R4 tells that Redis is there, what it is, and what it holds', async () => {
    await redis.set('a', 'x'.repeat(100_000));
    expect(await isRedisAvailable(redis)).toBe(true);
    expect(await testRedisConnection(redis)).toEqual({ ok: true, latencyMs: expect.any(Number) });
    expect(await getRedisInfo(redis)).toMatchObject({
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      mode: 'standalone',
      role: 'master',
      servers: 1,
    });
    const memory = await getRedisMemoryStats(redis);
    expect(memory).toMatchObject({ maxBytes: 0, usedShare: undefined, policy: 'noeviction', evictedKeys: 0 });
    expect(memory.usedBytes).toBeGreaterThan(100_000);
    expect(memory.peakBytes).toBeGreaterThanOrEqual(memory.usedBytes);
    await redis.config('SET', 'maxmemory', 1_000_000_000);
    expect(await getRedisMemoryStats(redis)).toMatchObject({
      maxBytes: 1_000_000_000,
      usedShare: expect.closeTo(memory.usedBytes / 1_000_000_000, 2),
    });
  });

  it('R4 answers in time, also while Redis hangs or is away', async () => {
    await server.admin.call('CLIENT', 'PAUSE', '10000', 'ALL');
    const startedAt = performance.now();
    expect(await isRedisAvailable(redis, 200)).toBe(false);
    await expect(getRedisInfo(redis, 200)).rejects.toMatchObject({
      code: 'REDIS_UNAVAILABLE',
      retryable: true,
    });
    expect(performance.now() - startedAt).toBeLessThan(patient(2_000));
    await server.stop();
    await expect.poll(() => redis.status).not.toBe('ready');
    expect(await testRedisConnection(redis)).toMatchObject({
      ok: false,
      error: expect.stringContaining('not up'),
    });
    await expect(getRedisMemoryStats(redis, 200)).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE' });
  });

  it('R4 counts connections, reconnects, errors and commands', async () => {
    const before = health.getRedisMetrics();
    expect(before).toMatchObject({ connections: 2, reconnects: 0, errors: 0 });
    await Promise.all(Array.from({ length: 50 }, (_, i) => redis.get(`k${i}`)));
    expect(health.getRedisMetrics().commands - before.commands).toBeGreaterThanOrEqual(50);
    expect(health.getRedisMetrics().uptimeMs).toBeGreaterThan(before.uptimeMs);
    await server.stop();
    await expect.poll(() => health.getRedisMetrics().errors).toBeGreaterThan(0);
    expect(health.getRedisMetrics()).toMatchObject({ connections: 0, uptimeMs: 0 });
    await server.restart();
    const connections = (): number => health.getRedisMetrics().connections;
    await expect.poll(connections).toBe(2);
    expect(health.getRedisMetrics().reconnects).toBe(2);
  });

  it('R5 finishes what is under way before it closes', async () => {
    await server.admin.call('CLIENT', 'PAUSE', '300', 'ALL');
    const under = Array.from({ length: 100 }, (_, i) => redis.set(`k${i}`, i));
    const [replies] = await Promise.all([Promise.all(under), closeConnections({ redis }, 5_000)]);
    expect(replies).toEqual(under.map(() => 'OK'));
    await expect.poll(() => redis.status).toBe('end');
    expect(await server.admin.dbsize()).toBe(100);
  });

  it('R5 closes at its deadline, whatever is under way', async () => {
    await server.admin.call('CLIENT', 'PAUSE', '10000', 'ALL');
    const under = redis.set('k', 1).catch(() => 'given up');
    const startedAt = performance.now();
    await closeConnections({ redis }, 200);
    expect(performance.now() - startedAt).toBeLessThan(patient(1_000));
    expect(await under).toBe('given up');
  });

  it('R6 the check finds what is wrong with a server', async () => {
    const config = readConfig({ REDIS_URL: server.url });
    const options = { isJson: false, isStrict: false };
    let said = '';
    const say = (text: string) => {
      said = text;
    };
    expect(await check(config, say, options)).toBe(0);
    expect(said).toMatch(/warning REDIS_MEMORY_UNLIMITED\n +maxmemory is not set/);
    expect(said).toMatch(/\n0 errors, \d warnings\n$/);
    await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
    await redis.config('SET', 'appendfsync', 'no');
    expect(await check(config, say, options)).toBe(1);
    expect(said).toMatch(/ERROR {3}REDIS_EVICTS_WRITES.+ERROR {3}REDIS_NO_FSYNC/s);
    expect(said).toMatch(/\n2 errors/);
  });
});

describe('a server that hears nothing at first', () => {
  const silence = (admins: readonly Redis[], ms: number) =>
    Promise.all(admins.map((admin) => admin.call('CLIENT', 'PAUSE', ms, 'ALL')));

  it.each(['a single server', 'a cluster'])(
    'R1 is connected to as soon as it hears, though it was silent for longer than a cache may be: %s',
    async (kind) => {
      const own = kind === 'a cluster' ? await startRedisCluster() : await startOwnRedis();
      const events: ForebayEvent[] = [];
      const admins = 'admins' in own ? own.admins : [own.admin];
      await silence(admins, 2_500);
      const startedAt = performance.now();
      const { cache } = await openConnections({ cache: [own.settings, 'cache'] }, (event) =>
        events.push(event),
      );
      expect(performance.now() - startedAt).toBeGreaterThan(1_000); // which a cache may be silent
      expect(events).toEqual([]);
      expect(await cache.set('{a}', 1)).toBe('OK');
      await silence(admins, 2_500);
      await cache.get('{a}').catch(ignore); // in a cluster it is tried again
      expect(events.map(({ type }) => type)).toContain('redis.error');
      cache.disconnect();
      await own.remove();
    },
  );

  it('R1 is told of at once where it is down, also as a cluster', async () => {
    const own = await startRedisCluster();
    await own.remove();
    await expect(openConnections({ cache: [own.settings, 'cache'] }, ignore)).rejects.toMatchObject({
      code: 'REDIS_UNAVAILABLE',
      message: expect.not.stringContaining('no answer within'),
    });
  });

  it('R1 is told of after the time that a connection has, if it stays silent', async () => {
    const own = await startOwnRedis();
    await silence([own.admin], 60_000);
    const options = { timeoutMs: 1_500 };
    await expect(openConnections({ cache: [own.settings, 'cache'] }, ignore, options)).rejects.toMatchObject({
      code: 'REDIS_UNAVAILABLE',
      retryable: true,
      message: expect.stringContaining('no answer within 1500 ms'),
    });
    await own.remove();
  });
});

describe('a password', () => {
  it.each(['a single server', 'a cluster'])(
    'that is refused, at the start or later, is in no error and in no event: %s',
    async (kind) => {
      const own = kind === 'a cluster' ? await startRedisCluster() : await startOwnRedis();
      const { settings } = own;
      const { password = '' } = settings;
      const admins = 'admins' in own ? own.admins : [own.admin];
      const events: ForebayEvent[] = [];
      const emit = (event: ForebayEvent) => void events.push(event);
      const connections = await openConnections(
        { reads: [settings, 'reads'], worker: [settings, 'worker'] },
        emit,
      );
      const copy = (connections.worker as Redis).duplicate();
      const ofCopy: unknown[] = [];
      copy.on('error', (error) => ofCopy.push(error));
      await copy.ping();
      for (const admin of admins) await admin.config('SET', 'requirepass', 'another');
      for (const admin of admins) await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      const { reads } = connections;
      const refused = await vi.waitUntil(() => reads.get('{a}').then(ignore, (error: unknown) => error), {
        timeout: patient(10_000),
      });
      await expect.poll(() => events.length, { timeout: patient(10_000) }).toBeGreaterThan(0);
      const atStart = await openConnections({ reads: [settings, 'reads'] }, emit).catch((error) => error);
      expect(atStart).toMatchObject({ code: 'REDIS_UNAVAILABLE' });
      expect(password).not.toBe('');
      const all = { refused: toReadError(refused), atStart, events, ofCopy };
      expect(inspect(all, { depth: null })).toContain('WRONGPASS');
      expect(inspect(all, { depth: null })).not.toContain(password);
      copy.disconnect();
      for (const redis of Object.values(connections)) redis.disconnect();
      await own.remove();
    },
  );
});

describe('a server is reached', () => {
  let folder: string;
  let server: RedisServer;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'forebay-redis-'));
  });

  afterEach(async () => {
    await server.stop();
    await rm(folder, { recursive: true });
  });

  it('R1 by TLS, when its certificate is trusted', async () => {
    const file = (name: string): string => fileURLToPath(new URL(`../support/tls/${name}`, import.meta.url));
    const port = await keptPort(path.join(folder, 'tls-port'));
    const certificate = file('certificate.pem');
    const extraArgs = [
      '--tls-port',
      `${port}`,
      '--tls-cert-file',
      certificate,
      '--tls-key-file',
      file('key.pem'),
    ];
    extraArgs.push('--tls-ca-cert-file', certificate, '--tls-auth-clients', 'yes');
    server = await startRedisServer({ folder, password: '', extraArgs });
    const url = { REDIS_URL: `rediss://localhost:${port}` };
    const client = { REDIS_TLS_CERT: certificate, REDIS_TLS_KEY: file('key.pem') };
    const { redis } = readConfig({ ...url, ...client, REDIS_TLS_CA: certificate });
    const { reads } = await openConnections({ reads: [redis, 'reads'] }, ignore);
    expect(await reads.ping()).toBe('PONG');
    reads.disconnect();
    const { redis: distrusted } = readConfig({ ...url, ...client });
    await expect(openConnections({ reads: [distrusted, 'reads'] }, ignore)).rejects.toMatchObject({
      code: 'REDIS_UNAVAILABLE',
      message: expect.stringContaining('REDIS_TLS_'),
    });
  });

  it('R1 by a user with the rights that the check advises', async () => {
    server = await startRedisServer({ folder });
    const { admin } = await openConnections(
      { admin: [readConfig({ REDIS_URL: server.url }).redis, 'reads'] },
      ignore,
    );
    let advice = '';
    const options = { isJson: false, isStrict: false };
    const environment = await createEnvironment();
    const { prefix } = environment.config;
    const say = (text: string) => {
      advice = text;
    };
    await check(readConfig({ REDIS_URL: server.url, FOREBAY_PREFIX: prefix }), say, options);
    const rights = /ACL SETUSER forebay on >PASSWORD (.*)/.exec(advice)?.[1] ?? '';
    await admin.call('ACL', 'SETUSER', 'forebay', 'on', '>p', ...rights.split(' '));
    admin.disconnect();
    const { redis, queueRedis } = readConfig({
      REDIS_HOST: '127.0.0.1',
      REDIS_PORT: `${server.port}`,
      REDIS_USERNAME: 'forebay',
      REDIS_PASSWORD: 'p',
    });
    const config = { ...environment.config, redis, queueRedis };
    const emit = environment.events.push.bind(environment.events);
    const worker = new WriteBehindService({ stores, prisma: environment.prisma, config, emit });
    await worker.start();
    const app = await environment.connect(stores, { config });
    await app.stores.projects.put({ id: 'p', name: 'by a user' });
    await app.stores.projectTouches.add('p', 1);
    await app.flush();
    expect(await environment.prisma.project.findUnique({ where: { id: 'p' } })).toMatchObject({ touches: 1 });
    expect(await app.cache.invalidatePattern('*')).toBe(0);
    expect(environment.events.filter(({ type }) => type.endsWith('.error'))).toEqual([]);
    await worker.stop(5_000);
    await environment.close();
  });
});
