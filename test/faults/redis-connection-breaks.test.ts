import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RedisServer, startRedisServer } from '../../dev/services/redis-server.js';
import { stores } from '../../examples/platform/stores.js';
import { redisSettings } from '../../src/redis-settings.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { patient } from '../support/patient.js';

let folder: string;
let server: RedisServer;
let admin: Redis;
let environment: Environment;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'forebay-redis-'));
  server = await startRedisServer({ folder });
  admin = new Redis(server.url);
  admin.on('error', () => undefined); // it loses its connection too
});

afterAll(async () => {
  admin.disconnect();
  await server.stop();
  await rm(folder, { recursive: true });
});

beforeEach(async () => {
  environment = await createEnvironment();
});

afterEach(() => environment.close());

function connectToServer() {
  const redis = redisSettings(server.url);
  return environment.connect(stores, { config: { ...environment.config, redis, queueRedis: redis } });
}

describe('when the connection to Redis breaks', () => {
  it('a write under way fails as OUTCOME_UNKNOWN and is not sent again', async () => {
    const app = await connectToServer();
    await app.stores.projects.put({ id: 'p1', name: 'counted' });
    await admin.call('CLIENT', 'PAUSE', '60000', 'WRITE');
    const adding = app.stores.projectTouches.add('p1', 1);
    const outcome = expect(adding).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN', retryable: false });
    await expect.poll(() => blockedWriters()).toBeGreaterThan(0);
    await killWriters();
    await outcome;
    await admin.call('CLIENT', 'UNPAUSE');
    await app.stores.projectTouches.add('p1', 10);
    expect(await app.stores.projectTouches.get('p1')).toBe(10);
    await app.close();
  });

  it('writes wait for a connection that comes back soon', async () => {
    const app = await connectToServer();
    await killWriters();
    const receipt = await app.stores.projects.put({ id: 'p2', name: 'kept' });
    expect(receipt.version).toBeGreaterThan(0n);
    await app.close();
  });

  it('a write fails as REDIS_UNAVAILABLE, in bounded time, while Redis is away; what was accepted is there when it is back', async () => {
    const app = await connectToServer();
    await app.stores.projects.put({ id: 'p3', name: 'accepted' });
    await server.stop();
    await expect(app.stores.projects.put({ id: 'p4', name: 'refused' })).rejects.toMatchObject({
      code: 'REDIS_UNAVAILABLE',
      retryable: true,
    });
    await expect(app.stores.projects.get('p3')).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE' });
    await server.restart();
    await expect
      .poll(() => app.stores.projects.get('p3').catch(() => null))
      .toMatchObject({
        name: 'accepted',
      });
    await app.close();
  });
});

describe('when Redis falls silent', () => {
  it('writes end in bounded time, however many wait in one lane: those that were not sent say so', async () => {
    const app = await connectToServer();
    await app.stores.projects.put({ id: 'p5', name: 'accepted' });
    await admin.call('CLIENT', 'PAUSE', '60000', 'WRITE');
    const startedAt = performance.now();
    const puts = Array.from({ length: 3_000 }, (_, i) => app.stores.projects.put({ id: 'p5', name: `${i}` }));
    const outcomes = await Promise.allSettled(puts);
    const tookMs = performance.now() - startedAt;
    await admin.call('CLIENT', 'UNPAUSE');
    const codes = outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason.code);
    expect(codes.filter((code) => code === 'OUTCOME_UNKNOWN')).toHaveLength(128);
    expect(codes.filter((code) => code === 'REDIS_UNAVAILABLE')).toHaveLength(3_000 - 128);
    // One time-out of a command, not one for each of 24 calls.
    expect(tookMs).toBeLessThan(patient(15_000));
    await app.stores.projects.put({ id: 'p5', name: 'again' });
    await app.close();
  });

  it('only the call that was under way is in doubt: what comes behind it is told as not sent', async () => {
    const app = await connectToServer();
    await app.stores.projects.put({ id: 'p6', name: 'accepted' });
    process.kill(server.pid, 'SIGSTOP');
    const codeOf = (error: { code: string }): string => error.code;
    const codes: unknown[] = [];
    for (const name of ['under way', 'behind it', 'behind that']) {
      codes.push(await app.stores.projects.put({ id: 'p6', name }).catch(codeOf));
    }
    process.kill(server.pid, 'SIGCONT');
    expect(codes).toEqual(['OUTCOME_UNKNOWN', 'REDIS_UNAVAILABLE', 'REDIS_UNAVAILABLE']);
    await app.close();
  });
});

async function writers(): Promise<string[]> {
  const list = (await admin.client('LIST')) as string;
  return list.split('\n').filter((line) => line.includes('name=forebay-writes'));
}

async function blockedWriters(): Promise<number> {
  return (await writers()).filter((line) => / flags=\S*b/.test(line)).length;
}

async function killWriters(): Promise<void> {
  for (const line of await writers()) await admin.client('KILL', 'ID', Number(/ ?id=(\d+)/.exec(line)?.[1]));
}
