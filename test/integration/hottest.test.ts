/** W: what was read most, lately, is warmed. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Hottest } from '../../src/cache/redis/hottest.js';
import { breakerOf } from '../../src/connection/breaker.js';
import { cacheKey, cacheKeys } from '../../src/definitions/cache-key.js';
import { computed } from '../../src/definitions/computed.js';
import { defineStores } from '../../src/definitions/stores.js';
import { hottestKeys } from '../../src/keys.js';
import { WarmQueue } from '../../src/queues/warm-queue.js';
import { WarmService } from '../../src/services/warm/warm.js';
import { createEnvironment, type Environment } from '../support/environment.js';

const hourMs = 3_600_000;
const Keys = cacheKeys('hottest', { page: cacheKey<string>(60) });
const stores = defineStores({
  pages: computed({
    key: Keys.page,
    warm: { list: 'hottest', max: 3, pageIdsMax: 2, loadShare: 1 },
    load: async (ids) => new Map(ids.map((id) => [id, `page ${id}`])),
  }),
});

let environment: Environment;
let hottest: Hottest;

beforeAll(async () => {
  environment = await createEnvironment();
});

beforeEach(async () => {
  const { redis, config } = environment;
  hottest = createHottest();
  await redis.del(Object.values(hottestKeys(config.prefix, 'pages')));
});

afterAll(() => environment.close());

function createHottest(): Hottest {
  const redis = environment.redis as never;
  return new Hottest({
    redis,
    prefix: environment.config.prefix,
    breaker: breakerOf(redis, 'cache', () => undefined),
  });
}

const add = (counts: Record<string, number>, halfLifeMs = hourMs) =>
  hottest.add('pages', new Map(Object.entries(counts)), halfLifeMs);

/** As if the counting had begun so much earlier. */
async function age(ms: number): Promise<void> {
  const { since } = hottestKeys(environment.config.prefix, 'pages');
  const [landmark, halfLifeMs] = ((await environment.redis.get(since)) as string).split(' ');
  await environment.redis.set(since, `${Number(landmark) - ms} ${halfLifeMs}`);
}

describe('W the hottest values', () => {
  it('are those that all processes together have read most', async () => {
    await add({ a: 5, b: 3, c: 1 });
    await createHottest().add(
      'pages',
      new Map([
        ['c', 9],
        ['d', 4],
      ]),
      hourMs,
    );
    expect(await hottest.top('pages', 3)).toEqual(['c', 'a', 'd']);
  });

  it('are those of late: a read counts half after a half-life', async () => {
    await add({ old: 100, older: 90 });
    await age(7 * hourMs);
    await add({ now: 1 });
    // 100 / 2^7 is less than 1.
    expect(await hottest.top('pages', 3)).toEqual(['now', 'old', 'older']);
    await age(hourMs / 2);
    await add({ old: 1 });
    expect((await hottest.top('pages', 3))[0]).toBe('old');
  });

  it('keep their order when counting goes on for years', async () => {
    await add({ a: 3, b: 2, c: 1 });
    for (let i = 0; i < 5; i++) {
      await age(1_000 * hourMs);
      await add({ [`year ${i}`]: 1 });
    }
    await add({ a: 3, b: 2 });
    expect(await hottest.top('pages', 4)).toEqual(['a', 'b', 'year 4', 'year 3']);
  });

  it('are those of late after the half-life was changed too, to a longer or a shorter one', async () => {
    const dayMs = 24 * hourMs;
    await add({ old: 1 });
    await age(60 * hourMs);
    await add({ old: 1 });
    await add({ now: 2 }, dayMs);
    expect(await hottest.top('pages', 1)).toEqual(['now']);
    await age(60 * dayMs);
    await add({ now: 1 }, dayMs);
    await add({ latest: 2 }, hourMs);
    expect(await hottest.top('pages', 3)).toEqual(['latest', 'now', 'old']);
  });

  it("are those of late after Redis's clock was set back too", async () => {
    await add({ old: 3 });
    await age(-1_000 * hourMs);
    await add({ now: 4 });
    expect(await hottest.top('pages', 2)).toEqual(['now', 'old']);
    await age(7 * hourMs);
    await add({ old: 1 });
    expect(await hottest.top('pages', 2)).toEqual(['old', 'now']);
  });

  it('are none when none are asked for', async () => {
    await add({ a: 1 });
    expect(await hottest.top('pages', 0)).toEqual([]);
  });

  it('begin anew when their landmark was evicted', async () => {
    await add({ a: 1_000 });
    await environment.redis.del(hottestKeys(environment.config.prefix, 'pages').since);
    await add({ b: 1 });
    expect(await hottest.top('pages', 2)).toEqual(['b']);
  });

  it('are kept up to a bound: the coldest go', async () => {
    const many = Object.fromEntries(Array.from({ length: 25_000 }, (_, i) => [`id ${i}`, 2]));
    await add({ cold: 1, hot: 3 });
    await add(many);
    const kept = await environment.redis.zcard(hottestKeys(environment.config.prefix, 'pages').reads);
    expect(kept).toBe(20_000);
    expect((await hottest.top('pages', 1))[0]).toBe('hot');
    expect(await hottest.top('pages', 20_000)).not.toContain('cold');
  });
});

describe('W warming the hottest', () => {
  it('after a restart with an empty cache computes what apps had read most', async () => {
    const app = await environment.connect(stores);
    const reads = { a: 5, b: 4, c: 3, d: 1 };
    for (const [id, count] of Object.entries(reads)) {
      for (let i = 0; i < count; i++) await app.stores.pages.get(id);
    }
    await app.close();
    const restarted = await environment.connect(stores);
    await restarted.cache.invalidatePattern('*');
    const { prisma, config, redis } = environment;
    const service = new WarmService({ stores, prisma, config, emit: () => undefined });
    await service.start();
    const queue = new WarmQueue(redis as never, config.prefix, () => undefined);
    try {
      const job = await queue.add('pages');
      await expect.poll(() => job.isCompleted()).toBe(true);
      expect((await (await queue.open()).getJob(job.id as string))?.returnvalue).toMatchObject({
        warmed: 3,
        pages: 2,
      });
    } finally {
      await service.stop(5_000);
      await queue.close();
    }
    const isWarm = async (id: string) => restarted.cache.exists(Keys.page(id));
    expect(await Promise.all(['a', 'b', 'c', 'd'].map(isWarm))).toEqual([true, true, true, false]);
  });
});
