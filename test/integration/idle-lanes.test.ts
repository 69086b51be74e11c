/** What lanes cost that nobody writes to, and that none of them is forgotten for it. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Lane, Lanes } from '../../src/buffer/lane.js';
import { groupForCalls, occupiedLanes, unpersisted } from '../../src/buffer/occupied-lanes.js';
import { WriteBuffer } from '../../src/buffer/write-buffer.js';
import { type RecordBatch, record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';
import { fieldOf } from '../../src/keys.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { type OwnRedis, startOwnRedis } from '../support/own-redis.js';
import { patient } from '../support/patient.js';

interface Item {
  readonly id: string;
}

let environment: Environment;
let own: OwnRedis;
const persisted = new Map<string, number>();

beforeEach(async () => {
  environment = await createEnvironment();
  own = await startOwnRedis();
  persisted.clear();
});

afterEach(async () => {
  await environment.close();
  await own.remove();
});

const itemStores = (storeCount: number, partitions: number) =>
  defineStores(
    Object.fromEntries(
      Array.from({ length: storeCount }, (_, i) => [
        `items${i}`,
        record<Item, 'id'>({
          id: 'id',
          load: async () => [],
          persist: async ({ puts }: RecordBatch<Item, 'id'>) => {
            for (const { id } of puts) persisted.set(id, performance.now());
          },
          partitions,
          delayMs: 1,
        }),
      ]),
    ),
  );

const startWorker = (stores: ReturnType<typeof itemStores>) => {
  const config = { ...environment.config, redis: own.settings, queueRedis: own.settings };
  return environment.startWorker(stores, {}, undefined, config);
};

/** Of all but those of this test; those in scripts too. */
async function commandCount(): Promise<number> {
  const stats = await own.admin.info('commandstats');
  const found = [...stats.matchAll(/cmdstat_(\S+?):calls=(\d+)/g)];
  return found
    .filter(([, name]) => name !== 'info' && name !== 'config|resetstat')
    .reduce((sum, [, , calls]) => sum + Number(calls), 0);
}

/** A write whose app dies before it adds the job. */
async function writeWithoutJob(lane: Lane, id: string): Promise<void> {
  const buffer = new WriteBuffer(own.admin as never, environment.config.prefix);
  const field = fieldOf(lane.group.name, id);
  const { wake } = await buffer.write(lane, [{ op: 'put', field, payload: JSON.stringify({ id }) }]);
  expect(wake).toBe(true);
}

describe('800 idle lanes', () => {
  const count = 800;
  const stores = itemStores(10, count / 10);
  const looks = (looked: number) =>
    vi.waitFor(async () => expect(await own.calls('exists')).toBeGreaterThanOrEqual(4 * looked), {
      timeout: patient(30_000),
    });

  it('cost a worker one command in a second for 100 of them at most', async () => {
    await startWorker(stores);
    await looks(2);
    await own.admin.config('RESETSTAT');
    const startedAt = performance.now();
    await looks(2);
    const seconds = (performance.now() - startedAt) / 1_000;
    expect((await commandCount()) / seconds).toBeLessThanOrEqual(count / 100);
  });

  it('one of them that an app forgot to wake is found within 3 s after its mark', async () => {
    await startWorker(stores);
    await looks(2);
    const lane = new Lanes(stores, environment.config.prefix).all[777] as Lane;
    const writtenAt = performance.now();
    await writeWithoutJob(lane, 'forgotten');
    await expect.poll(() => persisted.get('forgotten'), { timeout: patient(10_000) }).toBeDefined();
    expect((persisted.get('forgotten') as number) - writtenAt).toBeLessThan(patient(3_500));
  });
});

it('of any lanes exactly those are told that hold something, but for some of few', async () => {
  const { prefix } = environment.config;
  const lanes = new Lanes(itemStores(3, 111), prefix).all;
  const chosen = lanes.filter((_, i) => i % 97 === 5);
  for (const lane of chosen) await writeWithoutJob(lane, 'x');
  const groups = groupForCalls(own.admin, lanes);
  expect(groups.flat()).toEqual(lanes);
  const found = (
    await Promise.all(groups.map((group) => occupiedLanes(own.admin, group, unpersisted)))
  ).flat();
  expect(found).toEqual(expect.arrayContaining(chosen));
  expect(found.length).toBeLessThanOrEqual(8 * chosen.length);
});
