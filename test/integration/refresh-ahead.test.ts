/** Values that are computed anew by workers before they go stale. `when: 0.01`: a value is due within 0.6 s of its load. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Forebay } from '../../src/app/connect.js';
import { cacheKey, cacheKeys } from '../../src/definitions/cache-key.js';
import { computed } from '../../src/definitions/computed.js';
import { defineStores } from '../../src/definitions/stores.js';
import type { EventType, ForebayEvent } from '../../src/events.js';
import { RefreshQueue } from '../../src/queues/refresh-queue.js';
import { RefreshService } from '../../src/services/refresh/refresh.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { startOwnRedis } from '../support/own-redis.js';

const Keys = cacheKeys('ahead', {
  report: cacheKey<string>(60),
  brief: cacheKey<string>(60),
  plain: cacheKey<string>(60),
  count: cacheKey<number>(60),
});

type Load = (ids: readonly string[]) => Promise<ReadonlyMap<string, unknown>>;

/** What the stores' loaders do, set by each test. */
let load: Load;
const loading = (ids: readonly string[]) => load(ids) as Promise<ReadonlyMap<string, never>>;

const stores = defineStores({
  reports: computed({
    key: Keys.report,
    graceMs: 60_000,
    refresh: { when: 0.01, concurrency: 1 },
    load: loading,
  }),
  briefs: computed({ key: Keys.brief, ttlMs: 200, refresh: { when: 0.01 }, load: loading }),
  counts: computed({ key: Keys.count, refresh: { when: 0.01 }, load: loading }),
  plain: computed({ key: Keys.plain, load: loading }),
});

let environment: Environment;
let app: Forebay<typeof stores.definitions>;
let queue: RefreshQueue;
let services: RefreshService[] = [];
let loads: string[];

/** Each load of an id gives its next version. */
const versions: Load = async (ids) =>
  new Map(
    ids.map((id) => {
      loads.push(id);
      return [id, `${id} v${loads.filter((one) => one === id).length}`];
    }),
  );

beforeAll(async () => {
  environment = await createEnvironment();
  app = await environment.connect(stores);
  const { redis, config } = environment;
  queue = new RefreshQueue(redis as never, config.prefix, () => undefined);
});

beforeEach(async () => {
  loads = [];
  load = versions;
  await app.cache.invalidatePattern('*');
  await (await queue.open()).obliterate({ force: true });
  app.cache.resetStats();
  environment.events.length = 0;
});

afterEach(async () => {
  for (const service of services) await service.stop(5_000);
  services = [];
});

afterAll(async () => {
  await queue.close();
  await environment.close();
});

async function startWorker(): Promise<RefreshService> {
  const service = new RefreshService({
    stores,
    prisma: environment.prisma,
    config: environment.config,
    emit: (event) => void environment.events.push(event),
  });
  await service.start();
  services.push(service);
  return service;
}

function eventsOf<T extends EventType>(type: T): Extract<ForebayEvent, { type: T }>[] {
  return environment.events.filter(
    (event): event is Extract<ForebayEvent, { type: T }> => event.type === type,
  );
}

/** Jobs that wait for a worker. */
const waiting = () => queue.waiting();

/** Reads until the value is due, and its job is there. */
async function readUntilAsked(id: string, jobs = 1): Promise<void> {
  await expect
    .poll(
      async () => {
        await app.stores.reports.get(id);
        return waiting();
      },
      { interval: 20 },
    )
    .toBe(jobs);
}

const idOf = async (key: string) => (await app.cache.explain(key)).id as string;

describe('P5 a read in the last part of a value’s fresh life', () => {
  it('adds one job over all processes, however many read', async () => {
    const other = await environment.connect(stores, { cache: { l1: false } });
    await readUntilAsked('1');
    const reads = Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? app : other).stores.reports.get('1'));
    expect(new Set(await Promise.all(reads))).toEqual(new Set(['1 v1']));
    await other.stores.reports.getMany(['1', '1']);
    expect(await waiting()).toBe(1);
    expect(loads).toEqual(['1']);
  });

  it('has a worker compute it, while readers get the value that is still fresh', async () => {
    await readUntilAsked('1');
    await startWorker();
    await expect.poll(() => app.stores.reports.get('1'), { interval: 20 }).toBe('1 v2');
    const { byNamespace } = app.cache.getStats();
    expect(byNamespace.ahead).toMatchObject({ staleHits: 0, loads: 1 });
  });

  it('works for plain numbers too', async () => {
    load = async (ids) => {
      loads.push(...ids);
      return new Map(ids.map((id) => [id, loads.length]));
    };
    await startWorker();
    await expect.poll(() => app.stores.counts.get('1'), { interval: 20 }).toBeGreaterThan(1);
  });

  it('does nothing without the option', async () => {
    await app.stores.plain.get('1');
    await app.stores.plain.get('1');
    expect(await waiting()).toBe(0);
  });
});

describe('a refresh', () => {
  it('is not done any more once nobody reads the value', async () => {
    await startWorker();
    await expect.poll(() => app.stores.briefs.get('1'), { interval: 10 }).toBe('1 v3');
    await expect.poll(async () => (await app.cache.explain(Keys.brief('1'))).state).toBe('missing');
    const count = loads.length;
    await expect
      .poll(async () =>
        (await queue.open()).getJobCountByTypes('waiting', 'active', 'prioritized', 'delayed'),
      )
      .toBe(0);
    expect(loads.length).toBe(count);
    expect(await app.cache.exists(Keys.brief('1'))).toBe(false);
  });

  it.each([
    ['deleted', 'gone', () => app.stores.reports.invalidate('1')],
    ['computed by somebody else', 'fresh', () => app.stores.reports.refresh('1')],
  ])('loads nothing when the value was %s meanwhile', async (_what, outcome, change) => {
    await readUntilAsked('1');
    const job = (await (await queue.open()).getPrioritized())[0];
    await change();
    const count = loads.length;
    await startWorker();
    await expect
      .poll(async () => (await (await queue.open()).getJob(job?.id as string))?.returnvalue)
      .toBe(outcome);
    expect(loads.length).toBe(count);
  });

  it('never replaces what was written during its load', async () => {
    await readUntilAsked('1');
    const job = (await (await queue.open()).getPrioritized())[0];
    load = async (ids) => {
      await app.cache.set(Keys.report('1'), 'written');
      return versions(ids);
    };
    await startWorker();
    await expect
      .poll(async () => (await (await queue.open()).getJob(job?.id as string))?.returnvalue)
      .toBe('overtaken');
    expect(await app.cache.get(Keys.report('1'))).toBe('written');
  });

  it('that fails keeps the old value, is told, and is tried again', async () => {
    await readUntilAsked('1');
    load = async () => {
      throw new Error('no database today');
    };
    await startWorker();
    await expect
      .poll(() => eventsOf('refresh.failed'))
      .toMatchObject([{ store: 'reports', id: '1', attempt: 1, error: new Error('no database today') }]);
    expect(await app.stores.reports.get('1')).toBe('1 v1');
    load = versions;
    await expect.poll(() => app.stores.reports.get('1')).toBe('1 v2');
    expect(eventsOf('refresh.failed')[0]?.retryMs).toBeGreaterThan(1_000);
  });

  it('of a store under way does not hold up other stores, and no more of it run than it allows', async () => {
    let [running, most] = [0, 0];
    let letGo: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    await app.stores.reports.getMany(['1', '2', '3']);
    await app.stores.counts.get('9');
    await expect
      .poll(async () => {
        await app.stores.reports.getMany(['1', '2', '3']);
        await app.stores.counts.get('9');
        return waiting();
      })
      .toBe(4);
    load = async (ids) => {
      if (ids[0] === '9') return versions(ids);
      running += 1;
      most = Math.max(most, running);
      await held;
      running -= 1;
      return versions(ids);
    };
    await startWorker();
    await expect.poll(() => app.stores.counts.get('9')).toBe('9 v2');
    letGo();
    await expect
      .poll(() => app.stores.reports.getMany(['1', '2', '3']))
      .not.toContainEqual(expect.stringContaining('v1'));
    expect(most).toBe(1);
  });

  it('shares its load with those that came while others were under way', async () => {
    const ids = Array.from({ length: 40 }, (_, i) => String(i));
    await expect
      .poll(async () => {
        await app.stores.reports.getMany(ids);
        return waiting();
      })
      .toBe(40);
    const sizes: number[] = [];
    let letGo: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    load = async (some) => {
      sizes.push(some.length);
      if (sizes.length === 1) await held;
      return versions(some);
    };
    await startWorker();
    await expect.poll(async () => (await queue.open()).getActiveCount()).toBe(25);
    letGo();
    await expect.poll(() => sizes.reduce((sum, size) => sum + size, 0)).toBe(40);
    expect(sizes.length).toBeLessThan(10);
    expect(Math.max(...sizes)).toBeGreaterThan(10);
  });

  it('that fails for one of many fails the others once at most: they are tried again apart', async () => {
    const ids = ['1', '2', 'bad', '3'];
    await expect
      .poll(async () => {
        await app.stores.reports.getMany(ids);
        return waiting();
      })
      .toBe(4);
    load = async (some) => {
      if (some.includes('bad')) throw new Error('bad');
      return versions(some);
    };
    await startWorker();
    const good = () => app.stores.reports.getMany(['1', '2', '3']);
    await expect.poll(good).not.toContainEqual(expect.stringContaining('v1'));
    expect(await app.stores.reports.get('bad')).toBe('bad v1');
    const failures = eventsOf('refresh.failed').filter(({ id }) => id !== 'bad');
    for (const { attempt } of failures) expect(attempt).toBe(1);
  });

  it('comes the sooner, the sooner its value goes stale and the more it is read', async () => {
    await app.stores.reports.getMany(['late', 'soon', 'hot']);
    const urgencies = { late: 50_000, soon: 2_000, hot: 50_000 / 100 };
    for (const [id, urgencyMs] of Object.entries(urgencies)) {
      await queue.add({ store: 'reports', id, seen: await idOf(Keys.report(id)) }, urgencyMs);
    }
    loads = [];
    await startWorker();
    await expect.poll(() => loads.length).toBe(3);
    expect(loads).toEqual(['hot', 'soon', 'late']);
  });
});

describe('P5 refreshAhead with a registered loader', () => {
  it('has a worker compute the value anew, with the life that the caller gave', async () => {
    await startWorker();
    const key = Keys.plain('1');
    const read = () => app.patterns.refreshAhead(key, app.stores.plain, 600, 0.0001);
    expect(await read()).toBe('1 v1');
    await expect.poll(read, { interval: 20 }).toBe('1 v2');
    expect(await app.cache.ttl(key)).toBeGreaterThan(60);
  });

  it('leaves with the value what its load took, for XFetch, also when the store has no threshold of its own', async () => {
    await startWorker();
    const key = Keys.plain('1');
    const read = () => app.patterns.refreshAhead(key, app.stores.plain, 60, 0.01);
    await expect.poll(read, { interval: 20 }).toBe('1 v2');
    expect((await app.cache.explain(key)).loadMs).toBeGreaterThan(0);
  });

  it('refuses a key that is not the loader’s', async () => {
    await expect(app.patterns.refreshAhead('ahead:brief:1', app.stores.plain)).rejects.toMatchObject({
      code: 'INVALID_KEY',
    });
  });
});

describe('readers go on', () => {
  it('while the queue’s Redis is away: what could not be asked is told', async () => {
    const own = await startOwnRedis();
    try {
      const config = { ...environment.config, queueRedis: own.settings };
      const reader = await environment.connect(stores, { config });
      await own.stop();
      await expect
        .poll(async () => {
          expect(await reader.stores.reports.get('1')).toBe('1 v1');
          return eventsOf('refresh.not-asked').length;
        })
        .toBe(1);
    } finally {
      await own.remove();
    }
  });

  it('while too many refreshes wait: none is added, and that is told', async () => {
    const job = (i: number) => ({
      name: 'x',
      data: { store: 'reports', id: `${i}`, seen: `${i}` },
      opts: { delay: 60_000 },
    });
    await (await queue.open()).addBulk(Array.from({ length: 10_000 }, (_, i) => job(i)));
    const reader = await environment.connect(stores);
    await expect
      .poll(async () => {
        expect(await reader.stores.reports.get('1')).toBe('1 v1');
        return eventsOf('refresh.crowded').length;
      })
      .toBe(1);
    expect(await waiting()).toBe(10_000);
  });
});
