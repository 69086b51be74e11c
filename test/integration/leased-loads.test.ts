/** What holds for every load, of cached values, rows and counters: the limit, the time-out, the remembered failure, statistics, `explain`. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ConnectOptions, Forebay } from '../../src/app/connect.js';
import type { Explanation } from '../../src/cache/explain.js';
import type { CacheCounts } from '../../src/cache-statistics.js';
import { counter } from '../../src/definitions/counter.js';
import { record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { type HeldLoad, HeldLoader } from '../support/loader.js';
import { startOwnRedis } from '../support/own-redis.js';

interface Item {
  readonly id: string;
  readonly size: number;
}

let loader: HeldLoader<number>;

const stores = defineStores({
  items: record<Item, 'id'>({
    id: 'id',
    load: async (ids) => {
      const size = await loader.load(ids);
      return ids.map((id) => ({ id, size }));
    },
    persist: async () => undefined,
  }),
  sizes: counter({
    load: async (ids) => {
      const size = BigInt(await loader.load(ids));
      return new Map(ids.map((id) => [id, size]));
    },
    persist: async () => undefined,
  }),
});
type App = Forebay<typeof stores.definitions>;

interface Kind {
  readonly kind: string;
  /** Its loads count there. */
  readonly namespace: string;
  read(app: App, id: string): Promise<number | null | undefined>;
  readMany(app: App, ids: readonly string[]): Promise<unknown[]>;
  explain(app: App, id: string): Promise<Explanation>;
  /** The key of an entry ends with it. */
  entryOf(id: string): string;
}

const kinds: Kind[] = [
  {
    kind: 'a cached value',
    namespace: 'size',
    read: ({ patterns }, id) => patterns.cacheAside(`size:of:${id}`, () => loader.load([id]), 60),
    readMany: ({ patterns }, ids) =>
      patterns.batchCacheAside(
        ids.map((id) => `size:of:${id}`),
        async (keys) => {
          const size = await loader.load(keys);
          return keys.map(() => size);
        },
        60,
      ),
    explain: ({ cache }, id) => cache.explain(`size:of:${id}`),
    entryOf: (id) => `size:of:${id}`,
  },
  {
    kind: 'a row',
    namespace: 'items',
    read: async ({ stores }, id) => (await stores.items.get(id))?.size,
    readMany: ({ stores }, ids) => stores.items.getMany(ids),
    explain: ({ stores }, id) => stores.items.explain(id),
    entryOf: (id) => `items:${id}`,
  },
  {
    kind: 'a counter',
    namespace: 'sizes',
    read: async ({ stores }, id) => Number(await stores.sizes.get(id)),
    readMany: ({ stores }, ids) => stores.sizes.getMany(ids),
    explain: ({ stores }, id) => stores.sizes.explain(id),
    entryOf: (id) => `sizes:${id}`,
  },
];

let environment: Environment;

beforeEach(async () => {
  environment = await createEnvironment();
  loader = new HeldLoader();
});

afterEach(async () => {
  vi.restoreAllMocks();
  await environment.close();
});

function connect(options: Partial<ConnectOptions> = {}): Promise<App> {
  return environment.connect(stores, { ...options, cache: { l1: false, ...options.cache } });
}

async function entry({ entryOf }: Kind, id: string): Promise<string | null> {
  const [key = ''] = await environment.redis.keys(`*${environment.config.prefix}*:${entryOf(id)}`);
  return environment.redis.get(key);
}

function countsOf(app: App, { namespace }: Kind): CacheCounts | undefined {
  return app.cache.getStats().byNamespace[namespace];
}

/** A load that takes its time, and a read whose load has to wait for that. */
async function held(app: App, kind: Kind): Promise<[HeldLoad<number>, Promise<number | null | undefined>]> {
  const reading = kind.read(app, 'first');
  reading.catch(() => undefined);
  const first = await loader.next();
  const late = kind.read(app, 'late');
  late.catch(() => undefined);
  await expect.poll(() => entry(kind, 'late')).not.toBeNull();
  return [first, late];
}

/** All loads of so many keys. */
async function loadsOf(keyCount: number): Promise<HeldLoad<number>[]> {
  const loads: HeldLoad<number>[] = [];
  for (let count = 0; count < keyCount; count += loads.at(-1)?.keys.length ?? 0)
    loads.push(await loader.next());
  return loads;
}

/** As if it were later by as much as a lease holds. */
async function endOfLease({ entryOf }: Kind, id: string): Promise<void> {
  const now = performance.now.bind(performance);
  vi.spyOn(performance, 'now').mockImplementation(() => now() + 11_000);
  const keys = await environment.redis.keys(`*${environment.config.prefix}*:${entryOf(id)}`);
  expect(keys).toHaveLength(1);
  await environment.redis.unlink(keys);
}

describe.each(kinds)('a load of $kind', (kind) => {
  it('is one of loadsMax at most, and one that finds too many waiting is refused', async () => {
    const app = await connect({ cache: { loadsMax: 4, waitingLoadsMax: 20 } });
    const reads = Array.from({ length: 24 }, (_, i) => kind.read(app, `${i}`));
    const first = [];
    for (let i = 0; i < 4; i++) first.push(await loader.next());
    await expect(kind.read(app, 'another')).rejects.toMatchObject({
      code: 'TOO_MANY_LOADS',
      retryable: true,
    });
    expect(loader.count).toBe(4);
    for (const load of first) load.succeed(1);
    for (let i = 0; i < 20; i++) (await loader.next()).succeed(1);
    expect(new Set(await Promise.all(reads))).toEqual(new Set([1]));
  });

  it('that had to wait for its turn for longer than its lease holds is cached all the same', async () => {
    const app = await connect({ cache: { loadsMax: 1 } });
    const [first, late] = await held(app, kind);
    await endOfLease(kind, 'late');
    first.succeed(1);
    (await loader.next()).succeed(2);
    expect(await late).toBe(2);
    expect(await kind.read(app, 'late')).toBe(2);
    expect([loader.count, countsOf(app, kind)?.loads]).toEqual([2, 2]);
  });

  it('is not made when another process has made it by the time of its turn', async () => {
    const [app, other] = [await connect({ cache: { loadsMax: 1 } }), await connect()];
    const [first, late] = await held(app, kind);
    await endOfLease(kind, 'late');
    const others = kind.read(other, 'late');
    (await loader.next()).succeed(3);
    expect(await others).toBe(3);
    first.succeed(1);
    expect(await late).toBe(3);
    expect([loader.count, countsOf(app, kind)?.loads]).toEqual([2, 1]);
  });

  it('fails when it is too slow; its lease is given back, and what it gives then is not cached', async () => {
    const app = await connect();
    const reading = kind.read(app, 'a');
    const load = await loader.next();
    await expect(reading).rejects.toMatchObject({ code: 'LOAD_TIMEOUT', retryable: true });
    await expect.poll(() => entry(kind, 'a')).toBeNull();
    load.succeed(1);
    const again = () => kind.read(app, 'a').catch(({ code }) => code);
    const others = Promise.all([loader.next()]);
    await expect.poll(async () => Promise.race([again(), others.then(() => 'loads')])).toBe('loads');
    for (const other of await others) other.succeed(2);
    expect(await kind.read(app, 'a')).toBe(2);
  });

  it('that failed is not repeated by the next reads of its process', async () => {
    const app = await connect();
    const reads = Array.from({ length: 20 }, () => kind.read(app, 'a'));
    (await loader.next()).fail(new Error('the source is away'));
    for (const read of await Promise.allSettled(reads)) expect(read.status).toBe('rejected');
    for (let i = 0; i < 10; i++) await expect(kind.read(app, 'a')).rejects.toThrow('the source is away');
    expect(loader.count).toBe(1);
    expect(countsOf(app, kind)).toMatchObject({ loads: 1, loadFailures: 1 });
    const { lastError } = await kind.explain(app, 'a');
    expect(String(lastError)).toContain('the source is away');
  });

  it('is counted, with the reads that hit and miss, and their time', async () => {
    const app = await connect();
    const reading = kind.read(app, 'a');
    (await loader.next()).succeed(1);
    await reading;
    await kind.read(app, 'a');
    const many = kind.readMany(app, ['a', 'b', 'a']);
    (await loader.next()).succeed(1);
    await many;
    expect(countsOf(app, kind)).toMatchObject({ hits: 2, misses: 2, loads: 2, loadFailures: 0, errors: 0 });
    const { latency, hits, hitRate } = app.cache.getStats();
    expect(latency.count).toBeGreaterThan(0);
    expect({ hits, hitRate }).toEqual({ hits: 2, hitRate: 0.5 });
  });

  it('is explained: that it misses, is under way, and is there', async () => {
    const app = await connect();
    expect(await kind.explain(app, 'a')).toMatchObject({ state: 'missing', isInMemory: false, tags: [] });
    const reading = kind.read(app, 'a');
    const load = await loader.next();
    const { state, lease } = await kind.explain(app, 'a');
    expect({ state, lease: (lease ?? '').length > 0 }).toEqual({ state: 'missing', lease: true });
    load.succeed(1);
    await reading;
    const { livesForMs, ...explanation } = await kind.explain(app, 'a');
    expect(explanation).toMatchObject({ state: 'fresh' });
    expect(explanation.lease).toBeUndefined();
    expect(livesForMs).toBeGreaterThan(0);
  });

  it('does not begin in a client that is closed, also for a read that waited for another’s', async () => {
    const [app, other] = await Promise.all([connect(), connect()]);
    const loading = kind.read(other, 'a');
    const load = await loader.next();
    const waiting = kind.read(app, 'a');
    await expect.poll(() => entry(kind, 'a')).toContain(';w');
    const refused = expect(waiting).rejects.toMatchObject({ code: 'CLOSED' });
    const closing = app.close();
    load.fail(new Error('the source is away'));
    await expect(loading).rejects.toThrow('the source is away');
    await Promise.all([refused, closing]);
    expect(loader.count).toBe(1);
  });

  it('is one for all keys whose leases a process has left that died', async () => {
    const [dead, app] = [await connect(), await connect()];
    const ids = Array.from({ length: 50 }, (_, i) => `${i}`);
    kind.readMany(dead, ids).catch(() => undefined);
    const left = await loadsOf(ids.length);
    const reading = kind.readMany(app, ids);
    await expect.poll(() => countsOf(app, kind)?.waits).toBeGreaterThanOrEqual(ids.length);
    await environment.redis.unlink(
      await environment.redis.keys(`*${environment.config.prefix}*:${kind.entryOf('*')}`),
    );
    // Too late: its leases are gone.
    for (const { succeed } of left) succeed(1);
    const loads = await loadsOf(ids.length);
    // Some may have been looked at just before.
    expect(loads.length).toBeLessThanOrEqual(2 * left.length);
    for (const { succeed } of loads) succeed(1);
    expect(await reading).toHaveLength(ids.length);
  });

  it('is not needed for reads of one turn, which share a command', async () => {
    const server = await startOwnRedis();
    try {
      const redis = server.settings;
      const app = await connect({ config: { ...environment.config, redis, queueRedis: redis } });
      const ids = Array.from({ length: 50 }, (_, i) => `${i}`);
      const filling = kind.readMany(app, ids);
      for (let loads = 0; loads < ids.length; ) {
        const { keys, succeed } = await loader.next();
        loads += keys.length;
        succeed(1);
      }
      await filling;
      await server.admin.config('RESETSTAT');
      await Promise.all(ids.map((id) => kind.read(app, id)));
      expect([await server.calls('mget'), await server.calls('get')]).toEqual([1, 0]);
      await app.close();
    } finally {
      await server.remove();
    }
  });
});

it('what is pending of a row or a counter is explained as pending where its entry was evicted', async () => {
  const app = await connect();
  await app.stores.items.put({ id: 'a', size: 1 });
  await app.stores.sizes.add('a', 1);
  for (const kind of kinds.slice(1)) {
    const [key = ''] = await environment.redis.keys(`*${environment.config.prefix}*:${kind.entryOf('a')}`);
    await environment.redis.del(key);
    expect(await kind.explain(app, 'a')).toMatchObject({ state: 'pending' });
  }
});
