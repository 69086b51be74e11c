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
