/** Readers with slow loaders, writers, invalidations, evictions and values in memory, in random order, against the truth. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Forebay } from '../../src/client/forebay.js';
import { type Definitions, defineStores } from '../../src/definitions/stores.js';
import { createEnvironment, type Environment } from '../support/environment.js';

let environment: Environment;
/** Three processes, as far as they can tell; the last has no values in memory. */
let apps: Forebay<Definitions>[];

beforeAll(async () => {
  environment = await createEnvironment();
  const stores = defineStores({});
  apps = [
    await environment.connect(stores),
    await environment.connect(stores),
    await environment.connect(stores, { cache: { l1: false } }),
  ];
});

afterAll(() => environment.close());

/** It sees every accepted change, by whomever; the others may see those of others some ms later. */
const appWithoutMemory = 2;

type Change = 'delete' | 'pattern' | 'tag' | 'set' | 'write-through';

/** One row of a database, and what is known of it. */
class Model {
  /** The row: its version, which each change makes greater. */
  #version = 0;
  readonly #key: string;
  readonly #tag: string;
  /** By app: the version of its last accepted change. */
  readonly #floors = apps.map(() => 0);
  readonly #loads: { version: number; finish: (version: number) => void }[] = [];
  readonly #reads: Promise<void>[] = [];
  /** What a read has returned that is older than it may be. */
  readonly stale: string[] = [];

  constructor(run: number) {
    this.#key = `row:value:${run}`;
    this.#tag = `row-${run}`;
  }

  /** Begins to read; a loader sees the row as it is when it begins. */
  beginRead(app: number, pattern: 'cacheAside' | 'cacheAsideStale' | 'batch'): void {
    const floor = app === appWithoutMemory ? Math.max(...this.#floors) : (this.#floors[app] as number);
    const reading = this.#read(app, pattern).then((version) => {
      if (version === null || version < floor) this.stale.push(`app ${app} read ${version} after ${floor}`);
    });
    this.#reads.push(reading);
  }

  finishLoad(nth: number): void {
    const [load] = this.#loads.splice(nth % Math.max(1, this.#loads.length), 1);
    load?.finish(load.version);
  }

  async change(app: number, kind: Change): Promise<void> {
    const version = ++this.#version;
    const { cache, patterns } = apps[app] as Forebay<Definitions>;
    const options = { tags: [this.#tag] };
    if (kind === 'delete') await cache.delete(this.#key);
    else if (kind === 'pattern') await cache.invalidatePattern(`${this.#key}*`);
    else if (kind === 'tag') await cache.invalidateTag(this.#tag);
    else if (kind === 'set') await cache.set(this.#key, version, 60, options);
    else await patterns.writeThrough(this.#key, version, async () => undefined, 60, options);
    this.#floors[app] = version;
  }

  async evict(): Promise<void> {
    await environment.redis.del(`${environment.config.prefix}:${this.#key}`);
  }

  async evictTag(): Promise<void> {
    await environment.redis.del(`${environment.config.prefix}:#${this.#tag}`);
  }

  /** Lets all loads end; then every app must read the row as it is. */
  async settle(): Promise<void> {
    let isSettled = false;
    const all = Promise.all(this.#reads).then(() => {
      isSettled = true;
    });
    while (!isSettled) {
      this.finishLoad(0);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await all;
  }

  async expectTruthEverywhere(): Promise<void> {
    for (const { patterns } of apps) {
      const read = () => patterns.cacheAside(this.#key, async () => this.#version, 60, { tags: [this.#tag] });
      // Only messages to a process's memory may be on their way.
      await expect.poll(read, { interval: 1, timeout: 2_000 }).toBe(this.#version);
    }
  }

  #read(app: number, pattern: 'cacheAside' | 'cacheAsideStale' | 'batch'): Promise<number | null> {
    const { patterns } = apps[app] as Forebay<Definitions>;
    const options = { tags: [this.#tag] };
    const load = (): Promise<number> =>
      new Promise((finish) => this.#loads.push({ version: this.#version, finish }));
    if (pattern === 'cacheAside') return patterns.cacheAside(this.#key, load, 60, options);
    if (pattern === 'cacheAsideStale') return patterns.cacheAsideStale(this.#key, load, 60, 60, options);
    const loadMany = async (): Promise<number[]> => [await load()];
    return patterns.batchCacheAside([this.#key], loadMany, 60, options).then(([value]) => value ?? null);
  }
}

/** Time in which a read gets to its load. */
async function someRoundTrips(): Promise<void> {
  for (let i = 0; i < 3; i++) await environment.redis.ping();
}

const app = fc.nat(2);
const change = fc.constantFrom<Change>('delete', 'pattern', 'tag', 'set', 'write-through');
const pattern = fc.constantFrom('cacheAside' as const, 'cacheAsideStale' as const, 'batch' as const);
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(app, pattern).map(
      ([a, p]) =>
        async (model: Model) =>
          model.beginRead(a, p),
    ),
  },
  { weight: 3, arbitrary: fc.nat(5).map((nth) => async (model: Model) => model.finishLoad(nth)) },
  {
    weight: 3,
    arbitrary: fc.tuple(app, change).map(
      ([a, c]) =>
        (model: Model) =>
          model.change(a, c),
    ),
  },
  { weight: 1, arbitrary: fc.constant((model: Model) => model.evict()) },
  { weight: 1, arbitrary: fc.constant((model: Model) => model.evictTag()) },
  { weight: 3, arbitrary: fc.constant(() => someRoundTrips()) },
);

it('no read is older than the reader’s last accepted change, and nothing stale stays in the cache', async () => {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const model = new Model(++run);
      for (const take of steps) await take(model);
      await model.settle();
      expect(model.stale).toEqual([]);
      await model.expectTruthEverywhere();
    }),
    { numRuns: Number(process.env.CACHE_MODEL_RUNS ?? 150) },
  );
}, 120_000);
