/** W: values that are computed before anybody asks for them. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { stores as platform } from '../../examples/platform/stores.js';
import { seed } from '../../prisma/seed.js';
import type { Forebay } from '../../src/app/connect.js';
import { cacheKey, cacheKeys } from '../../src/definitions/cache-key.js';
import { computed, type WarmRequest } from '../../src/definitions/computed.js';
import { defineStores, type Stores } from '../../src/definitions/stores.js';
import { WarmQueue, type WarmSummary } from '../../src/queues/warm-queue.js';
import { WarmService } from '../../src/services/warm/warm.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { builtProgram } from '../support/program.js';

const run = promisify(execFile);
const Keys = cacheKeys('warmed', { page: cacheKey<string>(60), hot: cacheKey<string>(60) });

const idsAll = Array.from({ length: 25 }, (_, i) => String(i + 100));

/** What the stores' list and loader do, set by each test. */
let list: (request: WarmRequest) => Promise<readonly string[]>;
let load: (ids: readonly string[]) => Promise<ReadonlyMap<string, string>>;
/** What they were asked for. */
let listed: WarmRequest[];
let loaded: (readonly string[])[];

const stores = defineStores({
  pages: computed({
    key: Keys.page,
    warm: { list: (request) => list(request), max: 1_000, pageIdsMax: 10, loadShare: 1 },
    load: (ids) => load(ids),
  }),
  cold: computed({ key: Keys.hot, load: (ids) => load(ids) }),
});

let environment: Environment;
let app: Forebay<typeof stores.definitions>;
let queue: WarmQueue;
let services: WarmService[] = [];

beforeAll(async () => {
  environment = await createEnvironment();
  app = await environment.connect(stores);
  queue = new WarmQueue(environment.redis as never, environment.config.prefix, () => undefined);
});

beforeEach(async () => {
  listed = [];
  loaded = [];
  list = async (request) => {
    listed.push(request);
    const { after, limit } = request;
    return idsAll.filter((id) => after === undefined || id > after).slice(0, limit);
  };
  load = async (ids) => {
    loaded.push(ids);
    return new Map(ids.map((id) => [id, `page ${id}`]));
  };
  await app.cache.invalidatePattern('*');
  await (await queue.open()).obliterate({ force: true });
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

async function startWorker(of: Stores = stores): Promise<WarmService> {
  const service = new WarmService({
    stores: of,
    prisma: environment.prisma,
    config: environment.config,
    emit: (event) => void environment.events.push(event),
  });
  await service.start();
  services.push(service);
  return service;
}

/** Runs to the end. */
async function warm(store = 'pages', of: Stores = stores): Promise<WarmSummary> {
  const job = await queue.add(store);
  await startWorker(of);
  await expect.poll(() => job.isCompleted(), { interval: 10 }).toBe(true);
  return (await (await queue.open()).getJob(job.id as string))?.returnvalue as WarmSummary;
}

describe('W a run of warming', () => {
  it('computes page by page: one list and one load for each, whatever the number of values', async () => {
    expect(await warm()).toMatchObject({
      store: 'pages',
      warmed: 25,
      fresh: 0,
      absent: 0,
      failed: 0,
      pages: 3,
    });
    expect(listed.map(({ after }) => after)).toEqual([undefined, '109', '119']);
    expect(loaded.map(({ length }) => length)).toEqual([10, 10, 5]);
    const values = await app.stores.pages.getMany(idsAll);
    expect(values).toEqual(idsAll.map((id) => `page ${id}`));
    expect(loaded).toHaveLength(3);
  });

  it('leaves alone what is fresh, and says so', async () => {
    await app.cache.set(Keys.page('103'), 'mine', 60);
    expect(await warm()).toMatchObject({ warmed: 24, fresh: 1 });
    expect(await app.stores.pages.get('103')).toBe('mine');
    expect(loaded.flat()).not.toContain('103');
  });

  it('computes anew what would be stale soon', async () => {
    await app.cache.set(Keys.page('103'), 'old', 20);
    expect(await warm()).toMatchObject({ warmed: 25, fresh: 0 });
    expect(await app.stores.pages.get('103')).toBe('page 103');
  });

  it('never replaces what was written during its load', async () => {
    load = async (ids) => {
      if (ids.includes('103')) await app.cache.set(Keys.page('103'), 'newer', 60);
      return new Map(ids.map((id) => [id, `page ${id}`]));
    };
    expect(await warm()).toMatchObject({ warmed: 24, fresh: 1 });
    expect(await app.stores.pages.get('103')).toBe('newer');
  });

  it('counts ids without a value', async () => {
    load = async (ids) => new Map(ids.filter((id) => id !== '103').map((id) => [id, `page ${id}`]));
    expect(await warm()).toMatchObject({ warmed: 24, absent: 1 });
  });

  it('goes on past a page that can’t be loaded, tells it, and has the reason in its summary', async () => {
    load = async (ids) => {
      if (ids.includes('113')) throw new Error('113 is broken');
      return new Map(ids.map((id) => [id, `page ${id}`]));
    };
    expect(await warm()).toMatchObject({ warmed: 15, failed: 10, errors: ['113 is broken'] });
    expect(environment.events).toContainEqual({
      type: 'warm.failed',
      store: 'pages',
      ids: 10,
      error: new Error('113 is broken'),
    });
  });

  it('is tried again when its list fails', async () => {
    const works = list;
    let calls = 0;
    list = async (request) => {
      calls += 1;
      if (calls === 2) throw new Error('no list today');
      return works(request);
    };
    expect(await warm()).toMatchObject({ warmed: 25, pages: 3 });
    expect(listed.map(({ after }) => after)).toEqual([undefined, '109', '119']);
  });

  it('rests between pages, so that the database is its own only for the share that the store says', async () => {
    const times: number[] = [];
    load = async (ids) => {
      times.push(performance.now());
      await new Promise((resolve) => setTimeout(resolve, 40));
      return new Map(ids.map((id) => [id, `page ${id}`]));
    };
    const gentle = defineStores({
      pages: computed({
        key: Keys.page,
        warm: { list: (request) => list(request), pageIdsMax: 10, loadShare: 0.2 },
        load: (ids) => load(ids),
      }),
    });
    expect(await warm('pages', gentle)).toMatchObject({ warmed: 25, pages: 3 });
    // A page takes 40 ms at least, and a fifth of its time may be that.
    for (let i = 1; i < times.length; i++) expect((times[i] ?? 0) - (times[i - 1] ?? 0)).toBeGreaterThan(190);
  });

  it('is not piled up: while one of the store waits or runs, no other is added', async () => {
    const first = await queue.add('pages');
    const second = await queue.add('pages', 'other');
    expect(second.id).toBe(first.id);
    expect(await (await queue.open()).getWaitingCount()).toBe(1);
  });

  it('that is stopped goes on in the next worker with the next page', async () => {
    let stop: Promise<void> | undefined;
    const works = load;
    load = async (ids) => {
      // Once; the page in hand is finished.
      stop ??= services[0]?.stop(5_000);
      return works(ids);
    };
    const job = await queue.add('pages');
    await startWorker();
    await expect.poll(() => stop !== undefined).toBe(true);
    await stop;
    expect(loaded.map((ids) => ids[0])).toEqual(['100']);
    await startWorker();
    await expect.poll(() => job.isCompleted()).toBe(true);
    expect(loaded.map((ids) => ids[0])).toEqual(['100', '110', '120']);
    expect((await (await queue.open()).getJob(job.id as string))?.returnvalue).toMatchObject({
      warmed: 25,
      pages: 3,
    });
  });

  it('of a store that a worker does not know waits for one of another release; nobody knowing it, it fails and says what to do', async () => {
    const job = await queue.add('cold');
    const old = await (await queue.open()).add(
      'old',
      { store: 'cold' },
      { timestamp: Date.now() - 3_600_000 },
    );
    await startWorker();
    await expect.poll(() => old.isFailed()).toBe(true);
    expect((await (await queue.open()).getJob(old.id as string))?.failedReason).toContain(
      'Give it the option "warm"',
    );
    await expect.poll(() => job.isDelayed()).toBe(true);
  });
});

describe('W npm run cache:warm', () => {
  it('on the seeded database warms users, projects, dashboards and the platform, and says what it did', async () => {
    await seed(environment.prisma, { users: 150 });
    const child = run(process.execPath, [builtProgram('workers/cache-warm.ts')], {
      env: { ...process.env, ...environment.env },
    });
    const { stdout } = await child;
    const reader = await environment.connect(platform);
    const week = new Date(Date.now() - 7 * 86_400_000);
    const [users, projects] = await Promise.all([
      environment.prisma.user.findMany({
        where: { lastSeenAt: { gte: week } },
        orderBy: [{ lastSeenAt: 'desc' }, { id: 'asc' }],
        take: 100,
      }),
      environment.prisma.project.findMany({
        where: { status: 'ACTIVE' },
        orderBy: [{ updatedAt: 'desc' }, { id: 'asc' }],
        take: 50,
      }),
    ]);
    const dashboards = Math.min(50, users.length);
    const counts = {
      profiles: users.length,
      dashboards,
      projectDetails: projects.length,
      platformStatistics: 1,
    };
    for (const [store, count] of Object.entries(counts)) {
      expect(stdout).toMatch(new RegExp(`^${store} +${count} +0 +0 +0 `, 'm'));
    }
    const userIds = users.map(({ id }) => id);
    expect(await reader.stores.profiles.getMany(userIds)).not.toContain(null);
    expect(await reader.stores.dashboards.getMany(userIds.slice(0, 50))).not.toContain(null);
    expect(await reader.stores.projectDetails.getMany(projects.map(({ id }) => id))).not.toContain(null);
    expect(await reader.stores.platformStatistics.get('all')).toMatchObject({ users: 150 });
    expect(reader.cache.getStats()).toMatchObject({ misses: 0, loads: 0, hitRate: 1 });
    expect(await reader.cache.ttl(`user:profile:${userIds[0]}`)).toBeGreaterThan(3_000);
  });

  it('refuses a store that has nothing to be warmed, with the names of those that have', async () => {
    const child = run(process.execPath, [builtProgram('workers/cache-warm.ts'), 'nothing'], {
      env: { ...process.env, ...environment.env },
    });
    await expect(child).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('profiles, dashboards'),
    });
  });
});
