import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Patterns } from '../../src/app/bound-patterns.js';
import type { Forebay } from '../../src/app/connect.js';
import { type Definitions, defineStores } from '../../src/definitions/stores.js';
import { writer } from '../../src/definitions/writer.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { HeldLoader } from '../support/loader.js';

let environment: Environment;
/** Two processes, as far as they can tell. */
let app: Forebay<Definitions>;
let other: Forebay<Definitions>;
let patterns: Patterns;

beforeEach(async () => {
  environment = await createEnvironment();
  app = await environment.connect(defineStores({}));
  other = await environment.connect(defineStores({}));
  patterns = app.patterns;
});

afterEach(() => environment.close());

const key = 'user:profile:1';
const failing = (): Promise<never> => Promise.reject(new Error('the database is away'));

/** Resolves once the time that the server's clock gives a value is over. */
async function untilStale(life: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, life * 1_000 + 5));
}

describe('P1 cacheAside', () => {
  it('loads a value once, and then has it', async () => {
    let loads = 0;
    const fetch = async () => ({ loads: ++loads, at: new Date(0) });
    expect(await patterns.cacheAside(key, fetch, 60)).toEqual({ loads: 1, at: new Date(0) });
    expect(await patterns.cacheAside(key, fetch, 60)).toEqual({ loads: 1, at: new Date(0) });
    expect(await other.patterns.cacheAside(key, fetch, 60)).toEqual({ loads: 1, at: new Date(0) });
    expect(await app.cache.get(key)).toEqual({ loads: 1, at: new Date(0) });
  });

  it('remembers that there is no value, for a time of its own', async () => {
    let loads = 0;
    const fetch = async () => {
      loads += 1;
      return null;
    };
    expect(await patterns.cacheAside(key, fetch, 60)).toBeNull();
    expect(await patterns.cacheAside(key, fetch, 60)).toBeNull();
    expect(loads).toBe(1);
    await app.cache.delete(key);
    await patterns.cacheAside(key, fetch, 60, { absentTtlMs: 0 });
    await patterns.cacheAside(key, fetch, 60, { absentTtlMs: 0 });
    expect(loads).toBe(3);
  });

  it('gives the error of a loader that fails to its callers, and does not load again at once', async () => {
    let loads = 0;
    const fetch = () => {
      loads += 1;
      return failing();
    };
    for (let i = 0; i < 5; i++) {
      await expect(patterns.cacheAside(key, fetch, 60)).rejects.toThrow('the database is away');
    }
    expect(loads).toBe(1);
    expect(await app.cache.get(key)).toBeNull();
  });

  it('serves the last value in its grace when the loader fails', async () => {
    await patterns.cacheAside(key, async () => 'old', 0.02, { graceMs: 60_000 });
    await untilStale(0.02);
    expect(await patterns.cacheAside(key, failing, 60, { graceMs: 60_000 })).toBe('old');
    expect(app.cache.getStats()).toMatchObject({ staleHits: 1, loadFailures: 1 });
  });

  it('serves it too when the loader is slower than the soft time-out, and fills what it brings later', async () => {
    await patterns.cacheAside(key, async () => 'old', 0.02, { graceMs: 60_000 });
    await untilStale(0.02);
    const loader = new HeldLoader<string>();
    const read = patterns.cacheAside(key, () => loader.load(), 60, { graceMs: 60_000, softTimeoutMs: 20 });
    expect(await read).toBe('old');
    (await loader.next()).succeed('new');
    await expect.poll(() => app.cache.get(key)).toBe('new');
  });

  it('gives up a load after its time-out, and tells the loader', async () => {
    let signal: AbortSignal | undefined;
    const fetch = (context: { signal: AbortSignal }): Promise<never> => {
      signal = context.signal;
      return new Promise(() => undefined);
    };
    const read = patterns.cacheAside(key, fetch, 60, { loadTimeoutMs: 30 });
    await expect(read).rejects.toMatchObject({ code: 'LOAD_TIMEOUT', retryable: true });
    expect(signal?.aborted).toBe(true);
  });

  it('ends a caller’s wait by its signal; the load goes on for the others', async () => {
    const loader = new HeldLoader<string>();
    const controller = new AbortController();
    const aborted = patterns.cacheAside(key, () => loader.load(), 60, { signal: controller.signal });
    const load = await loader.next();
    const shared = patterns.cacheAside(key, () => loader.load(), 60);
    controller.abort(new Error('the user left'));
    await expect(aborted).rejects.toThrow('the user left');
    load.succeed('value');
    expect(await shared).toBe('value');
    expect(loader.count).toBe(1);
  });

  it('loads whatever is cached when it is forced to', async () => {
    await app.cache.set(key, 'cached');
    expect(await patterns.cacheAside(key, async () => 'loaded', 60, { forceRefresh: true })).toBe('loaded');
    expect(await app.cache.get(key)).toBe('loaded');
  });
});

describe('P2 cacheAsideStale', () => {
  it('serves a value that is no longer fresh at once, and loads it in the background', async () => {
    await patterns.cacheAsideStale(key, async () => 'old', 0.02, 60);
    await untilStale(0.02);
    const loader = new HeldLoader<string>();
    const fetch = () => loader.load();
    expect(await patterns.cacheAsideStale(key, fetch, 60, 60)).toBe('old');
    expect(await other.patterns.cacheAsideStale(key, fetch, 60, 60)).toBe('old');
    (await loader.next()).succeed('new');
    await expect.poll(() => app.cache.get(key)).toBe('new');
    expect(loader.count).toBe(1);
  });
});

describe('P3 writeThrough', () => {
  it('has written to the database and to the cache when it returns', async () => {
    const written: string[] = [];
    await patterns.writeThrough(key, 'new', async (data) => written.push(data), 60);
    expect(written).toEqual(['new']);
    expect(await other.cache.get(key)).toBe('new');
  });

  it('leaves nothing in the cache when the write fails', async () => {
    await app.cache.set(key, 'old');
    await expect(patterns.writeThrough(key, 'new', failing, 60)).rejects.toThrow('the database is away');
    expect(await app.cache.get(key)).toBeNull();
  });

  it('writes nothing that can’t be cached', async () => {
    let writes = 0;
    const write = async () => ++writes;
    await expect(patterns.writeThrough(key, () => 1, write, 60)).rejects.toMatchObject({
      code: 'INVALID_VALUE',
    });
    expect(writes).toBe(0);
  });

  it('of two at once leaves the one that the database has, or none', async () => {
    let database = '';
    const write = async (data: string) => {
      database = data;
    };
    for (let i = 0; i < 20; i++) {
      await Promise.all([
        patterns.writeThrough(key, `a${i}`, write, 60),
        other.patterns.writeThrough(key, `b${i}`, write, 60),
      ]);
      expect([null, database]).toContain(await app.cache.get(key));
    }
  });
});

describe('P4 writeBehind', () => {
  interface Profile {
    readonly name: string;
    readonly seenAt: Date;
  }

  /** What the database has, and how often it was written. */
  const database = new Map<string, Profile>();
  let batches: number;
  const definitions = defineStores({
    saveProfiles: writer<Profile>({
      keys: 'user:profile',
      write: async (values) => {
        batches += 1;
        for (const { key: written, data } of values) database.set(written, data);
      },
    }),
  });
  const profile = (name: string): Profile => ({ name, seenAt: new Date(0) });
  const load = async (): Promise<Profile | undefined> => database.get(key);
  let writing: Awaited<ReturnType<typeof connectWriter>>;
  const connectWriter = () => environment.connect(definitions);

  beforeEach(async () => {
    database.clear();
    batches = 0;
    writing = await connectWriter();
  });

  it('is in the cache at once, and in the database once a worker has carried it there', async () => {
    for (let i = 1; i <= 50; i++) {
      await writing.patterns.writeBehind(key, profile(`name ${i}`), writing.stores.saveProfiles, 60);
    }
    expect(await other.cache.get(key)).toEqual(profile('name 50'));
    expect(database.size).toBe(0);
    await environment.startWorker(definitions);
    await writing.flush();
    expect(database.get(key)).toEqual(profile('name 50'));
    expect(batches).toBe(1);
  });

  it('is refused with a writer that does not write the key, so that readers know where to look for it', async () => {
    const { saveProfiles } = writing.stores;
    await expect(
      writing.patterns.writeBehind('user:settings:1', profile('x'), saveProfiles, 60),
    ).rejects.toMatchObject({
      code: 'INVALID_KEY',
    });
    expect(await writing.backlog()).toMatchObject({ dirty: 0 });
  });

  it('is read though it was evicted before it is in the database', async () => {
    database.set(key, profile('old'));
    await writing.patterns.writeBehind(key, profile('new'), writing.stores.saveProfiles, 60);
    await app.cache.delete(key);
    const reader = await connectWriter();
    expect(await reader.patterns.cacheAside(key, load, 60)).toEqual(profile('new'));
    await app.cache.delete(key);
    expect(await reader.patterns.batchCacheAside([key], async () => [await load()], 60)).toEqual([
      profile('new'),
    ]);
    await environment.startWorker(definitions);
    await writing.flush();
    await app.cache.delete(key);
    expect(await reader.patterns.cacheAside(key, load, 60)).toEqual(profile('new'));
  });

  it('is not overtaken by a load from before', async () => {
    const loader = new HeldLoader<Profile>();
    const reading = other.patterns.cacheAside(key, () => loader.load(), 60);
    const slow = await loader.next();
    await writing.patterns.writeBehind(key, profile('new'), writing.stores.saveProfiles, 60);
    slow.succeed(profile('old'));
    await reading;
    expect(await app.cache.get(key)).toEqual(profile('new'));
  });
});

describe('P5 refreshAhead', () => {
  it('loads a value in the last part of its life in the background, before it expires', async () => {
    await patterns.refreshAhead(key, async () => 'old', 10, 0.002);
    await untilStale(0.02);
    expect(await patterns.refreshAhead(key, async () => 'new', 10, 0.002)).toBe('old');
    await expect.poll(() => app.cache.get(key), { interval: 5 }).toBe('new');
  });

  it.each([0, 1, Number.NaN])('refuses the threshold %d', async (threshold) => {
    await expect(patterns.refreshAhead(key, failing, 10, threshold)).rejects.toMatchObject({
      code: 'INVALID_VALUE',
    });
  });
});

describe('P6 batchCacheAside', () => {
  const keys = ['user:profile:1', 'user:profile:2', 'user:profile:3'];

  it('fetches all misses at once, whose ids are in their keys, and remembers those that are absent', async () => {
    await app.cache.set('user:profile:2', 'cached');
    const asked: string[][] = [];
    const fetchMissing = async (missing: string[]) => {
      asked.push(missing);
      return new Map(
        missing.map((one) => [one, `user ${one.split(':')[2]}`]).slice(0, 1) as [string, string][],
      );
    };
    const expected = ['user 1', 'cached', null, 'user 1'];
    const asks = [...keys, 'user:profile:1'];
    expect(await patterns.batchCacheAside(asks, fetchMissing, 60)).toEqual(expected);
    expect(await other.patterns.batchCacheAside(asks, fetchMissing, 60)).toEqual(expected);
    expect(asked).toEqual([['user:profile:1', 'user:profile:3']]);
  });

  it('takes a list of values in the order of the keys too', async () => {
    const fetchMissing = async (missing: string[]) => missing.map((one) => (one.endsWith('2') ? null : one));
    expect(await patterns.batchCacheAside(keys, fetchMissing, 60)).toEqual([keys[0], null, keys[2]]);
    await app.cache.mdelete(keys);
    await expect(patterns.batchCacheAside(keys, async () => ['one'], 60)).rejects.toMatchObject({
      code: 'INVALID_VALUE',
    });
  });

  it('loads a key of two overlapping batches once', async () => {
    const loader = new HeldLoader<Map<string, string>>();
    const first = patterns.batchCacheAside(['a', 'b'], (missing) => loader.load(missing), 60);
    const load = await loader.next();
    const second = patterns.batchCacheAside(['b', 'c'], (missing) => loader.load(missing), 60);
    const third = other.patterns.batchCacheAside(['a', 'd'], (missing) => loader.load(missing), 60);
    const rest = [await loader.next(), await loader.next()];
    expect(rest.map(({ keys }) => keys).sort()).toEqual([['c'], ['d']]);
    for (const one of rest) one.succeed(new Map(one.keys.map((name) => [name, name])));
    load.succeed(
      new Map([
        ['a', 'A'],
        ['b', 'B'],
      ]),
    );
    expect(await Promise.all([first, second, third])).toEqual([
      ['A', 'B'],
      ['B', 'c'],
      ['A', 'd'],
    ]);
  });
});

describe('P7 preventStampede', () => {
  it('loads once for all callers of all processes', async () => {
    const loader = new HeldLoader<string>();
    const reads = [app, other].flatMap((one) =>
      Array.from({ length: 100 }, () => one.patterns.preventStampede(key, () => loader.load(), 60)),
    );
    (await loader.next()).succeed('value');
    expect(new Set(await Promise.all(reads))).toEqual(new Set(['value']));
    expect(loader.count).toBe(1);
  });

  it('lets the next one load when a loader fails', async () => {
    const loader = new HeldLoader<string>();
    const first = patterns.preventStampede(key, () => loader.load(), 60);
    const load = await loader.next();
    const second = other.patterns.preventStampede(key, () => loader.load(), 60);
    load.fail(new Error('the first fails'));
    await expect(first).rejects.toThrow('the first fails');
    (await loader.next()).succeed('value');
    expect(await second).toBe('value');
  });
});

describe('P8 multiTierCache', () => {
  it('reads from memory, then from Redis, then from the source, and promotes what it finds', async () => {
    let loads = 0;
    const source = async (): Promise<string> => `load ${++loads}`;
    const read = () => patterns.multiTierCache(key, 0.2, source);
    expect(await read()).toBe('load 1');
    await expect.poll(async () => [await read(), app.cache.getStats().l1Hits > 0]).toEqual(['load 1', true]);
    const { l1Hits } = app.cache.getStats();
    await untilStale(0.2);
    expect(await read()).toBe('load 1');
    expect(app.cache.getStats().l1Hits).toBe(l1Hits);
    expect(await other.patterns.multiTierCache(key, 0.2, source)).toBe('load 1');
  });
});

describe('P9 invalidateRelated', () => {
  it('deletes keys and patterns in one call', async () => {
    await app.cache.mset(
      ['user:tasks:1', 'user:tasks:2', 'user:full:1', 'project:full:1'].map((one) => ({
        key: one,
        value: 1,
      })),
    );
    expect(await patterns.invalidateRelated(['user:tasks:*', 'project:full:1', 'missing'])).toBe(3);
    expect(await app.cache.mget(['user:tasks:1', 'user:full:1'])).toEqual([null, 1]);
  });
});
