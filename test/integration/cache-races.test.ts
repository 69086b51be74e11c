/** The races in which caches keep an old value, one by one: what each must leave behind. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Forebay } from '../../src/client/forebay.js';
import { type Definitions, defineStores } from '../../src/definitions/stores.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { HeldLoader } from '../support/loader.js';

let environment: Environment;
/** Two processes, as far as they can tell. */
let app: Forebay<Definitions>;
let other: Forebay<Definitions>;
let loader: HeldLoader<string>;

beforeEach(async () => {
  environment = await createEnvironment();
  app = await environment.connect(defineStores({}));
  other = await environment.connect(defineStores({}));
  loader = new HeldLoader();
});

afterEach(() => environment.close());

const key = 'user:profile:1';
const tagged = { tags: ['users'] };
const fetch = (): Promise<string> => loader.load();
const read = (one = app) => one.patterns.cacheAside(key, fetch, 60);
const entryKey = () => `${environment.config.prefix}:${key}`;

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

  it('after a delete, also when it refreshes a stale value in the background', async () => {
    await app.patterns.cacheAsideStale(key, async () => 'stale', 0.01, 60);
    await expect.poll(() => app.cache.get(key), { interval: 5 }).toBeNull();
    expect(await app.patterns.cacheAsideStale(key, fetch, 60, 60)).toBe('stale');
    const load = await loader.next();
    await other.cache.delete(key);
    load.succeed('older');
    const reading = read();
    (await loader.next()).succeed('newer');
    expect(await reading).toBe('newer');
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
  let plain: Forebay<Definitions>;

  beforeEach(async () => {
    plain = await environment.connect(defineStores({}), { cache: { l1: false } });
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
    await expect.poll(() => plain.cache.get(key), { interval: 5 }).toBeNull();
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
    const large = 'older'.repeat(5_000_000); // unpacking it takes a while
    const filling = app.patterns.cacheAside(key, () => loader.load(), 60);
    const load = await loader.next();
    const before = plain.patterns.cacheAside(key, fetch, 60);
    await expect.poll(() => environment.redis.get(entryKey())).toContain(';w|');
    plain.cache.resetStats();
    load.succeed(large);
    await filling;
    await expect.poll(() => plain.cache.getStats().latency.count, { interval: 1 }).toBe(1);
    await other.cache.delete(key);
    const after = plain.patterns.cacheAside(key, async () => 'newer', 60);
    expect((await before)?.length).toBe(large.length);
    expect((await after)?.slice(0, 10)).toBe('newer');
  });
});

describe('a tag that is invalidated during a load', () => {
  it('makes the loaded value stale', async () => {
    const reading = app.patterns.cacheAside(key, fetch, 60, tagged);
    const load = await loader.next();
    await other.cache.invalidateTag('users');
    load.succeed('older');
    expect(await reading).toBe('older');
    expect(await app.cache.get(key)).toBeNull();
    expect(await app.patterns.cacheAside(key, async () => 'newer', 60, tagged)).toBe('newer');
    expect(await other.cache.get(key)).toBe('newer');
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
    const options = { ...tagged, grace: 60 };
    await app.patterns.cacheAside(key, async () => 'older', 60, options);
    await app.cache.invalidateTag('users');
    const failing = (): Promise<never> => Promise.reject(new Error('away'));
    await expect(app.patterns.cacheAside(key, failing, 60, options)).rejects.toThrow('away');
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
