/** The command `forebay`: within this process, and a few times as one of its own. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stores } from '../../examples/platform/stores.js';
import type { Forebay } from '../../src/app/connect.js';
import type { Status } from '../../src/cli/status-report.js';
import { SchedulerService } from '../../src/services/scheduler/scheduler.js';
import { defineSchedules } from '../../src/services/scheduler/schedules.js';
import { command, commandProcess, type Said } from '../support/command-line.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { projectFolder } from '../support/program.js';

let environment: Environment;
let app: Forebay<typeof stores.definitions>;
let scheduler: SchedulerService;
let works = true;

const schedules = defineSchedules(stores, {
  'clean-up': {
    cron: '0 3 1 1 *',
    timeZone: 'Europe/Berlin',
    run: async () => {
      if (!works) throw new Error('no brush');
      return 'clean';
    },
  },
  'warm-dashboards': { cron: '0 4 1 1 *', warm: 'dashboards' },
});

beforeAll(async () => {
  environment = await createEnvironment();
  app = await environment.connect(stores);
});

afterAll(async () => {
  await scheduler?.stop(5_000);
  await environment.close();
});

const tell = (...args: string[]): Promise<Said> => command(args, { env: environment.env });

/** The output of a command that must succeed. */
async function forebay(...args: string[]): Promise<string> {
  const { code, out, err } = await tell(...args);
  expect(err).toBe('');
  expect(code).toBe(0);
  return out;
}

const readStatus = async (): Promise<Status> => JSON.parse(await forebay('status', '--json')) as Status;

describe('forebay status', () => {
  it('says so when there is nothing yet', async () => {
    expect(await forebay('status')).toContain(
      'No schedules: none is defined, or no scheduler was started yet.',
    );
  });

  it('shows what is not in the database yet, by store', async () => {
    await app.stores.clients.put({ id: 'c1', name: 'one' });
    await app.stores.clients.put({ id: 'c2', name: 'two' });
    const { backlog, queues } = await readStatus();
    expect(backlog).toContainEqual({
      store: 'clients',
      dirty: 2,
      sealed: 0,
      dead: 0,
      ageMs: expect.any(Number),
      isPaused: false,
    });
    expect(queues.map(({ name }) => name)).toEqual([
      'write-behind',
      'refresh',
      'warm',
      'schedules',
      'dead-letter',
    ]);
    expect(await forebay('status')).toMatch(/^clients +2 +0 +0 +\d+ m?s$/m);
  });

  it('shows schedules with their next run', async () => {
    const { prisma, config } = environment;
    const emit = () => undefined;
    scheduler = new SchedulerService({ stores, schedules, prisma, config, emit });
    await scheduler.start();
    const { schedules: found } = await readStatus();
    expect(found.map(({ schedule, what, next }) => ({ schedule, what, next }))).toEqual([
      { schedule: 'clean-up', what: 'a function', next: expect.stringMatching(/-01-01T02:00:00.000Z$/) },
      {
        schedule: 'warm-dashboards',
        what: 'warm dashboards',
        next: expect.stringMatching(/-01-01T04:00:00.000Z$/),
      },
    ]);
    expect(await forebay('status')).toMatch(
      /^clean-up +a function +0 3 1 1 \* Europe\/Berlin +in \d+ d +never$/m,
    );
  });
});

describe('forebay run', () => {
  it('runs a schedule at once, and its outcome is seen', async () => {
    expect(await forebay('run', 'clean-up')).toContain('clean-up runs as soon as a scheduler takes it');
    const last = async () => (await readStatus()).schedules[0]?.last;
    await expect.poll(last).toMatchObject({ state: 'completed', ms: expect.any(Number) });
    works = false;
    await forebay('run', 'clean-up');
    await expect.poll(last).toMatchObject({ state: 'failed', reason: 'no brush' });
    expect(await forebay('status')).toMatch(/^clean-up .* ago: failed in \d+ m?s: no brush$/m);
  });

  it('refuses an unknown one, and names those that there are', async () => {
    const { code, out } = await tell('run', 'nothing');
    expect(code).toBe(2);
    expect(out).toContain('There is no schedule "nothing". Known: clean-up, warm-dashboards.');
  });
});

describe('forebay dead-letters', () => {
  const dead = async (): Promise<number> => (await app.backlog()).dead;

  beforeAll(async () => {
    await environment.prisma.$executeRawUnsafe(
      `ALTER TABLE clients ADD CONSTRAINT no_bad CHECK (name NOT LIKE 'bad%')`,
    );
    await environment.startWorker(stores);
  });

  it('says so when there are none', async () => {
    expect(await forebay('dead-letters')).toBe('No dead letters.\n');
  });

  it('shows what the database refused, and why', async () => {
    for (const id of ['c3', 'c4', 'c5']) await app.stores.clients.put({ id, name: 'bad' });
    await expect.poll(dead).toBe(3);
    const shown = await forebay('dead-letters');
    expect(shown).toMatch(/^clients:c3 +\d+ m?s ago +23514 +new row .* violates check constraint "no_bad"/m);
    expect(shown.split('\n')).toHaveLength(5);
    expect(JSON.parse(await forebay('dead-letters', 'clients:c4', '--json'))).toMatchObject([
      {
        store: 'clients',
        id: 'c4',
        error: { state: '23514' },
        records: { 'clients:c4': expect.stringContaining('"bad"') },
      },
    ]);
    expect(await forebay('dead-letters', 'projects')).toBe('No dead letters of projects.\n');
  });

  it('discards those that are meant', async () => {
    expect(await forebay('discard', 'clients:c3')).toBe('Discarded: 1.\n');
    expect(await dead()).toBe(2);
  });

  it('replays them, once their cause is mended', async () => {
    await environment.prisma.$executeRawUnsafe('ALTER TABLE clients DROP CONSTRAINT no_bad');
    expect(await forebay('replay', '--all')).toBe('Accepted again: 2.\n');
    await app.flush();
    expect(await environment.prisma.client.count({ where: { name: 'bad' } })).toBe(2);
  });
});

describe('forebay refused', () => {
  it('groups what the database refused by what it said', async () => {
    await environment.prisma.$executeRawUnsafe(
      "ALTER TABLE clients ADD CONSTRAINT no_bad CHECK (name NOT LIKE 'bad%') NOT VALID",
    );
    for (const id of ['d1', 'd2', 'd3']) await app.stores.clients.put({ id, name: `bad ${id}` });
    await app.flush();
    expect(await forebay('refused', '--since', '1h')).toMatch(
      /^clients +3 +\d+ m?s ago +\d+ m?s ago +23514 +new row .*"no_bad"$/m,
    );
    expect(JSON.parse(await forebay('refused', 'clients', '--json'))).toMatchObject({
      count: 3,
      groups: [{ store: 'clients', count: 3, error: { state: '23514' } }],
    });
    expect(await forebay('refused', 'projects')).toBe('Nothing was refused.\n');
  });

  it('looks no further back than it is told', async () => {
    await expect.poll(() => forebay('refused', '--since', '0.01s')).toBe('Nothing was refused.\n');
  });
});

describe('forebay where', () => {
  it('says that the database has refused a write, with exit code 1', async () => {
    const { code, out } = await tell('where', 'clients:d1');
    expect(code).toBe(1);
    expect(out).toMatch(/^The database refused it .*no_bad/);
    expect(out).toMatch(/^dead letter +23514 /m);
  });

  it('says that a write is in the database', async () => {
    await app.stores.clients.put({ id: 'e1', name: 'fine' });
    await app.flush();
    const out = await forebay('where', 'clients:e1', '--stores', 'examples/platform/stores.ts');
    expect(out).toMatch(/^Nothing of it is pending.* Its row is there\.$/m);
    expect(out).toMatch(/^row +\{"id":"e1","name":"fine"/m);
    expect(JSON.parse(await forebay('where', 'clients:e1', '--json'))).toMatchObject({ state: 'settled' });
  });

  it.each(['', 'clients', 'clients:'])('refuses %j, which names nothing', async (what) => {
    expect(await tell('where', what)).toMatchObject({ code: 1, err: expect.stringContaining('STORE:ID') });
  });
});

describe('forebay get', () => {
  const stores = ['--stores', 'examples/platform/stores.ts'];

  it('gives a record, pending or written, and only with the stores what it holds', async () => {
    const { code, out, err } = await tell('get', 'clients:e1', ...stores);
    expect({ code, value: JSON.parse(out) }).toMatchObject({ code: 0, value: { id: 'e1', name: 'fine' } });
    expect(err).toContain('Nothing of it is pending');
    await app.stores.clients.get('e1');
    const blind = await tell('get', 'clients:e1');
    expect(blind).toMatchObject({ code: 0, out: '', err: expect.stringContaining('--stores FILE') });
  });

  it('gives a cached value, and what JSON has not as text', async () => {
    await app.cache.set('page:of:7', { title: 'one', views: 12n }, 60);
    const { out, err } = await tell('get', 'page:of:7');
    expect(JSON.parse(out)).toEqual({ title: 'one', views: '12' });
    expect(err).toMatch(/^In the cache, and fresh for another \d+ s\.\n$/);
    expect(JSON.parse(await forebay('get', 'page:of:7', '--json'))).toMatchObject({ from: 'cache' });
  });

  it.each(['page:of:8', 'clients:nobody'])(
    'says that there is nothing of %s, with exit code 1',
    async (what) => {
      expect(await tell('get', what, ...stores)).toMatchObject({ code: 1, out: '' });
    },
  );
});

describe('--stores', () => {
  it.each(['module', 'commonjs'])('takes TypeScript, in a package of type %s', async (type) => {
    const folder = await mkdtemp(path.join(projectFolder, 'dist/stores-'));
    await writeFile(path.join(folder, 'package.json'), JSON.stringify({ type }));
    const file = path.join(folder, 'stores.ts');
    await writeFile(file, sums);
    const { code, err } = await commandProcess(['get', 'sums:a', '--stores', file], environment.env);
    await rm(folder, { recursive: true });
    expect({ code, err }).toEqual({ code: 1, err: 'Not in the cache.\n' });
  });

  const sums = `import { cacheKey, cacheKeys, computed, defineStores } from '${projectFolder}/dist/package/index.js';
const Keys = cacheKeys('sum', { of: cacheKey<number>(60) });
export const stores = defineStores({ sums: computed({ key: Keys.of, load: async () => new Map<string, number>() }) });
`;
});

describe('forebay flush', () => {
  it('waits until all is in the database', async () => {
    await app.stores.clients.put({ id: 'f1', name: 'flushed' });
    const { code, out, err } = await command(['flush', '--wait'], { env: environment.env, isTTY: true });
    expect({ code, out }).toEqual({
      code: 0,
      out: expect.stringMatching(/^In the database: [01] records?, after /),
    });
    expect(err).toContain('written');
    expect(await environment.prisma.client.findUnique({ where: { id: 'f1' } })).toMatchObject({
      name: 'flushed',
    });
  });

  it('is quiet where nobody watches', async () => {
    expect(await tell('flush', 'clients', '--wait')).toMatchObject({ code: 0, err: '' });
  });

  it('ends with exit code 1 when the database refuses something meanwhile', async () => {
    await forebay('pause', 'clients');
    await app.stores.clients.put({ id: 'f2', name: 'bad' });
    await forebay('resume', 'clients');
    await tell('flush', 'clients', '--wait');
    await expect.poll(() => forebay('refused', 'clients')).toMatch(/^clients +4 /m);
  });
});

describe('forebay pause', () => {
  const inDatabase = async (id: string) => (await environment.prisma.client.count({ where: { id } })) === 1;

  it('keeps workers from a store: its writes are accepted and read, and others are written', async () => {
    expect(await forebay('pause', 'clients')).toContain('To go on: forebay resume clients');
    // Until the worker has heard of it.
    await expect
      .poll(async () => {
        await app.stores.clients.put({ id: `p${Math.random()}`, name: 'probe' });
        await app.stores.users.put({ id: 'u1', name: 'other', email: 'o@x.y' });
        await app.stores.users.get('u1');
        return (await readStatus()).backlog.find(({ store }) => store === 'clients')?.dirty;
      })
      .toBeGreaterThan(3);
    await app.stores.clients.put({ id: 'g1', name: 'paused' });
    expect(await app.stores.clients.get('g1')).toMatchObject({ name: 'paused' });
    expect(await tell('flush', 'users', '--wait')).toMatchObject({ code: 0 });
    expect(await inDatabase('g1')).toBe(false);
    expect(await forebay('status')).toMatch(/^clients .* PAUSED$/m);
    expect((await readStatus()).backlog).toContainEqual(
      expect.objectContaining({ store: 'clients', isPaused: true }),
    );
  });

  it('survives a worker that starts anew', async () => {
    const worker = await environment.startWorker(stores);
    await app.stores.users.put({ id: 'u2', name: 'other', email: 'p@x.y' });
    expect(await tell('flush', '--wait')).toMatchObject({
      code: 1,
      err: expect.stringContaining('Paused, and not written: clients.'),
    });
    await worker.stop(5_000);
    expect(await inDatabase('g1')).toBe(false);
  });

  it('ends with resume, and all is written', async () => {
    expect(await forebay('resume', 'clients')).toBe('clients is written again.\n');
    expect(await tell('flush', '--wait')).toMatchObject({ code: 0 });
    expect(await inDatabase('g1')).toBe(true);
  });

  it('knows no store that was never written, and says which it may mean', async () => {
    expect(await tell('pause', 'client')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/There is no store "client".* Did you mean clients\?/),
    });
  });
});

describe('forebay status --watch', () => {
  it('shows the status again and again, until it is interrupted', async () => {
    const interrupted = new AbortController();
    let shown = 0;
    const onOut = () => {
      shown += 1;
      if (shown === 2) interrupted.abort();
    };
    const options = { env: environment.env, signal: interrupted.signal, onOut };
    const { code, out } = await command(['status', '--watch', '--json'], options);
    expect(code).toBe(0);
    const lines = out.trimEnd().split('\n');
    expect(lines.map((line) => Object.keys(JSON.parse(line) as object))).toEqual(
      Array.from({ length: 2 }, () => ['at', 'schedules', 'queues', 'backlog']),
    );
  });
});

describe('forebay as a process', () => {
  it('succeeds with its output', async () => {
    expect(await commandProcess(['dead-letters', '--json'], environment.env)).toMatchObject({
      code: 0,
      err: '',
    });
  });

  it('fails when Redis is away, in a sentence', async () => {
    const away = { REDIS_URL: 'redis://127.0.0.1:1' };
    expect(await commandProcess(['status'], away)).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(/^Redis at 127\.0\.0\.1:1 can't be used: .*\n$/),
    });
  });

  it('refuses what it does not know', async () => {
    expect(await commandProcess(['dance'], {})).toMatchObject({
      code: 2,
      err: expect.stringContaining('Usage: forebay <command>'),
    });
  });
});
