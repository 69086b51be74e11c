import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import * as forebay from '../../src/index.js';
import { createEnvironment, type Environment } from '../support/environment.js';

let environment: Environment;

beforeAll(async () => {
  environment = await createEnvironment();
});

afterEach(() => forebay.closeShared());
afterAll(() => environment.close());

const connect = () => environment.connect(forebay.defineStores({}));

it('R1 one client is shared by the process, and used by plain functions, also while it connects', async () => {
  const sharing = forebay.share(connect);
  expect(await forebay.cacheAside('user:name:1', async () => 'Ada', 60)).toBe('Ada');
  const app = await sharing;
  expect(await app.cache.get('user:name:1')).toBe('Ada');
  expect(await (await forebay.sharedCache()).get('user:name:1')).toBe('Ada');
  const { connections } = await forebay.getRedisMetrics();
  await Promise.all(
    Array.from({ length: 100 }, (_, i) => forebay.cacheAside(`user:name:${i}`, async () => i)),
  );
  expect((await forebay.getRedisMetrics()).connections).toBe(connections);
});

it('R4 the questions about Redis are plain functions', async () => {
  await forebay.share(connect);
  expect(await forebay.isRedisAvailable()).toBe(true);
  expect(await forebay.testRedisConnection()).toMatchObject({ ok: true });
  expect(await forebay.getRedisInfo()).toMatchObject({ mode: 'standalone' });
  expect((await forebay.getRedisMemoryStats()).usedBytes).toBeGreaterThan(0);
  expect((await forebay.getRedisMetrics()).commands).toBeGreaterThan(0);
});

it('without one, a call says what to do, and Redis counts as not available', async () => {
  await expect(forebay.cacheAside('a', async () => 1)).rejects.toMatchObject({ code: 'NOT_SHARED' });
  expect(await forebay.isRedisAvailable()).toBe(false);
  expect(await forebay.testRedisConnection()).toMatchObject({
    ok: false,
    error: expect.stringContaining('share'),
  });
});

it('a second one is refused, until the first is closed or has failed to connect', async () => {
  await forebay.share(connect);
  await expect(forebay.share(connect)).rejects.toMatchObject({ code: 'ALREADY_SHARED' });
  await forebay.closeShared();
  const failing = async () => {
    throw new forebay.ForebayError('REDIS_UNAVAILABLE', 'away');
  };
  await expect(forebay.share(failing)).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE' });
  await forebay.share(connect);
  expect(await forebay.isRedisAvailable()).toBe(true);
});
