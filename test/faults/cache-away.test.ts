import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Forebay } from '../../src/app/connect.js';
import { type Definitions, defineStores } from '../../src/definitions/stores.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { type OwnRedis, startOwnRedis } from '../support/own-redis.js';
import { patient } from '../support/patient.js';

let environment: Environment;
let server: OwnRedis;
let app: Forebay<Definitions>;

beforeEach(async () => {
  environment = await createEnvironment();
  server = await startOwnRedis();
  const redis = server.settings;
  app = await environment.connect(defineStores({}), {
    config: { ...environment.config, redis, queueRedis: redis },
  });
});

afterEach(async () => {
  await environment.close();
  await server.remove();
});

const loadMs = 20;
/** The database's truth; readers must never see an older version once it was invalidated. */
const version = 0;
const load = async (): Promise<number> => {
  const seen = version;
  await wait(loadMs);
  return seen;
};

function read(key: string): Promise<number | null> {
  return app.patterns.cacheAside(key, load, 60);
}

/** Reads until told to stop; returns how long each read took, in ms, and every error. */
function readAllTheTime() {
  const took: { at: number; ms: number }[] = [];
  const errors: unknown[] = [];
  let isOver = false;
  const readers = Array.from({ length: 20 }, async (_, i) => {
    while (!isOver) {
      const at = performance.now();
      await read(`user:profile:${i % 5}`).catch((error: unknown) => errors.push(error));
      took.push({ at, ms: performance.now() - at });
      await wait(1);
    }
  });
  return {
    took,
    errors,
    async stop() {
      isOver = true;
      await Promise.all(readers);
    },
  };
}

describe('while Redis is away', () => {
  it('readers get what their loaders give, as fast as those are; it is used again when it is back', async () => {
    await read('user:profile:0');
    const load = readAllTheTime();
    await wait(200);
    await server.stop();
    const stoppedAt = performance.now();
    await expect.poll(() => environment.events.some(({ type }) => type === 'breaker.opened')).toBe(true);
    await wait(1_500);
    const restartedAt = performance.now();
    await server.restart();
    await expect.poll(() => environment.events.some(({ type }) => type === 'breaker.closed')).toBe(true);
    await load.stop();
    expect(load.errors).toEqual([]);
    const during = load.took.filter(({ at }) => at > stoppedAt && at < restartedAt).map(({ ms }) => ms);
    during.sort((a, b) => a - b);
    // A load of 20 ms; without the breaker, each would begin with a time-out of a second.
    expect(during[Math.floor(during.length * 0.99)]).toBeLessThan(patient(500));
    expect(await app.cache.get('user:profile:0')).toBe(0);
  });

  it('a server that hangs costs a few calls their time-out, and then nothing', async () => {
    await read('user:profile:0');
    await server.admin.call('CLIENT', 'PAUSE', '4000', 'ALL');
    await Promise.all(Array.from({ length: 5 }, (_, i) => read(`user:tasks:${i}`)));
    const startedAt = performance.now();
    for (let i = 0; i < 5; i++) await read(`user:full:${i}`);
    expect(performance.now() - startedAt).toBeLessThan(patient(900));
  });

  it('one load per key is under way at once, and failed ones are not repeated by every read', async () => {
    await server.stop();
    let loads = 0;
    const slow = async (): Promise<number> => {
      loads += 1;
      await wait(100);
      return loads;
    };
    await Promise.all(Array.from({ length: 200 }, () => app.patterns.cacheAside('user:profile:1', slow, 60)));
    expect(loads).toBe(1);
    const failing = (): Promise<never> => {
      loads += 1;
      return Promise.reject(new Error('the database is away too'));
    };
    for (let i = 0; i < 20; i++) {
      await expect(app.patterns.cacheAside('user:profile:2', failing, 60)).rejects.toThrow('away too');
    }
    expect(loads).toBe(2);
  });

  it('loads over all keys are limited, and what is too much is refused', async () => {
    const limited = await environment.connect(defineStores({}), {
      config: { ...environment.config, redis: server.settings, queueRedis: server.settings },
      cache: { loadsMax: 2, waitingLoadsMax: 3 },
    });
    await server.stop();
    let underWay = 0;
    let mostUnderWay = 0;
    const slow = async (): Promise<number> => {
      underWay += 1;
      mostUnderWay = Math.max(mostUnderWay, underWay);
      await wait(50);
      underWay -= 1;
      return 1;
    };
    const reads = Array.from({ length: 10 }, (_, i) =>
      limited.patterns.cacheAside(`user:profile:${i}`, slow, 60),
    );
    const settled = await Promise.allSettled(reads);
    expect(mostUnderWay).toBe(2);
    const refused = settled.filter((one) => one.status === 'rejected');
    expect(refused.length).toBeGreaterThan(0);
    for (const { reason } of refused)
      expect(reason).toMatchObject({ code: 'TOO_MANY_LOADS', retryable: true });
  });

  it('operations without a loader fail with a typed error, at once', async () => {
    await server.stop();
    const startedAt = performance.now();
    await expect(app.cache.get('a')).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE' });
    await expect(app.cache.set('a', 1)).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE' });
    await expect(app.cache.delete('a')).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE' });
    await expect(app.patterns.invalidateRelated(['a', 'user:*'])).rejects.toMatchObject({
      code: 'REDIS_UNAVAILABLE',
    });
    await expect(app.cache.invalidatePattern('user:*')).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE' });
    let writes = 0;
    const write = app.patterns.writeThrough('a', 1, async () => ++writes);
    await expect(write).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE' });
    expect(writes).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(patient(2_000));
  });
});
