/** A cluster and a server that a sentinel watches, by configuration alone: all that an app and its workers do. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RedisCluster, startRedisCluster } from '../../dev/services/redis-cluster.js';
import { Project } from '../../examples/platform/generated/models.js';
import { stores } from '../../examples/platform/stores.js';
import type { Forebay } from '../../src/app/connect.js';
import { type Lane, Lanes } from '../../src/buffer/lane.js';
import { Layouts } from '../../src/buffer/layouts.js';
import { WriteBuffer } from '../../src/buffer/write-buffer.js';
import type { Config } from '../../src/config.js';
import { openConnections } from '../../src/connection/redis.js';
import { record } from '../../src/definitions/record.js';
import { defineStores, type RecordStore } from '../../src/definitions/stores.js';
import { isForebayError } from '../../src/errors.js';
import { changeLanes } from '../../src/operations/lane-change.js';
import { WakeUpCalls } from '../../src/queues/wake-ups.js';
import type { RedisSettings } from '../../src/redis-settings.js';
import { WriteBehindService } from '../../src/services/write-behind/write-behind.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { patient } from '../support/patient.js';
import { type OwnSentinel, startOwnSentinel } from '../support/redis-sentinel.js';

let environment: Environment;
let worker: WriteBehindService | undefined;

beforeEach(async () => {
  environment = await createEnvironment();
});

afterEach(async () => {
  await worker?.stop(5_000);
  worker = undefined;
  await environment.close();
});

function configWith(redis: RedisSettings): Config {
  return { ...environment.config, redis, queueRedis: redis };
}

async function startWorker(config: Config): Promise<void> {
  const { prisma, events } = environment;
  worker = new WriteBehindService({ stores, prisma, config, emit: (event) => events.push(event) });
  await worker.start();
}

const ids = Array.from({ length: 60 }, (_, i) => `p${i}`);

async function writeAndReadBack(app: Forebay<(typeof stores)['definitions']>): Promise<void> {
  const { projects, projectTouches } = app.stores;
  await projects.putMany(ids.map((id) => ({ id, name: `project ${id}` })));
  await Promise.all(ids.map((id) => projectTouches.add(id, 2)));
  await app.flush();
  expect(await environment.prisma.project.count({ where: { touches: 2 } })).toBe(ids.length);
  const rows = await projects.getMany(ids);
  expect(rows.map((row) => row?.name)).toEqual(ids.map((id) => `project ${id}`));
  expect(await Promise.all(ids.map((id) => projectTouches.get(id)))).toEqual(ids.map(() => 2));
}

describe('in a cluster', () => {
  let cluster: RedisCluster;

  beforeAll(async () => {
    cluster = await startRedisCluster();
  });

  afterAll(() => cluster.remove());

  it('R1 writes reach the database, and are read back', async () => {
    const config = configWith(cluster.settings);
    await startWorker(config);
    await writeAndReadBack(await environment.connect(stores, { config }));
  });

  it('R1 all servers share the keys', async () => {
    const app = await environment.connect(stores, { config: configWith(cluster.settings) });
    const keys = ids.map((id) => `user:profile:${id}`);
    await app.cache.mset(keys.map((key) => ({ key, value: key, ttl: 60 })));
    for (const admin of cluster.admins) expect(await admin.dbsize()).toBeGreaterThan(0);
    expect(await app.cache.mget(keys)).toEqual(keys);
    const found = new Set<string>();
    for await (const key of app.cache.scanPattern('user:profile:*')) found.add(key);
    expect([...found].sort()).toEqual([...keys].sort());
    expect(await app.cache.invalidatePattern('user:profile:*')).toBe(keys.length);
    expect(await app.cache.mget(keys)).toEqual(keys.map(() => null));
  });

  it('R1 values in memory follow changes on every server', async () => {
    const config = configWith(cluster.settings);
    const [reader, writer] = await Promise.all([
      environment.connect(stores, { config }),
      environment.connect(stores, { config, cache: { l1: false } }),
    ]);
    await expect.poll(() => environment.events.map(({ type }) => type)).toContain('l1.opened');
    const keys = ids.map((id) => `user:full:${id}`);
    await writer.cache.mset(keys.map((key) => ({ key, value: 1, ttl: 60 })));
    await expect.poll(() => reader.cache.mget(keys)).toEqual(keys.map(() => 1));
    await writer.cache.mset(keys.map((key) => ({ key, value: 2, ttl: 60 })));
    await expect.poll(() => reader.cache.mget(keys)).toEqual(keys.map(() => 2));
  });

  it('a write under way when its connection breaks is told as in doubt, and not sent again', async () => {
    const app = await environment.connect(stores, { config: configWith(cluster.settings) });
    await app.stores.projects.put({ id: 'doubt', name: 'counted' });
    const onAll = (...command: string[]) =>
      Promise.all(cluster.admins.map((admin) => admin.call(...(command as [string]))));
    await onAll('CLIENT', 'PAUSE', '60000', 'WRITE');
    const adding = app.stores.projectTouches.add('doubt', 1);
    const outcome = expect(adding).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN', retryable: false });
    await expect.poll(() => writers(true)).toHaveLength(1);
    for (const { admin, id } of await writers(false)) await admin.client('KILL', 'ID', id);
    await outcome;
    await onAll('CLIENT', 'UNPAUSE');
    await expect
      .poll(() => app.stores.projectTouches.add('doubt', 10).then(() => 'accepted'))
      .toBe('accepted');
    expect(await app.stores.projectTouches.get('doubt')).toBe(10);
  });

  async function writers(isBlocked: boolean) {
    const lists = await Promise.all(
      cluster.admins.map(async (admin) => ({ admin, list: String(await admin.client('LIST')) })),
    );
    return lists.flatMap(({ admin, list }) =>
      list
        .split('\n')
        .filter((line) => line.includes('name=forebay-writes') && (!isBlocked || / flags=\S*b/.test(line)))
        .map((line) => ({ admin, id: Number(/ ?id=(\d+)/.exec(line)?.[1]) })),
    );
  }

  it('a write whose lane is being moved is told as refused, to be repeated, and counts once', async () => {
    const app = await environment.connect(stores, { config: configWith(cluster.settings) });
    await app.stores.projects.put({ id: 'moved', name: 'counted' });
    await app.stores.projectTouches.add('moved', 1);
    const [from, to, slot] = await startMove(await keyOfLane('moved'));
    await expect(app.stores.projectTouches.add('moved', 10)).rejects.toMatchObject({
      code: 'REDIS_REFUSED',
      retryable: true,
    });
    await endMove(from, to, slot);
    await expect
      .poll(() =>
        app.stores.projectTouches.add('moved', 100).then(
          () => 'accepted',
          () => 'refused',
        ),
      )
      .toBe('accepted');
    expect(await app.stores.projectTouches.get('moved')).toBe(101);
  });

  it('a lane that is moved under writes is out for 5 s at most, no write is told as in doubt, and the sum is exact', async () => {
    const app = await environment.connect(stores, { config: configWith(cluster.settings) });
    await app.stores.projects.put({ id: 'busy', name: 'counted' });
    await app.stores.projects.putMany(ids.map((id) => ({ id, name: 'in any lane' })));
    const told = new Set<string>();
    let accepted = 0;
    let longestMs = 0;
    const moved = moveWhole(await keyOfLane('busy'));
    let isMoved = false;
    void moved.finally(() => {
      isMoved = true;
    });
    for (let at = performance.now(), isLast = false; !isLast; ) {
      isLast = isMoved;
      const outcome = await app.stores.projectTouches.add('busy', 1).then(() => 'accepted', codeOf);
      if (outcome !== 'accepted') {
        told.add(outcome);
        isLast = false;
        continue;
      }
      accepted += 1;
      longestMs = Math.max(longestMs, performance.now() - at);
      at = performance.now();
    }
    await moved;
    expect(longestMs).toBeLessThan(patient(5_000));
    expect([...told].filter((code) => code !== 'REDIS_REFUSED')).toEqual([]);
    expect(await app.stores.projectTouches.get('busy')).toBe(accepted);
  });

  /** As `redis-cli --cluster reshard` does: some keys at a time. */
  async function moveWhole(key: string): Promise<void> {
    const [from, to, slot] = await startMove(key);
    const left = async () => (await cluster.admins[from]?.cluster('GETKEYSINSLOT', slot, 10)) as string[];
    for (let keys = await left(); keys.length > 0; keys = await left()) await migrate(from, to, keys);
    await endMove(from, to, slot);
  }

  /** The lane's `meta`. */
  async function keyOfLane(id: string): Promise<string> {
    const lists = await Promise.all(cluster.admins.map((admin) => admin.keys('{*}:dirty')));
    for (const [i, keys] of lists.entries()) {
      for (const key of keys) {
        if (await cluster.admins[i]?.hexists(key, `projects:${id}`)) return key.replace(/dirty$/, 'meta');
      }
    }
    throw new Error(`no lane has ${id}`);
  }

  /** Stops half-way: the lane's `meta` is with the new server, its other keys are not. */
  async function startMove(key: string): Promise<[from: number, to: number, slot: number]> {
    const slot = Number(await cluster.admins[0]?.cluster('KEYSLOT', key));
    const names = await Promise.all(cluster.admins.map((admin) => admin.call('CLUSTER', 'MYID')));
    const from = Math.floor(slot / Math.ceil(16_384 / 3));
    const to = (from + 1) % 3;
    await cluster.admins[to]?.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', names[from] as string);
    await cluster.admins[from]?.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', names[to] as string);
    await migrate(from, to, [key]);
    return [from, to, slot];
  }

  async function endMove(from: number, to: number, slot: number): Promise<void> {
    const keys = (await cluster.admins[from]?.cluster('GETKEYSINSLOT', slot, 1_000)) as string[];
    if (keys.length > 0) await migrate(from, to, keys);
    const name = (await cluster.admins[to]?.call('CLUSTER', 'MYID')) as string;
    for (const i of [to, from, 3 - from - to]) {
      await cluster.admins[i]?.call('CLUSTER', 'SETSLOT', slot, 'NODE', name);
    }
  }

  async function migrate(from: number, to: number, keys: readonly string[]): Promise<void> {
    const { port } = cluster.servers[to] as { port: number };
    const auth = ['AUTH', cluster.settings.password as string];
    await cluster.admins[from]?.call('MIGRATE', '127.0.0.1', port, '', 0, 5_000, ...auth, 'KEYS', ...keys);
  }

  it('writes for a server that was killed are told as not sent within 2 s, never as in doubt, and other lanes go on', async () => {
    const app = await environment.connect(stores, { config: configWith(cluster.settings) });
    await app.stores.projects.putMany(ids.map((id) => ({ id, name: 'counted' })));
    const accepted = new Map(ids.map((id) => [id, 0]));
    const add = async (id: string): Promise<string> => {
      const code = await app.stores.projectTouches.add(id, 1).then(() => 'accepted', codeOf);
      if (code === 'accepted') accepted.set(id, (accepted.get(id) ?? 0) + 1);
      return code;
    };
    const addAll = () => Promise.all(ids.map((id) => timed(add(id))));
    await cluster.servers[2]?.stop();
    const rounds = [await addAll(), await addAll()];
    await cluster.servers[2]?.restart();
    const codes = new Set(rounds.flat().map(([code]) => code));
    expect([...codes].filter((code) => code !== 'REDIS_REFUSED').sort()).toEqual([
      'REDIS_UNAVAILABLE',
      'accepted',
    ]);
    for (const [, ms] of rounds.flat()) expect(ms).toBeLessThan(patient(3_500));
    await expect.poll(async () => (await addAll()).filter(([code]) => code !== 'accepted')).toEqual([]);
    const living = ids.filter((_, i) => rounds[0]?.[i]?.[0] === 'accepted');
    for (const id of living) expect(await app.stores.projectTouches.get(id)).toBe(accepted.get(id));
  });

  async function timed<T>(work: Promise<T>): Promise<readonly [result: T, ms: number]> {
    const startedAt = performance.now();
    return [await work, performance.now() - startedAt];
  }

  function codeOf(error: unknown): string {
    return isForebayError(error) ? error.code : String(error);
  }

  it('a lane that its app forgot to wake is found when its turn comes', async () => {
    const config = configWith(cluster.settings);
    const few = defineStores({ projects: record({ model: Project, partitions: 4, delayMs: 1 }) });
    await environment.startWorker(few, {}, undefined, config);
    const lanes = new Lanes(few, config.prefix).all;
    const { redis } = await openConnections({ redis: [config.redis, 'reads'] }, () => undefined);
    const buffer = new WriteBuffer(redis, config.prefix);
    const project = few.byName.get('projects') as RecordStore;
    const payload = project.rows.encode({ id: 'forgotten', name: 'found' });
    const write = { op: 'put', field: 'projects:forgotten', payload } as const;
    expect((await buffer.write(lanes.at(-1) as Lane, [write])).wake).toBe(true);
    await expect.poll(() => environment.prisma.project.count(), { timeout: patient(60_000) }).toBe(1);
    redis.disconnect();
  });

  it('the number of a store’s lanes is changed under writes: all are in the database, once, and are read back', async () => {
    const config = configWith(cluster.settings);
    await startWorker(config);
    const app = await environment.connect(stores, { config });
    const other = await environment.connect(stores, { config });
    const { redis } = await openConnections({ redis: [config.redis, 'reads'] }, () => undefined);
    const buffer = new WriteBuffer(redis, config.prefix);
    await writeAndReadBack(app);
    const options = {
      redis,
      buffer,
      prefix: config.prefix,
      layouts: new Layouts(buffer),
      queue: new WakeUpCalls(redis, config.prefix),
      timeoutMs: patient(10_000),
      signal: new AbortController().signal,
      isPaused: false,
      onLeft: () => undefined,
    };
    for (const number of [3, 16]) {
      const adds = Promise.all(ids.map((id) => app.stores.projectTouches.add(id)));
      expect(await changeLanes('projects', number, options)).toMatchObject({ kind: 'changed' });
      await adds;
    }
    await Promise.all(ids.map((id) => other.stores.projectTouches.add(id)));
    expect(await Promise.all(ids.map((id) => app.stores.projectTouches.get(id)))).toEqual(ids.map(() => 5));
    await app.flush();
    expect(await environment.prisma.project.count({ where: { touches: 5 } })).toBe(ids.length);
    redis.disconnect();
  });

  it('R3 a server that is away costs no call more than its time-out, and the others go on', async () => {
    const config = configWith(cluster.settings);
    const { cache } = await openConnections({ cache: [config.redis, 'cache'] }, () => undefined);
    await cluster.servers[2]?.stop();
    const startedAt = performance.now();
    const settled = await Promise.allSettled(ids.map((id) => cache.get(`away:${id}`)));
    expect(performance.now() - startedAt).toBeLessThan(patient(2_000));
    expect(settled.filter(({ status }) => status === 'rejected').length).toBeLessThan(ids.length);
    await cluster.servers[2]?.restart();
    const readAll = (): Promise<unknown> => Promise.all(ids.map((id) => cache.get(`away:${id}`)));
    await expect.poll(() => readAll().then(() => 'read')).toBe('read');
    cache.disconnect();
  });
});

describe('with sentinels', () => {
  let sentinel: OwnSentinel;

  beforeEach(async () => {
    sentinel = await startOwnSentinel();
  });

  afterEach(() => sentinel.remove());

  it('R1 writes reach the database, also after the server has been replaced', async () => {
    const config = configWith(sentinel.settings);
    await startWorker(config);
    const app = await environment.connect(stores, { config });
    await writeAndReadBack(app);
    await sentinel.master.kill();
    const put = () => app.stores.projects.put({ id: 'after', name: 'the failover' }).then(() => 'accepted');
    await expect.poll(put, { interval: 100 }).toBe('accepted');
    await app.flush({ timeoutMs: 20_000 });
    expect(await environment.prisma.project.findUnique({ where: { id: 'after' } })).toMatchObject({
      name: 'the failover',
    });
  });

  it('a start with a name that the sentinels do not know says what to check', async () => {
    const config = configWith({ ...sentinel.settings, name: 'other' });
    await expect(environment.connect(stores, { config })).rejects.toMatchObject({
      code: 'REDIS_UNAVAILABLE',
      message: expect.stringContaining('REDIS_SENTINEL_NAME'),
    });
  });
});
