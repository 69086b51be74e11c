/** A client that is closed says so, whatever it is asked; and what it throws while Redis is away has a code. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Project, TeamMember } from '../../examples/platform/generated/models.js';
import type { Forebay } from '../../src/app/connect.js';
import type { Receipt } from '../../src/client/receipts/receipt.js';
import { cacheKey, cacheKeys } from '../../src/definitions/cache-key.js';
import { computed } from '../../src/definitions/computed.js';
import { counter } from '../../src/definitions/counter.js';
import { record } from '../../src/definitions/record.js';
import { defineStores, type Stores } from '../../src/definitions/stores.js';
import { writer } from '../../src/definitions/writer.js';
import { ForebayError } from '../../src/errors.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { type OwnRedis, startOwnRedis } from '../support/own-redis.js';

const Keys = cacheKeys('closing', { page: cacheKey<string>(60), note: cacheKey<string>(60) });
const projects = record({ model: Project, counters: ['views', 'touches'] });
const stores = defineStores({
  projects,
  members: record({ model: TeamMember, partitionBy: { projectId: projects } }),
  views: counter({ of: projects, field: 'views' }),
  pages: computed({ key: Keys.page, load: async (ids) => new Map(ids.map((id) => [id, `page ${id}`])) }),
  notes: writer<string>({ keys: 'closing:note', write: async () => undefined }),
});
type App = Forebay<typeof stores extends Stores<infer D> ? D : never>;

const project = { id: 'a', name: 'Harbour' };
const letter = { lane: 'projects/0', name: { field: 'projects:a', at: '1' } };
const load = async (): Promise<never> => {
  throw new Error('a closed client loads nothing');
};

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

type Calls = Record<string, (app: App, receipt: Receipt) => Promise<unknown>>;

/** Every public method, by the class that has it. */
const calls: Record<string, Calls> = {
  projects: {
    put: ({ stores }) => stores.projects.put(project),
    putMany: ({ stores }) => stores.projects.putMany([project]),
    delete: ({ stores }) => stores.projects.delete('a'),
    get: ({ stores }) => stores.projects.get('a'),
    getMany: ({ stores }) => stores.projects.getMany(['a', 'b']),
    getVersioned: ({ stores }) => stores.projects.getVersioned('a'),
    patch: ({ stores }) => stores.projects.patch('p', { name: 'x' }),
    putIf: ({ stores }) => stores.projects.putIf(project, { version: 1n }),
    deleteIf: ({ stores }) => stores.projects.deleteIf('a', { version: 1n }),
    update: ({ stores }) => stores.projects.update('a', () => project),
    evict: ({ stores }) => stores.projects.evict('a'),
    refresh: ({ stores }) => stores.projects.refresh('a'),
    explain: ({ stores }) => stores.projects.explain('a'),
  },
  views: {
    add: ({ stores }) => stores.views.add('a'),
    get: ({ stores }) => stores.views.get('a'),
    getMany: ({ stores }) => stores.views.getMany(['a']),
    explain: ({ stores }) => stores.views.explain('a'),
  },
  pages: {
    get: ({ stores }) => stores.pages.get('a'),
    getMany: ({ stores }) => stores.pages.getMany(['a', 'b']),
    refresh: ({ stores }) => stores.pages.refresh('a'),
    invalidate: ({ stores }) => stores.pages.invalidate('a'),
    warm: ({ stores }) => stores.pages.warm(['a']),
    hottest: ({ stores }) => stores.pages.hottest(10),
    computeSuccessors: ({ stores }) => stores.pages.computeSuccessors([{ id: 'a', seen: 'x' }]),
    getAhead: ({ stores }) => stores.pages.getAhead(Keys.page('a'), 0.5),
  },
  cache: {
    get: ({ cache }) => cache.get('a:b:1'),
    mget: ({ cache }) => cache.mget(['a:b:1', 'a:b:2']),
    set: ({ cache }) => cache.set('a:b:1', 1),
    mset: ({ cache }) => cache.mset([{ key: 'a:b:1', value: 1 }]),
    delete: ({ cache }) => cache.delete('a:b:1'),
    mdelete: ({ cache }) => cache.mdelete(['a:b:1']),
    scanPattern: ({ cache }) => all(cache.scanPattern('a:*')),
    invalidatePattern: ({ cache }) => cache.invalidatePattern('a:*'),
    invalidateTag: ({ cache }) => cache.invalidateTag('t'),
    increment: ({ cache }) => cache.increment('a:n:1' as never),
    decrement: ({ cache }) => cache.decrement('a:n:1' as never),
    setnx: ({ cache }) => cache.setnx('a:b:1', 1),
    exists: ({ cache }) => cache.exists('a:b:1'),
    ttl: ({ cache }) => cache.ttl('a:b:1'),
    expire: ({ cache }) => cache.expire('a:b:1', 1),
    explain: ({ cache }) => cache.explain('a:b:1'),
  },
  patterns: {
    cacheAside: ({ patterns }) => patterns.cacheAside('a:b:1', load),
    cacheAsideStale: ({ patterns }) => patterns.cacheAsideStale('a:b:1', load),
    writeThrough: ({ patterns }) => patterns.writeThrough('a:b:1', 1, load),
    writeBehind: ({ patterns, stores }) => patterns.writeBehind(Keys.note('1'), 'x', stores.notes),
    refreshAhead: ({ patterns }) => patterns.refreshAhead('a:b:1', load),
    batchCacheAside: ({ patterns }) => patterns.batchCacheAside(['a:b:1'], load),
    preventStampede: ({ patterns }) => patterns.preventStampede('a:b:1', load),
    multiTierCache: ({ patterns }) => patterns.multiTierCache('a:b:1', 10, load),
    invalidateRelated: ({ patterns }) => patterns.invalidateRelated(['a:b:1', 'c:*']),
  },
  deadLetters: {
    list: ({ deadLetters }) => all(deadLetters.list()),
    replay: ({ deadLetters }) => deadLetters.replay(letter),
    discard: ({ deadLetters }) => deadLetters.discard(letter),
    replayAll: ({ deadLetters }) => deadLetters.replayAll(),
    discardAll: ({ deadLetters }) => deadLetters.discardAll(),
  },
  receipt: { persisted: (_, receipt) => receipt.persisted({ timeoutMs: 500 }) },
  redis: {
    getRedisInfo: ({ redis }) => redis.getRedisInfo(),
    getRedisMemoryStats: ({ redis }) => redis.getRedisMemoryStats(),
  },
  app: {
    flush: (app) => app.flush({ timeoutMs: 500 }),
    backlog: (app) => app.backlog(),
    read: (app) => app.read('a:b:1', load),
    readMany: (app) => app.readMany(['a:b:1', 'a:b:2'], load),
    write: (app) => app.write('a:b:1', 1, load),
    writeTogether: (app) => app.writeTogether('projects', [{ store: 'projects', put: project }]),
  },
};
const table = Object.entries(calls).flatMap(([owner, methods]) =>
  Object.entries(methods).map(([method, call]) => [`${owner}.${method}`, call] as const),
);

/** These answer without Redis. */
const answered = [
  'listen',
  'getStats',
  'resetStats',
  'isRedisAvailable',
  'testRedisConnection',
  'getRedisMetrics',
];
const methodsOf = (object: object): string[] => {
  const own = Object.getOwnPropertyNames(object);
  const inherited = Object.getOwnPropertyNames(Object.getPrototypeOf(object));
  return (own.includes('close') ? own : [...own, ...inherited]).filter(
    (name) =>
      typeof (object as Record<string, unknown>)[name] === 'function' &&
      !(name in Object.prototype) &&
      !answered.includes(name),
  );
};

describe('a client that is closed', () => {
  let environment: Environment;
  let app: App;
  let receipt: Receipt;

  beforeAll(async () => {
    environment = await createEnvironment();
    app = await environment.connect(stores);
    receipt = await app.stores.projects.put(project);
    await app.stores.pages.get('a');
    await app.patterns.cacheAside('a:b:1', async () => 1);
    await app.close();
  });

  afterAll(() => environment.close());

  it('is asked for everything here', () => {
    const { stores, cache, patterns, deadLetters, redis } = app;
    const owners = { ...stores, cache, patterns, deadLetters, redis, receipt, app };
    const public_ = Object.entries(owners).flatMap(([owner, object]) =>
      methodsOf(object).map((method) => `${owner}.${method}`),
    );
    const expected = public_.filter((name) => !/^(notes|members)\.|^app\.close$/.test(name));
    expect(table.map(([name]) => name).sort()).toEqual(expected.sort());
  });

  it.each(table)('says so to %s', async (_, call) => {
    await expect(call(app, receipt)).rejects.toMatchObject({ name: 'ForebayError', code: 'CLOSED' });
  });

  it('counts as a Redis that is not there, and may be closed again', async () => {
    expect(await app.redis.isRedisAvailable()).toBe(false);
    expect(await app.redis.testRedisConnection()).toMatchObject({ ok: false });
    expect(app.redis.getRedisMetrics()).toMatchObject({ connections: 0 });
    await app.close();
  });
});

describe('while Redis is away', () => {
  let environment: Environment;
  let redis: OwnRedis;
  let app: App;
  let receipt: Receipt;

  beforeAll(async () => {
    [environment, redis] = await Promise.all([createEnvironment(), startOwnRedis()]);
    const config = { ...environment.config, redis: redis.settings, queueRedis: redis.settings };
    app = await environment.connect(stores, { config });
    receipt = await app.stores.projects.put(project);
    await redis.stop();
  });

  afterAll(async () => {
    await environment.close();
    await redis.remove();
  });

  it('what a client throws has a code', async () => {
    // What the loaders throw is theirs.
    const own = table.filter(
      ([name]) => !/^patterns\.(?!writeBehind|invalidateRelated)|^app\.(read|write)/.test(name),
    );
    const settled = await Promise.allSettled(own.map(([, call]) => call(app, receipt)));
    const strangers = settled.flatMap((result, i) =>
      result.status === 'rejected' && !(result.reason instanceof ForebayError)
        ? [`${own[i]?.[0]}: ${result.reason}`]
        : [],
    );
    expect(strangers).toEqual([]);
    const rejected = (name: string) => settled[own.findIndex(([one]) => one === name)];
    for (const name of ['app.flush', 'app.backlog', 'deadLetters.list', 'projects.get']) {
      expect(rejected(name)).toMatchObject({
        status: 'rejected',
        reason: { code: 'REDIS_UNAVAILABLE', retryable: true },
      });
    }
  });
});
