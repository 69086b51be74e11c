/** The races in which caches keep an old value, one by one: what each must leave behind. */
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Forebay } from '../../src/app/connect.js';
import { computed } from '../../src/definitions/computed.js';
import { defineStores } from '../../src/definitions/stores.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { HeldLoader } from '../support/loader.js';
import { type OwnRedis, startOwnRedis } from '../support/own-redis.js';
import { patient } from '../support/patient.js';
import { ReplyGate } from '../support/reply-gate.js';

const key = 'user:profile:1';
/** What a compressed payload begins with, after the entry's head. */
const compressed = '|zH4sI';
const tagged = { tags: ['users'] };

const stores = defineStores({
  profiles: computed({
    key: (id) => `user:profile:${id}`,
    ttlMs: 60_000,
    graceMs: 60_000,
    ...tagged,
    load: (ids) => fetchMany(ids),
  }),
});
type App = Forebay<typeof stores.definitions>;

let environment: Environment;
/** Two processes, as far as they can tell. */
let app: App;
let other: App;
let loader: HeldLoader<string>;

beforeEach(async () => {
  environment = await createEnvironment();
  app = await environment.connect(stores);
  other = await environment.connect(stores);
  loader = new HeldLoader();
});

afterEach(() => environment.close());

const fetch = (): Promise<string> => loader.load();
const fetchMany = async (keys: readonly string[]): Promise<Map<string, string>> => {
  const value = await loader.load(keys);
  return new Map(keys.map((one) => [one, value]));
};
const read = (one = app) => one.patterns.cacheAside(key, fetch, 60);
const entryKey = () => `${environment.config.prefix}:${key}`;

type Read = () => Promise<unknown>;

/** Ways to read that wait for the load. */
const reads: [string, Read][] = [
  ['cacheAside', () => app.patterns.cacheAside(key, fetch, 60, tagged)],
  ['a forced refresh', () => app.patterns.cacheAside(key, fetch, 60, { ...tagged, forceRefresh: true })],
  ['batchCacheAside', () => app.patterns.batchCacheAside([key], fetchMany, 60, tagged)],
  ['a computed store', () => app.stores.profiles.get('1')],
  ['many of a computed store', () => app.stores.profiles.getMany(['1'])],
  ['a computed store’s refresh', () => app.stores.profiles.refresh('1')],
];

/** Ways to read that serve a stale value, and load in the background. */
const refreshes: [string, Read][] = [
  ['cacheAsideStale', () => app.patterns.cacheAsideStale(key, fetch, 60, 60, tagged)],
  ['refreshAhead', () => app.patterns.refreshAhead(key, fetch, 60, 0.5, tagged)],
  [
    'cacheAside with a soft time-out',
    () => app.patterns.cacheAside(key, fetch, 60, { ...tagged, graceMs: 60_000, softTimeoutMs: 1 }),
  ],
  [
    'batchCacheAside with a soft time-out',
    () =>
      app.patterns.batchCacheAside([key], fetchMany, 60, { ...tagged, graceMs: 60_000, softTimeoutMs: 1 }),
  ],
  ['a computed store', () => app.stores.profiles.get('1')],
  ['many of a computed store', () => app.stores.profiles.getMany(['1'])],
];

/** Leaves a value that is no longer fresh, and may be served. */
async function makeStale(): Promise<void> {
  await app.patterns.cacheAsideStale(key, async () => 'stale', 0.01, 60, tagged);
  await expect.poll(() => app.cache.get(key), { interval: 5 }).toBeNull();
}

describe('a slow loader fills nothing', () => {
  it.each([
    ['after a newer write', () => other.cache.set(key, 'newer'), 'newer'],
    [
      'after a write through',
      () => other.patterns.writeThrough(key, 'newer', async () => undefined),
      'newer',
    ],
    ['after a delete', () => other.cache.delete(key), null],
    ['after the key was invalidated by a pattern', () => other.cache.invalidatePattern('user:*'), null],
    ['after an eviction', () => environment.redis.del(entryKey()), null],
    ['after a write by another program', () => environment.redis.set(entryKey(), '7'), 7],
  ])('%s', async (_, change, expected) => {
    const reading = read();
    const load = await loader.next();
    await change();
    load.succeed('older');
    expect(await reading).toBe('older');
    expect(await app.cache.get(key)).toBe(expected);
  });

  it.each(reads)('after a delete, by whatever way it is called: %s', async (_, readSlowly) => {
    const reading = readSlowly();
    const load = await loader.next();
    await other.cache.delete(key);
    load.succeed('older');
    await reading;
    expect(await app.cache.get(key)).toBeNull();
  });

  it('after a delete, also as part of a batch', async () => {
    const batch = app.patterns.batchCacheAside([key, 'user:profile:2'], async (keys) => {
      await loader.load();
      return keys;
    });
    const load = await loader.next();
    await other.cache.delete(key);
    load.succeed('go on');
    await batch;
    expect(await app.cache.mget([key, 'user:profile:2'])).toEqual([null, 'user:profile:2']);
  });

  it('when its lease is over and another has loaded', async () => {
    const options = { loadTimeoutMs: 60_000 };
    const reading = app.patterns.cacheAside(key, fetch, 60, options);
    const slow = await loader.next();
    await environment.redis.del(entryKey()); // what its expiry does
    const second = read(other);
    (await loader.next()).succeed('newer');
    expect(await second).toBe('newer');
    slow.succeed('older');
    await reading;
    expect(await app.cache.get(key)).toBe('newer');
  });
});

describe('a refresh in the background', () => {
  beforeEach(makeStale);

  it.each(refreshes)('loses no delete that comes while it loads: %s', async (_, refresh) => {
    expect([await refresh()].flat()).toEqual(['stale']);
    const load = await loader.next();
    await other.cache.delete(key);
    load.succeed('older');
    const reading = read();
    (await loader.next()).succeed('newer');
    expect(await reading).toBe('newer');
    expect(await other.cache.get(key)).toBe('newer');
  });

  it.each(refreshes)('loses no invalidation of a tag that comes while it loads: %s', async (_, refresh) => {
    await refresh();
    const load = await loader.next();
    await other.cache.invalidateTag('users');
    load.succeed('older');
    const reading = app.patterns.cacheAside(key, fetch, 60, tagged);
    (await loader.next()).succeed('newer');
    expect(await reading).toBe('newer');
    expect(await other.cache.get(key)).toBe('newer');
  });

  it.each(refreshes)('that fails is not repeated by every read: %s', async (_, refresh) => {
    expect([await refresh()].flat()).toEqual(['stale']);
    (await loader.next()).fail(new Error('the database is away'));
    await expect.poll(() => app.cache.getStats().loadFailures).toBe(1);
    for (let i = 0; i < 10; i++) expect([await refresh()].flat()).toEqual(['stale']);
    expect(loader.count).toBe(1);
  });

  it.each(refreshes)('is one, however many read meanwhile: %s', async (_, refresh) => {
    await Promise.all(Array.from({ length: 20 }, refresh));
    await loader.next();
    for (let i = 0; i < 10; i++) expect([await refresh()].flat()).toEqual(['stale']);
    expect(loader.count).toBe(1);
  });
});

describe('a read that comes after a change', () => {
  it.each([
    ['a delete', () => app.cache.delete(key)],
    ['an invalidation by a pattern', () => app.cache.invalidatePattern('user:*')],
  ])('does not share the load from before it: %s', async (_, change) => {
    const before = read();
    const old = await loader.next();
    await change();
    const after = read();
    const load = await loader.next();
    old.succeed('older');
    load.succeed('newer');
    expect(await before).toBe('older');
    expect(await after).toBe('newer');
    expect(await other.cache.get(key)).toBe('newer');
  });
});

describe('a read that comes after a change of another process', () => {
  let plain: App;

  beforeEach(async () => {
    plain = await environment.connect(stores, { cache: { l1: false } });
  });

  /** Once a read that has begun knows the entry and its tags: replies come in order. */
  async function hasLooked(): Promise<void> {
    for (let i = 0; i < 3; i++) await plain.cache.get('another');
  }

  it('does not share a load from before an invalidation of its tag', async () => {
    const readTagged = () => plain.patterns.cacheAside(key, fetch, 60, tagged);
    const before = readTagged();
    const old = await loader.next();
    await other.cache.invalidateTag('users');
    const after = readTagged();
    await hasLooked();
    old.succeed('older');
    expect(await before).toBe('older');
    (await loader.next()).succeed('newer');
    expect(await after).toBe('newer');
  });

  it('is not served the stale value that a refresh from before an invalidation of its tag was', async () => {
    await plain.patterns.cacheAsideStale(key, async () => 'stale', 0.01, 60, tagged);
    await expect.poll(() => plain.cache.get(key), { interval: 5 }).toBeNull();
    const readTagged = () => plain.patterns.cacheAsideStale(key, fetch, 60, 60, tagged);
    expect(await readTagged()).toBe('stale');
    const old = await loader.next();
    await other.cache.invalidateTag('users');
    const after = readTagged();
    await hasLooked();
    old.succeed('older');
    (await loader.next()).succeed('newer');
    expect(await after).toBe('newer');
  });

  it('is not served the stale value that one who waits for another’s refresh was', async () => {
    await app.patterns.cacheAsideStale(key, async () => 'stale', 0.01, 60);
    // Each knows the server's time within a ms or two: it must be stale for both.
    for (const one of [app, plain]) await expect.poll(() => one.cache.get(key), { interval: 5 }).toBeNull();
    expect(await app.patterns.cacheAsideStale(key, fetch, 60, 60)).toBe('stale');
    const old = await loader.next();
    const readStale = () => plain.patterns.cacheAsideStale(key, fetch, 60, 60);
    expect(await readStale()).toBe('stale');
    await other.cache.delete(key);
    const after = readStale();
    (await loader.next()).succeed('newer');
    expect(await after).toBe('newer');
    old.succeed('older');
  });

  it('does not share the value that an earlier read has seen before it', async () => {
    const gate = await ReplyGate.start(environment.env.REDIS_URL);
    onTestFinished(() => gate.close());
    const config = { ...environment.config, redis: gate.settings };
    const slow = await environment.connect(stores, { config, cache: { l1: false } });
    const large = 'older'.repeat(1_000_000); // unpacking it takes longer than the next read's look
    const filling = app.patterns.cacheAside(key, () => loader.load(), 60);
    const load = await loader.next();
    const before = slow.patterns.cacheAside(key, fetch, 60);
    await expect.poll(() => environment.redis.get(entryKey())).toContain(';w|');
    gate.holdAt(compressed);
    load.succeed(large);
    await filling;
    await gate.held(); // it has seen the value, and does not know yet
    await other.cache.delete(key);
    const after = slow.patterns.cacheAside(key, async () => 'newer', 60);
    gate.letGo();
    expect(await before).toBe(large);
    expect(await after).toBe('newer');
  });
});

describe('a client that is closed', () => {
  it('starts no load any more, also for a read that waited for the load of another process', async () => {
    const loading = read(other);
    const load = await loader.next();
    const waiting = read();
    const refused = expect(waiting).rejects.toMatchObject({ code: 'CLOSED' });
    await expect.poll(() => environment.redis.get(entryKey())).toContain(';w|');
    await app.close();
    load.fail(new Error('the database is away'));
    await expect(loading).rejects.toThrow('the database is away');
    await refused;
    expect(loader.count).toBe(1);
  });
});

describe('a tag that is invalidated during a load', () => {
  it.each(reads)('makes the loaded value stale: %s', async (_, readSlowly) => {
    const reading = readSlowly();
    const load = await loader.next();
    await other.cache.invalidateTag('users');
    load.succeed('older');
    expect([await reading].flat()).toEqual(['older']);
    expect(await app.cache.get(key)).toBeNull();
    const after = readSlowly();
    (await loader.next()).succeed('newer');
    expect([await after].flat()).toEqual(['newer']);
    expect(await other.cache.get(key)).toBe('newer');
  });

  it('makes the value stale that is written through meanwhile', async () => {
    await app.patterns.writeThrough(key, 'older', () => other.cache.invalidateTag('users'), 60, tagged);
    expect(await app.cache.get(key)).toBeNull();
  });

  it('is not forgotten with its version: an eviction of it makes the value stale too', async () => {
    const reading = app.patterns.cacheAside(key, fetch, 60, tagged);
    const load = await loader.next();
    await other.cache.invalidateTag('users');
    await environment.redis.del(`${environment.config.prefix}:#users`);
    load.succeed('older');
    await reading;
    expect(await app.cache.get(key)).toBeNull();
  });

  it('lets no value be served in its grace', async () => {
    const options = { ...tagged, graceMs: 60_000 };
    await app.patterns.cacheAside(key, async () => 'older', 60, options);
    await app.cache.invalidateTag('users');
    const failing = (): Promise<never> => Promise.reject(new Error('away'));
    await expect(app.patterns.cacheAside(key, failing, 60, options)).rejects.toThrow('away');
  });
});

describe('the version of a tag', () => {
  it('is never used again, so what was evicted makes no old value fresh', async () => {
    await app.cache.set(key, 'older', 60, tagged);
    for (let i = 0; i < 10; i++) {
      await environment.redis.del(`${environment.config.prefix}:#users`);
      await other.cache.invalidateTag('users');
      expect(await app.cache.get(key)).toBeNull();
    }
  });
});

describe('keys of batches that overlap', () => {
  it('are loaded once, also with single reads, by computed stores of all processes', async () => {
    const first = app.stores.profiles.getMany(['1', '2']);
    const load = await loader.next();
    const second = app.stores.profiles.getMany(['2', '3']);
    const third = other.stores.profiles.getMany(['3', '1']);
    const fourth = other.stores.profiles.get('2');
    const rest = await loader.next();
    expect([load.keys, rest.keys]).toEqual([['1', '2'], ['3']]);
    load.succeed('first');
    rest.succeed('second');
    expect(await Promise.all([first, second, third, fourth])).toEqual([
      ['first', 'first'],
      ['first', 'second'],
      ['second', 'first'],
      'first',
    ]);
    expect(loader.count).toBe(2);
  });

  it('that cross each other wait for no one in vain', async () => {
    const keys = Array.from({ length: 20 }, (_, i) => `user:profile:${i}`);
    const load = async (missing: readonly string[]) => new Map(missing.map((one) => [one, one]));
    const batches = [app, other].flatMap((one) =>
      [keys, keys.toReversed()].map((order) => one.patterns.batchCacheAside(order, load, 60)),
    );
    for (const values of await Promise.all(batches)) expect(values.toSorted()).toEqual(keys.toSorted());
  });

  it('remember what is absent, in computed stores too', async () => {
    const none = vi.fn(async () => new Map<string, string>());
    const empty = defineStores({ profiles: computed({ key: (id) => `user:full:${id}`, load: none }) });
    const one = await environment.connect(empty);
    for (let i = 0; i < 3; i++) expect(await one.stores.profiles.getMany(['1', '2'])).toEqual([null, null]);
    expect(await one.stores.profiles.get('1')).toBeNull();
    expect(none).toHaveBeenCalledTimes(1);
  });
});

describe('a load that fails', () => {
  it.each(reads)('is not repeated by every read: %s', async (way, readOften) => {
    const first = readOften();
    (await loader.next()).fail(new Error('the database is away'));
    await expect(first).rejects.toThrow('the database is away');
    if (way.includes('refresh')) return; // it is asked for
    for (let i = 0; i < 10; i++) await expect(readOften()).rejects.toThrow('the database is away');
    expect(loader.count).toBe(1);
  });
});

describe('on a server of its own', () => {
  let server: OwnRedis;

  beforeEach(async () => {
    server = await startOwnRedis();
    const redis = server.settings;
    const options = { config: { ...environment.config, redis, queueRedis: redis } };
    app = await environment.connect(stores, options);
    other = await environment.connect(stores, options);
  });

  afterEach(() => server.remove());

  it('who waits for another’s load gets its value soon, also when the message of the fill is lost', async () => {
    const loading = read(other);
    const load = await loader.next();
    const waiting = read();
    await expect.poll(() => server.admin.get(entryKey())).toContain(';w|');
    await server.admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    load.succeed('value');
    await loading;
    const filledAt = performance.now();
    expect(await waiting).toBe('value');
    expect(performance.now() - filledAt).toBeLessThan(patient(2_000));
    expect(loader.count).toBe(1);
  });

  it('a load from while Redis was away is not shared by a read after a change, once it is back', async () => {
    await server.stop();
    const before = read();
    const old = await loader.next();
    await server.restart();
    await expect.poll(() => other.cache.delete(key).catch(() => undefined)).toBe(false);
    await expect.poll(() => app.cache.get(key).catch(() => undefined)).toBeNull();
    const after = read();
    (await loader.next()).succeed('newer');
    expect(await after).toBe('newer');
    old.succeed('older');
    expect(await before).toBe('older');
    expect(await other.cache.get(key)).toBe('newer');
  });

  it('while Redis is away, a key of overlapping batches and single reads is loaded once by a process', async () => {
    await server.stop();
    const all = [
      app.stores.profiles.getMany(['1', '2']),
      app.stores.profiles.getMany(['2', '3']),
      app.stores.profiles.get('1'),
    ];
    const loads = [await loader.next(), await loader.next()];
    for (const load of loads) load.succeed('value');
    expect((await Promise.all(all)).flat()).toEqual(Array.from({ length: 5 }, () => 'value'));
    expect(loads.map(({ keys }) => keys)).toEqual([['1', '2'], ['3']]);
    expect(loader.count).toBe(2);
  });
});

describe('a value that cannot be read', () => {
  it.each(['not ours', 'V1;;|{broken', 'V1;;|dbroken', 'V1;;|zbroken', '?broken', 'V'])(
    'as "%s" is loaded anew',
    async (content) => {
      await environment.redis.set(entryKey(), content);
      const reading = read();
      (await loader.next()).succeed('value');
      expect(await reading).toBe('value');
      expect(await other.cache.get(key)).toBe('value');
    },
  );
});
