/**
 * Reads of rows, counters and cached values by two apps, whose loads are slow, while they are written, deleted, flushed and evicted: each must
 * give what was true at some moment since it began. `READ_MODEL_RUNS=500` runs it long.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Project } from '../../examples/platform/generated/models.js';
import type { Forebay } from '../../src/app/connect.js';
import { lanePlaces } from '../../src/buffer/lane.js';
import { counter } from '../../src/definitions/counter.js';
import { record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';
import { fieldOf } from '../../src/keys.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { HeldDatabase } from '../support/held-database.js';

const projects = record({ model: Project, counters: ['views'], partitions: 1, delayMs: 1 });
const stores = defineStores({ projects, views: counter({ of: projects, field: 'views' }) });
type App = Forebay<(typeof stores)['definitions']>;

const writes = ['put', 'add', 'delete', 'flush', 'evict', 'set', 'invalidate'] as const;
const reads = ['row', 'count', 'value', 'letGo'] as const;
const step = fc.record({
  do: fc.constantFrom(...writes, ...reads, ...reads, ...reads),
  at: fc.nat({ max: 1 }),
  id: fc.constantFrom('a', 'b'),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** What a record was at a moment; null: there is no row. */
interface State {
  readonly name: string | null;
  readonly views: bigint | null;
  /** Cached beside the row, under a key of its own. */
  readonly value: number;
}

const first: State = { name: null, views: null, value: 0 };

let environment: Environment;
let databases: HeldDatabase[];
let apps: App[];

beforeAll(async () => {
  environment = await createEnvironment();
  databases = [0, 1].map(() => new HeldDatabase(environment.prisma));
  apps = await Promise.all(
    // Values in memory learn of another app's changes a little later.
    databases.map(({ database }) => environment.connect(stores, { prisma: database, cache: { l1: false } })),
  );
  await environment.startWorker(stores);
});

afterAll(() => environment.close());

class Model {
  /** Of each record, from the first to the newest. */
  readonly #states = new Map<string, State[]>();
  readonly #reads: Promise<() => void>[] = [];
  /** What values are made of, by id. */
  readonly #values = new Map<string, number>();
  readonly #run: number;
  #writes = 0;

  constructor(run: number) {
    this.#run = run;
  }

  async take({ do: what, at, id }: Step): Promise<void> {
    const { stores, cache, flush } = apps[at] as App;
    const state = this.#stateOf(id);
    const { name, views } = state;
    switch (what) {
      case 'put': {
        const next = `v${++this.#writes}`;
        await stores.projects.put({ id, name: next });
        return this.#become(id, { ...state, name: next, views: views ?? 0n });
      }
      case 'add':
        // Where there is no row a delta changes nothing, which only the database tells.
        if (name === null) return;
        await stores.views.add(id, 1);
        return this.#become(id, { ...state, views: (views as bigint) + 1n });
      case 'delete':
        await stores.projects.delete(id);
        return this.#become(id, { ...state, name: null, views: null });
      case 'flush':
        return flush();
      case 'evict':
        return this.#evict(id);
      case 'row':
        return this.#read(at, id, async () => ({ name: (await stores.projects.get(id))?.name ?? null }));
      case 'count':
        return this.#read(at, id, async () => ({ views: await stores.views.get(id) }));
      case 'set':
        return this.#change(id, (value) => cache.set(this.#keyOf(id), value));
      case 'invalidate':
        return this.#change(id, () => cache.delete(this.#keyOf(id)));
      case 'value':
        return this.#read(at, id, async () => ({ value: (await this.#value(at, id)) as number }));
      case 'letGo':
        return databases[at]?.letGo();
    }
  }

  async end(): Promise<void> {
    for (const database of databases) database.open();
    for (const check of await Promise.all(this.#reads)) check();
    for (const id of this.#states.keys()) await apps[0]?.stores.projects.delete(id);
    await apps[0]?.flush();
  }

  #stateOf(id: string): State {
    return this.#states.get(id)?.at(-1) ?? first;
  }

  #become(id: string, state: State): void {
    const states = this.#states.get(id) ?? [first];
    this.#states.set(id, [...states, state]);
  }

  async #evict(id: string): Promise<void> {
    const [lane] = lanePlaces(environment.config.prefix, 'projects', { partitions: 1 });
    const prefix = lane?.keys.entryPrefix ?? '';
    const value = `${environment.config.prefix}:${this.#keyOf(id)}`;
    await environment.redis.del(prefix + fieldOf('projects', id), prefix + fieldOf('views', id), value);
  }

  /** Each run has values of its own. */
  #keyOf(id: string): string {
    return `value:${this.#run}:${id}`;
  }

  #value(at: number, id: string): Promise<number | null> {
    const load = () => databases[at]?.hold(async () => this.#values.get(id) ?? 0) as Promise<number>;
    return (apps[at] as App).patterns.cacheAside(this.#keyOf(id), load, 60);
  }

  /** Of what a value is made of: readers may see it before the cache is told. */
  async #change(id: string, tell: (value: number) => Promise<unknown>): Promise<void> {
    const value = ++this.#writes;
    this.#values.set(id, value);
    await tell(value);
    this.#become(id, { ...this.#stateOf(id), value });
  }

  /** It goes on while the next steps are taken; most have asked Redis by then. */
  async #read(at: number, id: string, read: () => Promise<Partial<State>>): Promise<void> {
    const begun = Math.max(0, (this.#states.get(id)?.length ?? 1) - 1);
    const reading = read().then((found) => {
      // What a value is made of changes before the cache is told.
      const ended = (this.#states.get(id)?.length ?? 1) + ('value' in found ? 1 : 0);
      return () => {
        const since = (this.#states.get(id) ?? [first]).slice(begun, ended);
        expect(since).toContainEqual(expect.objectContaining(found));
      };
    });
    reading.catch(() => undefined); // Thrown at the end.
    this.#reads.push(reading);
    for (let turn = 0; turn < 3; turn++) await apps[at]?.redis.testRedisConnection();
  }
}

it('no read of a row, a counter or a value is older than the last accepted write, whatever loads are under way', async () => {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40, size: 'max' }), async (steps) => {
      const model = new Model(++run);
      for (const database of databases) database.close();
      try {
        for (const one of steps) await model.take(one);
      } finally {
        await model.end();
      }
    }),
    { numRuns: Number(process.env.READ_MODEL_RUNS ?? 60) },
  );
});
