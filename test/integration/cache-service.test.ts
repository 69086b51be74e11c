import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Forebay } from '../../src/app/connect.js';
import { type Definitions, defineStores } from '../../src/definitions/stores.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { HeldLoader } from '../support/loader.js';
import { type OwnRedis, startOwnRedis } from '../support/own-redis.js';

let environment: Environment;
let app: Forebay<Definitions>;

beforeEach(async () => {
  environment = await createEnvironment();
  app = await environment.connect(defineStores({}));
});

afterEach(() => environment.close());

describe('S1 get, mget, set, mset, delete and mdelete', () => {
  it('give back what was set, and null for what was not or is deleted', async () => {
    await app.cache.set('user:profile:1', { name: 'Ada', age: 36 }, 60);
    expect(await app.cache.get('user:profile:1')).toEqual({ name: 'Ada', age: 36 });
    expect(await app.cache.get('user:profile:2')).toBeNull();
    expect(await app.cache.delete('user:profile:1')).toBe(true);
    expect(await app.cache.delete('user:profile:1')).toBe(false);
    expect(await app.cache.get('user:profile:1')).toBeNull();
  });

  it('work on many keys, in their order', async () => {
    await app.cache.mset([
      { key: 'a', value: 1 },
      { key: 'b', value: 'two' },
      { key: 'c', value: null },
    ]);
    expect(await app.cache.mget(['c', 'b', 'missing', 'a', 'a'])).toEqual([null, 'two', null, 1, 1]);
    expect(await app.cache.mdelete(['a', 'b', 'missing'])).toBe(2);
    expect(await app.cache.mget(['a', 'b'])).toEqual([null, null]);
  });

  it.each([
    ['a Date', new Date(0)],
    ['a bigint', 2n ** 70n],
    ['a Map of Sets', new Map([['a', new Set([1])]])],
    ['numbers that JSON has not', [Number.NaN, Number.POSITIVE_INFINITY, -0]],
    ['a text with emoji, U+0000 and separators', 'é👍\u0000|;,="'],
    ['a large integer', 2 ** 53 - 1],
    ['a fraction', 0.1],
    ['nested empties', { list: [], object: {}, nothing: null }],
  ])('keep %s', async (_, value) => {
    await app.cache.set('kept', value);
    expect(await app.cache.get('kept')).toEqual(value);
  });

  it('compress what is large', async () => {
    const value = 'forebay '.repeat(10_000);
    await app.cache.set('large', value);
    expect(await app.cache.get('large')).toBe(value);
    const [key] = await environment.redis.keys(`${environment.config.prefix}:large`);
    expect(await environment.redis.strlen(key as string)).toBeLessThan(2_000);
  });

  it.each([
    ['a function', () => 1, 'INVALID_VALUE'],
    ['a class of its own', new (class Point {})(), 'INVALID_VALUE'],
    [
      'more than valueBytesMax',
      'x'
        .repeat(1_100_000)
        .split('')
        .map((_, i) => String((i * 7_919) % 99_991))
        .join(),
      'VALUE_TOO_LARGE',
    ],
  ])('refuse %s', async (_, value, code) => {
    await expect(app.cache.set('refused', value)).rejects.toMatchObject({ code });
  });

  it.each(['', '#tag', 'x'.repeat(1_025)])('refuse the key "%.10s"', async (key) => {
    await expect(app.cache.get(key)).rejects.toMatchObject({ code: 'INVALID_KEY' });
    await expect(app.cache.set(key, 1)).rejects.toMatchObject({ code: 'INVALID_KEY' });
  });
});

describe('S2 patterns', () => {
  it('never reach keys of lanes, queues and tags', async () => {
    await app.cache.set('tagged', 1, 60, { tags: ['all'] });
    expect(await app.cache.invalidatePattern('*')).toBe(1);
    expect(await environment.redis.exists(`${environment.config.prefix}:#all`)).toBe(1);
  });
});

describe('S3 increment and decrement', () => {
  it('are atomic', async () => {
    await Promise.all(Array.from({ length: 100 }, () => app.cache.increment('visits', 2)));
    expect(await app.cache.decrement('visits', 50)).toBe(150);
    expect(await app.cache.get('visits')).toBe(150);
  });

  it('go on from what was set, and keep its life', async () => {
    await app.cache.set('visits', 40, 60);
    expect(await app.cache.increment('visits')).toBe(41);
    expect(await app.cache.ttl('visits')).toBeGreaterThan(50);
  });

  it('refuse what is no counter', async () => {
    await app.cache.set('name', 'Ada');
    await expect(app.cache.increment('name')).rejects.toMatchObject({ code: 'NOT_A_COUNTER' });
    await expect(app.cache.increment('visits', 0.5)).rejects.toMatchObject({ code: 'INVALID_VALUE' });
  });
});

describe('S4 setnx, exists, ttl and expire', () => {
  it('set once', async () => {
    const won = await Promise.all(Array.from({ length: 20 }, (_, i) => app.cache.setnx('once', i, 60)));
    expect(won.filter(Boolean)).toHaveLength(1);
    expect(await app.cache.get('once')).toBe(won.indexOf(true));
    expect(await app.cache.exists('once')).toBe(true);
    expect(await app.cache.exists('never')).toBe(false);
  });

  it('tell and change the life of a value', async () => {
    await app.cache.set('short', 1, 100);
    expect(await app.cache.ttl('short')).toBeGreaterThan(80);
    expect(await app.cache.expire('short', 1_000)).toBe(true);
    expect(await app.cache.ttl('short')).toBeGreaterThan(900);
    expect(await app.cache.ttl('never')).toBeNull();
    expect(await app.cache.expire('never', 10)).toBe(false);
  });

  it('end a value with its life', async () => {
    await app.cache.set('short', { a: 1 }, 0.05);
    await expect.poll(() => app.cache.get('short'), { interval: 10 }).toBeNull();
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('refuse a life of %d s', async (ttl) => {
    await expect(app.cache.set('a', 1, ttl)).rejects.toMatchObject({ code: 'INVALID_VALUE' });
  });
});

describe('S5 statistics', () => {
  it('count hits, misses, sets, deletes and latency, for each namespace, until they are reset', async () => {
    await app.cache.set('user:a', 1);
    await app.cache.mget(['user:a', 'user:b', 'project:a']);
    await app.cache.delete('user:a');
    const statistics = app.cache.getStats();
    expect(statistics).toMatchObject({ hits: 1, misses: 2, sets: 1, deletes: 1, errors: 0, operations: 5 });
    expect(statistics.hitRate).toBeCloseTo(1 / 3);
    expect(statistics.byNamespace.user).toMatchObject({ hits: 1, misses: 1, hitRate: 0.5 });
    expect(statistics.latency.count).toBe(1);
    expect(statistics.latency.maxMs).toBeGreaterThan(0);
    app.cache.resetStats();
    expect(app.cache.getStats()).toMatchObject({ hits: 0, operations: 0, hitRate: 0, byNamespace: {} });
  });

  it('stay above 0 when they are reset while a read waits that is served a stale value', async () => {
    const life = { ttlMs: 1, graceMs: 60_000 };
    await app.read('user:a', async () => 'old', life);
    const isStale = async () => (await app.cache.explain('user:a')).state;
    await expect.poll(isStale, { interval: 1 }).toBe('stale');
    const served = app.read(
      'user:a',
      async () => {
        app.cache.resetStats();
        throw new Error('no new one');
      },
      life,
    );
    expect(await served).toBe('old');
    expect(app.cache.getStats().misses).toBeGreaterThanOrEqual(0);
  });
});

describe('S5 statistics as events', () => {
  it('are told at intervals, when something was counted, and once more at the end', async () => {
    const told = () =>
      environment.events.flatMap((event) => (event.type === 'cache.statistics' ? [event.statistics] : []));
    const own = await environment.connect(defineStores({}), { cache: { statisticsEveryMs: 5 } });
    await own.cache.set('user:a', 1);
    await expect.poll(told, { interval: 1 }).toHaveLength(1);
    expect(told()[0]).toMatchObject({ sets: 1, byNamespace: { user: { sets: 1 } } });
    await own.cache.get('user:a');
    await own.close();
    expect(told().at(-1)).toMatchObject({ sets: 1, hits: 1 });
    expect(told().length).toBeLessThanOrEqual(3);
  });
});

describe('tags', () => {
  it('make all values stale that carry them, and none that is set afterwards', async () => {
    await app.cache.set('a', 1, 60, { tags: ['project:1', 'user=2,é'] });
    await app.cache.set('b', 2, 60, { tags: ['project:1'] });
    await app.cache.set('c', 3, 60, { tags: ['project:2'] });
    await app.cache.invalidateTag('project:1');
    expect(await app.cache.mget(['a', 'b', 'c'])).toEqual([null, null, 3]);
    await app.cache.set('a', 4, 60, { tags: ['project:1', 'user=2,é'] });
    expect(await app.cache.get('a')).toBe(4);
    await app.cache.invalidateTag('user=2,é');
    expect(await app.cache.get('a')).toBeNull();
  });

  it('whose version was evicted prove nothing: the value is stale, also when the tag has a version again', async () => {
    await app.cache.set('a', 1, 60, { tags: ['t'] });
    await environment.redis.del(`${environment.config.prefix}:#t`);
    expect(await app.cache.get('a')).toBeNull();
    await app.cache.set('b', 2, 60, { tags: ['t'] });
    expect(await app.cache.mget(['a', 'b'])).toEqual([null, 2]);
  });
});

describe('explain', () => {
  const explain = () => app.cache.explain('key');

  it('tells why a read is a hit, stale, invalidated or a miss', async () => {
    expect(await explain()).toEqual({ state: 'missing', isInMemory: false, tags: [] });
    await app.patterns.cacheAside('key', async () => 1, 60, { tags: ['t'], graceMs: 60_000 });
    expect(await explain()).toMatchObject({ state: 'fresh', tags: [{ tag: 't' }] });
    const { freshForMs = 0, livesForMs = 0 } = await explain();
    expect(freshForMs).toBeGreaterThan(50_000);
    expect(livesForMs).toBeGreaterThan(freshForMs + 50_000);
    await app.cache.invalidateTag('t');
    expect(await explain()).toMatchObject({ state: 'invalidated' });
    await app.patterns.cacheAside('key', async () => 1, 0.01, { graceMs: 60_000, forceRefresh: true });
    await expect.poll(explain, { interval: 5 }).toMatchObject({ state: 'stale' });
  });

  it('tells who loads it, and why the last load failed', async () => {
    const loader = new HeldLoader<number>();
    const reading = app.patterns.cacheAside('key', () => loader.load());
    const load = await loader.next();
    expect(await explain()).toMatchObject({ state: 'missing', lease: expect.any(String) });
    load.fail(new Error('the database is away'));
    await expect(reading).rejects.toThrow();
    expect(await explain()).toMatchObject({ lastError: new Error('the database is away') });
  });
});

describe('on a server of its own', () => {
  let server: OwnRedis;

  beforeAll(async () => {
    server = await startOwnRedis();
  });

  afterAll(() => server.remove());

  beforeEach(async () => {
    const redis = server.settings;
    const config = { ...environment.config, redis, queueRedis: redis };
    app = await environment.connect(defineStores({}), { config });
  });

  it('S1 many keys are one round trip', async () => {
    const keys = Array.from({ length: 500 }, (_, i) => `user:tasks:${i}`);
    await app.cache.mset(keys.map((key) => ({ key, value: key })));
    const before = await reads();
    expect(await app.cache.mget(keys)).toEqual(keys);
    expect((await reads()) - before).toBeLessThan(10);
  });

  it('S2 keys are found by SCAN and deleted by UNLINK, never by KEYS or DEL', async () => {
    const keys = Array.from({ length: 2_500 }, (_, i) => `user:tasks:${i}`);
    await app.cache.mset([...keys, 'project:tasks:1'].map((key) => ({ key, value: key })));
    const found = new Set<string>();
    for await (const key of app.cache.scanPattern('user:*')) found.add(key);
    expect(found).toEqual(new Set(keys));
    expect(await app.cache.invalidatePattern('user:*')).toBe(2_500);
    expect(await app.cache.mget(['user:tasks:17', 'project:tasks:1'])).toEqual([null, 'project:tasks:1']);
    expect(await server.calls('keys')).toBe(0);
    expect(await server.calls('del')).toBe(0);
  });

  it('a tag is invalidated in one step, whatever the number of values', async () => {
    const keys = Array.from({ length: 100 }, (_, i) => `k${i}`);
    await app.cache.mset(keys.map((key, value) => ({ key, value, tags: ['many'] })));
    const before = await server.calls('set');
    await app.cache.invalidateTag('many');
    expect((await server.calls('set')) - before).toBe(1);
    expect(new Set(await app.cache.mget(keys))).toEqual(new Set([null]));
  });

  /** How often the server has read from a connection. */
  async function reads(): Promise<number> {
    return Number(/^total_reads_processed:(\d+)/m.exec(await server.admin.info('stats'))?.[1]);
  }
});
