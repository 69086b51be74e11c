/** Node warns of nothing, however often the connections of an app and a worker break while both are busy. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { stores } from '../../examples/platform/stores.js';
import { WriteBehindService } from '../../src/services/write-behind/write-behind.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { type OwnRedis, startOwnRedis } from '../support/own-redis.js';

const reconnects = 30;
const rows = 64;

let environment: Environment;
let redis: OwnRedis;
let worker: WriteBehindService | undefined;
const warnings: string[] = [];
const onWarning = (warning: Error): number => warnings.push(`${warning.name}: ${warning.message}`);

beforeEach(async () => {
  [environment, redis] = await Promise.all([createEnvironment(), startOwnRedis()]);
  process.on('warning', onWarning);
});

afterEach(async () => {
  process.off('warning', onWarning);
  await worker?.stop(5_000);
  await environment.close();
  await redis.remove();
});

it('no warning is emitted over 30 reconnects of an app and a worker', async () => {
  const { prisma } = environment;
  const config = { ...environment.config, redis: redis.settings, queueRedis: redis.settings };
  worker = new WriteBehindService({ stores, prisma, config, emit: () => undefined });
  await worker.start();
  const app = await environment.connect(stores, { config });
  const write = (round: number) =>
    Array.from({ length: rows }, (_, i) => [
      app.stores.clients.put({ id: String(i), name: `${round}` }),
      app.stores.projects.put({ id: String(i), name: `${round}` }),
      app.stores.users.get(String(i)),
      app.patterns.cacheAside(`warned:of:${i}`, async () => round),
    ]).flat();
  for (let round = 1; round <= reconnects; round++) {
    const before = app.redis.getRedisMetrics().reconnects;
    const calls = [Promise.allSettled(write(round))];
    if (round % 3 === 0) {
      await redis.stop();
      calls.push(Promise.allSettled(write(round)));
      await redis.restart();
    } else {
      await redis.admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      await redis.admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub', 'SKIPME', 'yes');
      calls.push(Promise.allSettled(write(round)));
    }
    await Promise.all(calls);
    await expect
      .poll(() => app.redis.getRedisMetrics().reconnects, { timeout: 20_000 })
      .toBeGreaterThan(before);
  }
  await Promise.all(write(reconnects + 1));
  await app.flush({ timeoutMs: 60_000 });
  expect(await prisma.client.count({ where: { name: `${reconnects + 1}` } })).toBe(rows);
  expect(warnings).toEqual([]);
});
