import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { defineStores } from '../../src/definitions/stores.js';
import { ForebayError } from '../../src/errors.js';
import * as health from '../../src/health.js';
import { cacheAside } from '../../src/patterns.js';
import { closeShared, share, sharedClient } from '../../src/shared.js';
import { createEnvironment, type Environment } from '../support/environment.js';

let environment: Environment;

beforeAll(async () => {
  environment = await createEnvironment();
});

afterEach(() => closeShared());
afterAll(() => environment.close());

const connect = () => environment.connect(defineStores({}));

it('R1 one client is shared by the process, and used by plain functions, also while it connects', async () => {
  const sharing = share(connect);
  expect(await cacheAside('user:name:1', async () => 'Ada', 60)).toBe('Ada');
  const app = await sharing;
  expect(await app.cache.get('user:name:1')).toBe('Ada');
  expect(await (await sharedClient()).cache.get('user:name:1')).toBe('Ada');
  const { connections } = await health.getRedisMetrics();
  await Promise.all(Array.from({ length: 100 }, (_, i) => cacheAside(`user:name:${i}`, async () => i)));
  expect((await health.getRedisMetrics()).connections).toBe(connections);
});

it('R4 the questions about Redis are plain functions', async () => {
  await share(connect);
  expect(await health.isRedisAvailable()).toBe(true);
  expect(await health.testRedisConnection()).toMatchObject({ ok: true });
  expect(await health.getRedisInfo()).toMatchObject({ mode: 'standalone' });
  expect((await health.getRedisMemoryStats()).usedBytes).toBeGreaterThan(0);
  expect((await health.getRedisMetrics()).commands).toBeGreaterThan(0);
});

it('without one, a call says what to do, and Redis counts as not available', async () => {
  await expect(cacheAside('a', async () => 1)).rejects.toMatchObject({ code: 'NOT_SHARED' });
  expect(await health.isRedisAvailable()).toBe(false);
  expect(await health.testRedisConnection()).toMatchObject({
    ok: false,
    error: expect.stringContaining('share'),
  });
});

it('a second one is refused, until the first is closed or has failed to connect', async () => {
  await share(connect);
  await expect(share(connect)).rejects.toMatchObject({ code: 'ALREADY_SHARED' });
  await closeShared();
  const failing = async () => {
    throw new ForebayError('REDIS_UNAVAILABLE', 'away');
  };
  await expect(share(failing)).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE' });
  await share(connect);
  expect(await health.isRedisAvailable()).toBe(true);
});
