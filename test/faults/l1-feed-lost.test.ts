import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Forebay } from '../../src/app/connect.js';
import type { RedisSettings } from '../../src/config.js';
import { type Definitions, defineStores } from '../../src/definitions/stores.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { FeedProxy } from '../support/feed-proxy.js';
import { type OwnRedis, startOwnRedis } from '../support/own-redis.js';
import { patient } from '../support/patient.js';

let environment: Environment;
let server: OwnRedis;
let proxy: FeedProxy;

beforeEach(async () => {
  environment = await createEnvironment();
  server = await startOwnRedis();
  proxy = await FeedProxy.start(server.url);
});

afterEach(async () => {
  await environment.close();
  await proxy.close();
  await server.remove();
});

const key = 'user:profile:1';

function connectTo(redis: RedisSettings): Promise<Forebay<Definitions>> {
  return environment.connect(defineStores({}), {
    config: { ...environment.config, redis, queueRedis: redis },
  });
}

/** Whether memory was used, in order. */
function turns(): string[] {
  return environment.events.map(({ type }) => type).filter((type) => type.startsWith('l1.'));
}

/** Another program's write. */
async function change(value: number): Promise<void> {
  await server.admin.set(`${environment.config.prefix}:${key}`, `V${value};9999999999999;|${value}`);
}

/** Reads until the value comes from memory. */
async function warm(app: Forebay<Definitions>, value: number): Promise<void> {
  await change(value);
  app.cache.resetStats();
  const read = () => app.cache.get(key).then((found) => [found, app.cache.getStats().l1Hits > 0]);
  await expect.poll(read, { interval: 1 }).toEqual([value, true]);
}

describe('when the feed of invalidations is lost, memory is emptied and bypassed until it is back', () => {
  it('by a connection that is silent and does not break: within seconds', async () => {
    const app = await connectTo(proxy.settings);
    await warm(app, 1);
    proxy.silenceFeed();
    const silentAt = performance.now();
    await change(2);
    await expect.poll(() => app.cache.get(key), { interval: 1 }).toBe(2);
    expect(performance.now() - silentAt).toBeLessThan(patient(3_000));
    for (let value = 3; value < 100; value++) {
      await change(value);
      const found = await app.cache.get(key);
      // From here on what is read may be as old as the feed is slow.
      if (turns().length > 2) break;
      expect(found).toBe(value);
    }
    await expect.poll(turns).toEqual(['l1.opened', 'l1.closed', 'l1.opened']);
    await warm(app, 100);
    expect(turns()).toHaveLength(3);
  });

  it('by a server that is away', async () => {
    const app = await connectTo(server.settings);
    await warm(app, 1);
    await server.stop();
    await expect.poll(turns).toEqual(['l1.opened', 'l1.closed']);
    await expect(app.cache.get(key)).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE' });
    await server.restart();
    await expect.poll(turns).toEqual(['l1.opened', 'l1.closed', 'l1.opened']);
    await expect.poll(() => app.cache.get(key).catch(() => 'away')).toBe(1);
    await warm(app, 2);
  });

  it.each(['TRACKING', 'subscribe'])(
    'by connections that break at %s: what they began does not count',
    async (step) => {
      proxy.cutFeedAt(step, 3);
      const app = await connectTo(proxy.settings);
      await change(0);
      while (!turns().includes('l1.opened')) expect(await app.cache.get(key)).toBe(0);
      await warm(app, 1);
      await warm(app, 2);
      expect(turns()).toEqual(['l1.opened']);
    },
  );

  it('by an answer that comes too late: it does not count either', async () => {
    proxy.delayFeedAt('subscribe');
    const app = await connectTo(proxy.settings);
    await change(0);
    await expect.poll(turns, { interval: 1 }).toEqual(['l1.opened']);
    await warm(app, 1);
    await warm(app, 2);
    expect(turns()).toEqual(['l1.opened']);
  });
});

describe('a server that refuses to tell of changes', () => {
  it('is used without memory, is told of once, and is asked again now and then', async () => {
    await server.admin.call(
      'ACL',
      'SETUSER',
      'app',
      'on',
      '>secret',
      '~*',
      '&*',
      '+@all',
      '-client|tracking',
    );
    const app = await connectTo({ ...server.settings, username: 'app', password: 'secret' });
    const warnings = () =>
      environment.events.filter((event) => 'what' in event && event.what.includes('in memory'));
    await expect.poll(warnings).toHaveLength(1);
    const connections = await connectionsMade();
    for (let value = 0; value < 50; value++) {
      await change(value);
      expect(await app.cache.get(key)).toBe(value);
    }
    await server.admin.call('ACL', 'SETUSER', 'app', '+client|tracking');
    await warm(app, 50);
    expect(turns()).toEqual(['l1.opened']);
    expect(warnings()).toHaveLength(1);
    expect((await connectionsMade()) - connections).toBe(1);
  });
});

async function connectionsMade(): Promise<number> {
  return Number(/total_connections_received:(\d+)/.exec(await server.admin.info('stats'))?.[1]);
}
