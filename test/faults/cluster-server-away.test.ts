/** One server of a cluster is away, and none takes its place: what the others have is read as ever. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RedisCluster, startRedisCluster } from '../../dev/services/redis-cluster.js';
import { Project } from '../../examples/platform/generated/models.js';
import type { Forebay } from '../../src/app/connect.js';
import { Lanes } from '../../src/buffer/lane.js';
import { counter } from '../../src/definitions/counter.js';
import { record } from '../../src/definitions/record.js';
import { defineStores, type Store } from '../../src/definitions/stores.js';
import { slotOf } from '../../src/hash-slot.js';
import { cacheEntryKey } from '../../src/keys.js';
import { mastersOfSlots } from '../support/cluster-changes.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { patient } from '../support/patient.js';

const projects = record({ model: Project, counters: ['views', 'touches'], onRedisAway: 'load' });
const stores = defineStores({ projects, views: counter({ of: projects, field: 'views' }) });
const ids = Array.from({ length: 60 }, (_, i) => `p${i}`);
const away = 2;

let cluster: RedisCluster;
let environment: Environment;
let app: Forebay<(typeof stores)['definitions']>;
let masters: readonly number[];

beforeEach(async () => {
  cluster = await startRedisCluster();
  for (const admin of cluster.admins)
    await admin.call('CONFIG', 'SET', 'cluster-require-full-coverage', 'no');
  masters = await mastersOfSlots(cluster);
  environment = await createEnvironment();
  const { settings } = cluster;
  app = await environment.connect(stores, {
    config: { ...environment.config, redis: settings, queueRedis: settings },
    cache: { l1: false },
  });
});

afterEach(async () => {
  await environment.close();
  await cluster.remove();
});

function idsOf(isAway: boolean, keyOf: (id: string) => string): string[] {
  return ids.filter((id) => (masters[slotOf(keyOf(id))] === away) === isAway);
}

function entryKey(id: string): string {
  const store = stores.byName.get('projects') as Store;
  return new Lanes(stores, environment.config.prefix).entryKeyOf(store, id);
}

const codeOf = (error: { code?: string }): string | undefined => error.code;

describe('while one server of a cluster', () => {
  it('is killed, rows and counters of the others are read in the same turn, and a store that then loads gives what the database has', async () => {
    await environment.prisma.project.createMany({ data: ids.map((id) => ({ id, name: 'in the database' })) });
    await app.stores.projects.putMany(ids.map((id) => ({ id, name: 'pending' })));
    await cluster.servers[away]?.kill();
    const [living, dead] = [idsOf(false, entryKey), idsOf(true, entryKey)];
    for (let round = 0; round < 3; round++) {
      const readAll = (some: string[]) =>
        Promise.all(some.map(async (id) => (await app.stores.projects.get(id))?.name));
      const countAll = (some: string[]) =>
        Promise.all(some.map((id) => app.stores.views.get(id).catch(codeOf)));
      const [pending, loaded, counted, uncounted] = await Promise.all([
        readAll(living),
        readAll(dead),
        countAll(living),
        countAll(dead),
      ]);
      expect(new Set(pending)).toEqual(new Set(['pending']));
      expect(new Set(loaded)).toEqual(new Set(['in the database']));
      expect(new Set(counted)).toEqual(new Set([0n]));
      for (const code of uncounted) expect(code).toMatch(/^REDIS_(UNAVAILABLE|REFUSED)$/);
    }
    expect(environment.events.filter(({ type }) => type === 'breaker.opened')).toEqual([]);
  }, 120_000);

  it('is silent, values of the others are read from the cache at once, and its own are loaded within seconds', async () => {
    const keyOf = (id: string): string => cacheEntryKey(environment.config.prefix, `value:${id}`);
    const read = (id: string, found: string) =>
      app.read(`value:${id}`, () => Promise.resolve(found), { ttlMs: 600_000 });
    await Promise.all(ids.map((id) => read(id, 'cached')));
    const pid = cluster.servers[away]?.pid as number;
    process.kill(pid, 'SIGSTOP');
    const [living, dead] = [idsOf(false, keyOf), idsOf(true, keyOf)];
    const startedAt = performance.now();
    const timed = async (some: string[]) => {
      const values = await Promise.all(some.map((id) => read(id, 'loaded')));
      return { values: new Set(values), ms: performance.now() - startedAt };
    };
    const [others, own] = await Promise.all([timed(living), timed(dead)]);
    const many = await app.readMany(
      [...living, ...dead].map((id) => `value:${id}`),
      (keys) => Promise.resolve(new Map(keys.map((key) => [key, 'loaded']))),
      { ttlMs: 600_000 },
    );
    process.kill(pid, 'SIGCONT');
    expect(others.values).toEqual(new Set(['cached']));
    expect(own.values).toEqual(new Set(['loaded']));
    expect(others.ms).toBeLessThan(patient(500));
    expect(own.ms).toBeLessThan(patient(2_500));
    expect(many).toEqual([...living.map(() => 'cached'), ...dead.map(() => 'loaded')]);
  }, 120_000);
});
