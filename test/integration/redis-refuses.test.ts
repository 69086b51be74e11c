/** What an app is told when Redis answers, and refuses: for each state of a server that this can be in, every kind of call. */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stores } from '../../examples/platform/stores.js';
import type { Forebay } from '../../src/app/connect.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { type OwnRedis, startOwnRedis } from '../support/own-redis.js';
import { patient } from '../support/patient.js';

type App = Forebay<(typeof stores)['definitions']>;

let environment: Environment;
let server: OwnRedis;
let closers: (() => Promise<unknown>)[];

beforeEach(async () => {
  environment = await createEnvironment();
  closers = [];
});

afterEach(async () => {
  await environment.close();
  for (const close of closers.reverse()) await close();
  await server.remove();
});

async function connectTo(own: OwnRedis): Promise<App> {
  server = own;
  return environment.connect(stores, { config: { ...environment.config, redis: own.settings } });
}

/** Calls on what `seed` has made. */
const calls = {
  'get of a cached row': (app: App) => app.stores.clients.get('cached'),
  'get of a row that is pending': (app: App) => app.stores.clients.get('pending'),
  'get of a row that is not cached': (app: App) => app.stores.clients.get('absent'),
  'get of a counter': (app: App) => app.stores.projectTouches.get('p'),
  put: (app: App) => app.stores.clients.put({ id: 'cached', name: 'again' }),
  'a counter’s add': (app: App) => app.stores.projectTouches.add('p', 1),
  delete: (app: App) => app.stores.clients.delete('cached'),
  'cache.get': (app: App) => app.cache.get('user:1'),
  'cache.set': (app: App) => app.cache.set('user:1', 'again'),
  'cache.increment': (app: App) => app.cache.increment('hits', 1),
};

const reads: readonly string[] = [
  'get of a cached row',
  'get of a row that is pending',
  'get of a row that is not cached',
  'get of a counter',
  'cache.get',
];

async function seed(app: App): Promise<void> {
  await app.stores.clients.put({ id: 'cached', name: 'first' });
  await app.stores.clients.get('cached');
  await app.stores.clients.put({ id: 'pending', name: 'first' });
  await app.stores.projects.put({ id: 'p', name: 'counted' });
  await app.stores.projectTouches.add('p', 1);
  await app.cache.set('user:1', 'first', 600);
  await app.cache.increment('hits', 1);
}

async function outcomesOf(app: App): Promise<Record<string, object>> {
  const outcomes = Object.entries(calls).map(async ([name, call]) => {
    const [result] = await Promise.allSettled([call(app)]);
    return [name, result] as const;
  });
  return Object.fromEntries(await Promise.all(outcomes));
}

interface State {
  /** What the error says. A replica refuses plain writes for being one. */
  readonly word: RegExp;
  readonly code: 'REDIS_REFUSED' | 'REDIS_OUT_OF_MEMORY';
  readonly retryable: boolean;
  /** Whether the server still answers reads. */
  readonly isReadable: boolean;
  enter(): Promise<unknown>;
  leave(): Promise<unknown>;
}

const set = (option: string, value: string | number) => server.admin.config('SET', option, value);

/** States of a single server. */
const states: readonly State[] = [
  {
    word: /READONLY/,
    code: 'REDIS_REFUSED',
    retryable: true,
    isReadable: true,
    enter: () => server.admin.replicaof('127.0.0.1', 1),
    leave: () => server.admin.replicaof('NO', 'ONE'),
  },
  {
    word: /MASTERDOWN|READONLY/,
    code: 'REDIS_REFUSED',
    retryable: true,
    isReadable: false,
    enter: async () => {
      await set('replica-serve-stale-data', 'no');
      await server.admin.replicaof('127.0.0.1', 1);
    },
    leave: () => server.admin.replicaof('NO', 'ONE'),
  },
  {
    word: /BUSY/,
    code: 'REDIS_REFUSED',
    retryable: true,
    isReadable: false,
    enter: async () => {
      await set('lua-time-limit', 1);
      const other = new Redis(server.url);
      closers.push(async () => other.disconnect());
      other.eval('while true do end', 0).catch(() => undefined); // until it is killed
      await expect.poll(() => server.admin.ping().catch((error: Error) => error.message)).toMatch(/^BUSY/);
    },
    leave: async () => {
      await server.admin.script('KILL');
      await expect.poll(() => server.admin.ping().catch(String)).toBe('PONG');
    },
  },
  {
    word: /MISCONF/,
    code: 'REDIS_REFUSED',
    retryable: true,
    isReadable: true,
    enter: async () => {
      const [, folder] = (await server.admin.config('GET', 'dir')) as [string, string];
      await mkdir(path.join(folder, 'dump.rdb')); // where the snapshot would go
      await set('save', '3600 1');
      await server.admin.bgsave();
      await expect.poll(() => server.admin.info('persistence')).toMatch(/rdb_last_bgsave_status:err/);
    },
    leave: () => set('save', ''),
  },
  {
    word: /OOM/,
    code: 'REDIS_OUT_OF_MEMORY',
    retryable: true,
    isReadable: true,
    enter: () => set('maxmemory', 1),
    leave: () => set('maxmemory', 0),
  },
  {
    word: /NOREPLICAS/,
    code: 'REDIS_REFUSED',
    retryable: true,
    isReadable: true,
    enter: () => set('min-replicas-to-write', 1),
    leave: () => set('min-replicas-to-write', 0),
  },
  {
    word: /NOPERM/,
    code: 'REDIS_REFUSED',
    retryable: false,
    isReadable: false,
    enter: () => server.admin.call('ACL', 'SETUSER', 'default', '-@all', '+acl'),
    leave: () => server.admin.call('ACL', 'SETUSER', 'default', '+@all'),
  },
];

function expectRefused(outcomes: Record<string, object>, { word, code, retryable, isReadable }: State): void {
  for (const [name, outcome] of Object.entries(outcomes)) {
    if (isReadable && reads.includes(name)) expect(outcome, name).toMatchObject({ status: 'fulfilled' });
    else {
      const message = expect.stringMatching(word);
      expect(outcome, name).toMatchObject({ reason: { name: 'ForebayError', code, retryable, message } });
    }
  }
}

/** That nothing of what was refused was done: the same calls succeed, and count once. */
async function expectWhole(app: App): Promise<void> {
  for (const [name, outcome] of Object.entries(await outcomesOf(app))) {
    expect(outcome, name).toMatchObject({ status: 'fulfilled' });
  }
  expect(await app.stores.projectTouches.get('p')).toBe(2);
  expect(await app.cache.get('hits')).toBe(2);
  expect(await app.backlog()).toMatchObject({ dirty: 4 });
}

describe('a server that refuses', () => {
  it.each(states)(
    'with $word.source is told as that by every call, and nothing is half done',
    async (state) => {
      const app = await connectTo(await startOwnRedis());
      await seed(app);
      await state.enter();
      expectRefused(await outcomesOf(app), state);
      await state.leave();
      await expectWhole(app);
    },
  );

  it('while it loads its data is told as that by every call', async () => {
    const source = await startOwnRedis();
    closers.push(() => source.remove());
    const app = await connectTo(await startOwnRedis());
    await seed(app);
    const pipeline = source.admin.pipeline();
    for (let i = 0; i < 2_000; i++) pipeline.set(`key-${i}`, 'x'.repeat(1_000));
    await pipeline.exec();
    await source.admin.config('SET', 'repl-diskless-sync-delay', 0);
    const { host, port, password = '' } = source.settings as { host: string; port: number; password: string };
    await set('masterauth', password);
    await set('key-load-delay', 10_000);
    await set('loading-process-events-interval-bytes', 1_024);
    await server.admin.replicaof(host, port);
    await expect.poll(() => server.admin.ping().then(String, String)).toMatch(/LOADING/);
    const state = {
      word: /LOADING|READONLY/,
      code: 'REDIS_REFUSED',
      retryable: true,
      isReadable: false,
    } as State;
    expectRefused(await outcomesOf(app), state);
    await set('key-load-delay', 0);
  });
});

/** All slots of a cluster. */
const slots = Array.from({ length: 16_384 }, (_, slot) => slot);

async function startOneNodeCluster(): Promise<OwnRedis> {
  const own = await startOwnRedis({ extraArgs: ['--cluster-enabled', 'yes'] });
  await own.admin.cluster('ADDSLOTS', ...slots);
  await expect.poll(() => own.admin.cluster('INFO')).toMatch(/cluster_state:ok/);
  return own;
}

describe('a cluster that refuses', () => {
  it('with CLUSTERDOWN is told as that by every call, and nothing is half done', async () => {
    const app = await connectTo(await startOneNodeCluster());
    await seed(app);
    await server.admin.cluster('DELSLOTS', ...slots);
    await expect.poll(() => server.admin.cluster('INFO')).toMatch(/cluster_state:fail/);
    const state = { word: /CLUSTERDOWN/, code: 'REDIS_REFUSED', retryable: true, isReadable: false } as State;
    expectRefused(await outcomesOf(app), state);
    await server.admin.cluster('ADDSLOTS', ...slots);
    await expect.poll(() => server.admin.cluster('INFO')).toMatch(/cluster_state:ok/);
    await expectWhole(app);
  });
});

describe('a server that does not let an app in any more', () => {
  it.each([
    ['WRONGPASS', {}],
    ['NOAUTH', { password: '' }],
  ])('with %s is told as that within two seconds, however many writes wait', async (word, options) => {
    const app = await connectTo(await startOwnRedis(options));
    await seed(app);
    await server.admin.config('SET', 'requirepass', 'another');
    await server.admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    const startedAt = performance.now();
    const puts = Array.from({ length: 2_000 }, (_, i) =>
      app.stores.clients.put({ id: `${i % 500}`, name: 'x' }),
    );
    const outcomes = [...(await Promise.allSettled(puts)), ...Object.values(await outcomesOf(app))];
    const tookMs = performance.now() - startedAt;
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ reason: { code: 'REDIS_UNAVAILABLE' } });
    }
    expect(outcomes[0]).toMatchObject({
      reason: { retryable: false, message: expect.stringContaining(word) },
    });
    // Twice two seconds: the puts, then the calls of each kind; and one more.
    expect(tookMs).toBeLessThan(patient(6_000));
  });
});

describe('a counter', () => {
  it('tells an overflow of 64 bits as such, and that alone', async () => {
    const app = await connectTo(await startOwnRedis());
    const { projectViews } = app.stores;
    await projectViews.add('p', 2n ** 63n - 1n);
    await expect(projectViews.add('p', 1)).rejects.toMatchObject({ code: 'COUNTER_OVERFLOW' });
    await projectViews.add('p', -1);
    await set('min-replicas-to-write', 1);
    await expect(projectViews.add('p', 5)).rejects.toMatchObject({ code: 'REDIS_REFUSED', retryable: true });
  });
});
