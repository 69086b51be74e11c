/** A replica of a cluster that lags takes its master's place: entries that were dropped are there again. */
import { once } from 'node:events';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { type RedisCluster, startRedisCluster } from '../../dev/services/redis-cluster.js';
import * as models from '../../examples/platform/generated/models.js';
import { Lanes } from '../../src/buffer/lane.js';
import { record } from '../../src/definitions/record.js';
import { defineStores, type Store } from '../../src/definitions/stores.js';
import type { ForebayEvent } from '../../src/events.js';
import type { ChangesService } from '../../src/services/changes/changes.js';
import { startChangeWorker } from '../support/change-worker.js';
import { loseMaster, mastersOfSlots, replicasOf } from '../support/cluster-changes.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { patient } from '../support/patient.js';

const stores = defineStores({ clients: record({ model: models.Client, partitions: 1, delayMs: 1 }) });
let cluster: RedisCluster;
let environment: Environment;
let worker: ChangesService;
let opened: boolean[];
let dropped: number;

beforeAll(async () => {
  cluster = await startRedisCluster({ hasReplicas: true });
});

afterAll(() => cluster.remove());

beforeEach(async () => {
  environment = await createEnvironment();
  opened = [];
  dropped = 0;
});

afterEach(async () => {
  await worker.stop(5_000);
  await environment.close();
});

it('the change worker drops everything once more, and needs no more than once to begin', async () => {
  const { settings } = cluster;
  const config = { ...environment.config, redis: settings, queueRedis: settings };
  const onEvent = (event: ForebayEvent): void => {
    if (event.type === 'changes.opened') opened.push(event.isCold);
    if (event.type === 'changes.dropped') dropped += 1;
  };
  worker = await startChangeWorker(environment, stores, { config, onEvent });
  const app = await environment.connect(stores, { config });
  const name = async () => (await app.stores.clients.get('a'))?.name;
  await environment.prisma.client.create({ data: { id: 'a', name: 'old' } });
  await expect.poll(() => dropped).toBe(1);
  expect(await name()).toBe('old');
  const key = new Lanes(stores, config.prefix).entryKeyOf(stores.byName.get('clients') as Store, 'a');
  const slot = Number(await cluster.admins[0]?.cluster('KEYSLOT', key));
  const place = (await mastersOfSlots(cluster))[slot] as number;
  const [replica = -1] = await replicasOf(cluster, place);
  const [master, behind] = [cluster.admins[place], cluster.admins[replica]];
  await master?.call('WAIT', 1, 1_000);
  const pid = Number(/process_id:(\d+)/.exec(String(await behind?.info('server')))?.[1]);
  process.kill(pid, 'SIGSTOP');
  await master?.call('CLIENT', 'KILL', 'TYPE', 'replica');
  expect(opened).toEqual([true]);
  await environment.prisma.client.update({ where: { id: 'a' }, data: { name: 'new' } });
  await expect.poll(() => master?.exists(key), { interval: 5 }).toBe(0);
  const closed = once(master as Redis, 'close');
  const lost = loseMaster(cluster, place);
  await closed;
  process.kill(pid, 'SIGCONT');
  expect(await lost).toBe(replica);
  await expect.poll(() => name().catch(() => undefined), { timeout: patient(30_000) }).toBe('new');
  expect(opened.length).toBeGreaterThan(1);
}, 120_000);
