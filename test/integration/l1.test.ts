import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Forebay } from '../../src/app/connect.js';
import { type Definitions, defineStores } from '../../src/definitions/stores.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { type OwnRedis, startOwnRedis } from '../support/own-redis.js';

let environment: Environment;
let server: OwnRedis;
let app: Forebay<Definitions>;
let other: Forebay<Definitions>;

beforeAll(async () => {
  server = await startOwnRedis();
});

afterAll(() => server.remove());

beforeEach(async () => {
  environment = await createEnvironment();
  const redis = server.settings;
  const options = { config: { ...environment.config, redis, queueRedis: redis } };
  app = await environment.connect(defineStores({}), options);
  other = await environment.connect(defineStores({}), options);
});

afterEach(() => environment.close());

const key = 'user:profile:1';
const entryKey = () => `${environment.config.prefix}:${key}`;

/** Reads until the value comes from memory. */
async function warm(value: unknown, tags?: string[]): Promise<void> {
  await app.cache.set(key, value, 60, tags ? { tags } : {});
  app.cache.resetStats();
  await expect
    .poll(async () => {
      await app.cache.get(key);
      return app.cache.getStats().l1Hits;
    })
    .toBeGreaterThan(0);
}

async function evictAll(): Promise<void> {
  await server.admin.config('SET', 'maxmemory-policy', 'allkeys-random');
  await server.admin.config('SET', 'maxmemory', '1');
  await expect.poll(() => server.admin.dbsize(), { interval: 1 }).toBe(0);
  await server.admin.config('SET', 'maxmemory', '0', 'maxmemory-policy', 'noeviction');
}

describe('a value in memory', () => {
  it('is read without Redis', async () => {
    await warm({ name: 'Ada' });
    const before = await server.calls('get');
    for (let i = 0; i < 100; i++) expect(await app.cache.get(key)).toEqual({ name: 'Ada' });
    expect(await server.calls('get')).toBe(before);
  });

  it.each([
    ['a write of another process', () => other.cache.set(key, 'new'), 'new'],
    ['a delete of another process', () => other.cache.delete(key), null],
    ['an invalidation by a pattern', () => other.cache.invalidatePattern('user:*'), null],
    ['another program', () => server.admin.set(entryKey(), '7'), 7],
    ['a delete by another program', () => server.admin.del(entryKey()), null],
    ['an expiry', () => server.admin.pexpire(entryKey(), 1), null],
    ['an eviction', () => evictAll(), null],
    ['a flush of the server', () => server.admin.flushall(), null],
  ])('goes with %s', async (_, change, expected) => {
    await warm('old');
    await change();
    await expect.poll(() => app.cache.get(key), { interval: 1 }).toBe(expected);
  });

  it('goes with one of its tags', async () => {
    await warm('old', ['users', 'projects']);
    await other.cache.invalidateTag('projects');
    await expect.poll(() => app.cache.get(key), { interval: 1 }).toBeNull();
  });

  it('is never read by the process that has changed it', async () => {
    for (let i = 0; i < 200; i++) {
      await app.cache.set(key, i);
      expect(await app.cache.get(key)).toBe(i);
      if (i % 3 === 0) {
        await app.cache.set(key, [i], 60, { tags: ['t'] });
        expect(await app.cache.get(key)).toEqual([i]);
        await app.cache.invalidateTag('t');
        expect(await app.cache.get(key)).toBeNull();
      }
    }
  });

  it('can’t be changed by who has read it', async () => {
    await warm({ list: [1] });
    const value = (await app.cache.get<{ list: number[] }>(key)) as { list: number[] };
    expect(() => value.list.push(2)).toThrow(TypeError);
    await warm({ at: new Date(0) });
    const dated = (await app.cache.get<{ at: Date }>(key)) as { at: Date };
    dated.at.setFullYear(1999);
    expect(await app.cache.get(key)).toEqual({ at: new Date(0) });
  });

  it('may hold itself', async () => {
    const circle: { self?: object } = {};
    circle.self = circle;
    await warm(circle);
    const value = (await app.cache.get<{ self: object }>(key)) as { self: object };
    expect(value.self).toBe(value);
  });

  it('is not kept when the app wants none in memory', async () => {
    const redis = server.settings;
    const config = { ...environment.config, redis, queueRedis: redis };
    const plain = await environment.connect(defineStores({}), { config, cache: { l1: false } });
    await plain.cache.set(key, 1);
    for (let i = 0; i < 10; i++) await plain.cache.get(key);
    expect(plain.cache.getStats()).toMatchObject({ hits: 10, l1Hits: 0 });
  });
});

describe('while the feed of invalidations is lost', () => {
  it('memory is bypassed, so nothing stale is read; it is used again when the feed is back', async () => {
    await warm('old');
    const events = () => environment.events.filter(({ type }) => type.startsWith('l1.')).length;
    const before = events();
    // A change that the feed can't tell of any more.
    await server.admin.multi().call('CLIENT', 'KILL', 'TYPE', 'pubsub').set(entryKey(), 'V1;;|"new"').exec();
    await expect.poll(() => app.cache.get(key), { interval: 1 }).toBe('new');
    await expect.poll(events).toBeGreaterThanOrEqual(before + 4);
    await warm('newer');
  });
});
