/** What is true of cached values, wherever they are. */
import { expect } from 'vitest';
import { Keys, refusalOf, type Specification } from './stores.js';

export const values: Specification[] = [
  [
    'values are set, read, changed and deleted',
    async ({ cache }, own) => {
      await cache.set(own('a'), { deep: [1, null, 'x'] });
      await cache.mset([
        { key: own('b'), value: new Date(0) },
        { key: own('c'), value: null },
      ]);
      expect(await cache.mget(['a', 'b', 'c', 'none'].map(own))).toEqual([
        { deep: [1, null, 'x'] },
        new Date(0),
        null,
        null,
      ]);
      expect(await cache.setnx(own('a'), 1)).toBe(false);
      expect(await cache.setnx(own('d'), 1)).toBe(true);
      expect([await cache.exists(own('d')), await cache.exists(own('none'))]).toEqual([true, false]);
      expect([await cache.delete(own('d')), await cache.delete(own('d'))]).toEqual([true, false]);
      expect(await cache.mdelete(['a', 'b', 'none'].map(own))).toBe(2);
    },
  ],
  [
    'integers are counted',
    async ({ cache }, own) => {
      expect(await cache.increment(own('a'), 5)).toBe(5);
      expect(await cache.decrement(own('a'), 7)).toBe(-2);
      await cache.set(own('set'), 40);
      expect(await cache.increment(own('set'), 2)).toBe(42);
      expect(await cache.get(own('set'))).toBe(42);
      await cache.set(own('text'), 'x');
      await cache.set(own('large'), Number.MAX_SAFE_INTEGER);
      expect(await refusalOf(cache.increment(own('text')))).toBe('NOT_A_COUNTER');
      expect(await refusalOf(cache.increment(own('large')))).toBe('COUNTER_OVERFLOW');
    },
  ],
  [
    'values have a life, which can be changed',
    async ({ cache }, own) => {
      await cache.set(own('a'), 'x', 100);
      const ttl = (await cache.ttl(own('a'))) ?? 0;
      expect(ttl).toBeGreaterThan(80);
      expect(ttl).toBeLessThanOrEqual(100);
      expect([await cache.expire(own('a'), 500), await cache.expire(own('none'), 500)]).toEqual([
        true,
        false,
      ]);
      expect(await cache.ttl(own('a'))).toBeGreaterThan(400);
      expect(await cache.get(own('a'))).toBe('x');
      expect(await cache.ttl(own('none'))).toBeNull();
    },
  ],
  [
    'keys are found by a pattern, and deleted',
    async ({ cache }, own) => {
      const keys = ['page:1', 'page:2', 'page:12', 'post:1', 'a*b'].map(own);
      await cache.mset(keys.map((key) => ({ key, value: key })));
      const found = new Set<string>();
      for await (const key of cache.scanPattern(own('page:?'))) found.add(key);
      expect([...found].sort()).toEqual(['page:1', 'page:2'].map(own));
      expect(await cache.invalidatePattern(own('p[ao]*:1'))).toBe(2);
      expect(await cache.invalidatePattern(own('a\\*b'))).toBe(1);
      expect((await cache.mget(keys)).map((value) => value !== null)).toEqual([
        false,
        true,
        true,
        false,
        false,
      ]);
    },
  ],
  [
    'values with a tag are stale once it is invalidated',
    async ({ cache, read }, own) => {
      await cache.set(own('a'), 1, 60, { tags: [own('t'), own('u')] });
      await cache.set(own('b'), 2, 60, { tags: [own('u')] });
      await cache.invalidateTag(own('t'));
      expect(await cache.mget([own('a'), own('b')])).toEqual([null, 2]);
      expect(await read(own('a'), async () => 'new', { tags: [own('t')] })).toBe('new');
      expect(await cache.get(own('a'))).toBe('new');
      await cache.invalidateTag(own('t'));
      expect(await cache.explain(own('a'))).toMatchObject({ state: 'invalidated' });
    },
  ],
  [
    'a value is loaded once for all who miss it, and absence is remembered',
    async ({ read, readMany }, own) => {
      let loads = 0;
      const load = async () => ++loads;
      const seen = await Promise.all([1, 2, 3].map(() => read(own('a'), load)));
      expect([seen, loads, await read(own('a'), load)]).toEqual([[1, 1, 1], 1, 1]);
      expect(await read(own('a'), load, { forceRefresh: true })).toBe(2);
      expect(await read(own('absent'), async () => null)).toBeNull();
      expect(await read(own('absent'), load)).toBeNull();
      const many = await readMany([own('a'), own('b'), own('c')], async (keys) =>
        keys.map((key) => (key === own('b') ? 'b' : null)),
      );
      expect(many).toEqual([2, 'b', null]);
    },
  ],
  [
    'a load that fails is told to whoever asked, and leaves nothing',
    async ({ read, cache }, own) => {
      const failed = read(own('a'), () => Promise.reject(new Error('no such thing')));
      await expect(failed).rejects.toThrow('no such thing');
      expect(await cache.get(own('a'))).toBeNull();
    },
  ],
  [
    'a value that is deleted during its load is not cached',
    async ({ read, cache }, own) => {
      const value = await read(own('a'), async () => {
        await cache.delete(own('a'));
        return 'old';
      });
      expect([value, await cache.get(own('a'))]).toEqual(['old', null]);
    },
  ],
  [
    'a write through the cache is in both, or in neither',
    async ({ write, cache }, own) => {
      const written: unknown[] = [];
      expect(await write(own('a'), 1, async (data) => written.push(data))).toBe(1);
      expect([written, await cache.get(own('a'))]).toEqual([[1], 1]);
      await expect(write(own('a'), 2, () => Promise.reject(new Error('full')))).rejects.toThrow('full');
      expect(await cache.get(own('a'))).toBeNull();
    },
  ],
  [
    'a value that is written behind is read while it is pending',
    async (app, own) => {
      const key = Keys.note(own('a'));
      const receipt = await app.write(key, { text: 'x' }, app.stores.notes);
      expect(await app.cache.get(key)).toEqual({ text: 'x' });
      await receipt.persisted();
      expect(await refusalOf(app.write(own('other'), { text: 'x' }, app.stores.notes))).toBe('INVALID_KEY');
    },
  ],
  [
    'a computed value is computed once, until it is invalidated',
    async ({ stores, cache }) => {
      expect(await stores.squares.get('3')).toBe(9);
      expect(await stores.squares.getMany(['4', '-1', '3'])).toEqual([16, null, 9]);
      await cache.set(Keys.square('3'), 10);
      expect(await stores.squares.get('3')).toBe(10);
      expect(await stores.squares.refresh('3')).toBe(9);
      await cache.set(Keys.square('3'), 10);
      await stores.squares.invalidate('3');
      expect(await stores.squares.get('3')).toBe(9);
      expect(await stores.squares.warm(['3', '5', '-1'])).toMatchObject({
        computed: 1,
        fresh: 2,
        failures: [],
      });
    },
  ],
  [
    'the patterns work with it',
    async ({ patterns, cache }, own) => {
      expect(await patterns.cacheAside(own('a'), async () => 1, 60)).toBe(1);
      expect(await patterns.cacheAsideStale(own('a'), async () => 2, 60)).toBe(1);
      expect(await patterns.preventStampede(own('a'), async () => 2)).toBe(1);
      expect(await patterns.multiTierCache(own('a'), 60, async () => 2)).toBe(1);
      expect(await patterns.refreshAhead(own('a'), async () => 2, 60)).toBe(1);
      const many = await patterns.batchCacheAside([own('a'), own('b')], async () => [3], 60);
      expect(many).toEqual([1, 3]);
      expect(await patterns.writeThrough(own('c'), 4, async () => undefined, 60)).toBe(4);
      expect(await patterns.invalidateRelated([own('a'), own('[bc]*')])).toBe(3);
      expect(await cache.mget([own('a'), own('b'), own('c')])).toEqual([null, null, null]);
    },
  ],
];
