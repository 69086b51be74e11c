/** What processes tell of themselves, for the board: that they live, and what they have flushed. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { stores } from '../../examples/platform/stores.js';
import { addFlushes, FlushHistory } from '../../src/buffer/flush-history.js';
import { readProcesses } from '../../src/connection/processes.js';
import { openConnections, type RedisClient } from '../../src/connection/redis.js';
import { releaseOfStores } from '../../src/definitions/stores-release.js';
import { processesKey, processKey } from '../../src/keys.js';
import { RefreshService } from '../../src/services/refresh/refresh.js';
import { createEnvironment, type Environment } from '../support/environment.js';

let environment: Environment;
let redis: RedisClient;
let prefix: string;

beforeEach(async () => {
  environment = await createEnvironment();
  ({ prefix } = environment.config);
  ({ redis } = await openConnections({ redis: [environment.config.redis, 'reads'] }, () => undefined));
});

afterEach(async () => {
  redis.disconnect();
  await environment.close();
});

it('a process is listed while it lives: with its role, release, lag and memory; and not once it has stopped', async () => {
  const { prisma, config } = environment;
  const refresh = new RefreshService({ stores, prisma, config, emit: () => undefined });
  await Promise.all([environment.startWorker(stores), refresh.start()]);
  await expect.poll(() => readProcesses(redis, prefix)).toHaveLength(2);
  const all = await readProcesses(redis, prefix);
  expect(all.map(({ role }) => role)).toEqual(['refresh', 'write-behind']);
  const facts = { pid: process.pid, release: releaseOfStores(stores), lagMs: expect.any(Number) };
  for (const one of all) expect(one).toMatchObject({ ...facts, memoryBytes: expect.any(Number) });
  await refresh.stop(5_000);
  expect((await readProcesses(redis, prefix)).map(({ role }) => role)).toEqual(['write-behind']);
});

it('one that was killed is gone with its key, which does not live for long', async () => {
  await environment.startWorker(stores);
  await expect.poll(() => readProcesses(redis, prefix)).toHaveLength(1);
  const [id] = await redis.zrange(processesKey(prefix), '0', '-1');
  const livesForMs = await redis.pttl(processKey(prefix, id as string));
  expect(livesForMs).toBeGreaterThan(0);
  expect(livesForMs).toBeLessThanOrEqual(25_000);
  await redis.unlink(processKey(prefix, id as string));
  expect(await readProcesses(redis, prefix)).toEqual([]);
});

it('the history of flushes has the sums of all workers, minute by minute, for an hour', async () => {
  const lanes = new Map([
    ['tasks/0', { rows: 10, batches: 2, ms: 30 }],
    ['tasks/1', { rows: 1, batches: 1, ms: 5 }],
  ]);
  await Promise.all([addFlushes(redis, prefix, lanes), addFlushes(redis, prefix, lanes)]);
  const minutes = await new FlushHistory(redis, prefix).read();
  expect(minutes).toHaveLength(60);
  const sums = new Map<string, number>();
  for (const { lanes: ofMinute } of minutes)
    for (const [lane, { rows, batches, ms }] of ofMinute)
      sums.set(lane, (sums.get(lane) ?? 0) + rows + 1_000 * batches + 1_000_000 * ms);
  expect([...sums]).toEqual([
    ['tasks/0', 60_004_020],
    ['tasks/1', 10_002_002],
  ]);
});
