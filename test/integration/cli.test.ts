/** The command `forebay`, as a process of its own. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stores } from '../../examples/platform/stores.js';
import type { Forebay } from '../../src/app/connect.js';
import type { Status } from '../../src/cli/status-report.js';
import { SchedulerService } from '../../src/services/scheduler/scheduler.js';
import { defineSchedules } from '../../src/services/scheduler/schedules.js';
import { createEnvironment, type Environment } from '../support/environment.js';

const run = promisify(execFile);

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

/** Of the command's output; an exit code other than 0 rejects. */
async function forebay(...args: string[]): Promise<string> {
  const env = { ...process.env, ...environment.env };
  return (await run('npx', ['tsx', 'src/cli/bin.ts', ...args], { env })).stdout;
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
    await expect(forebay('run', 'nothing')).rejects.toMatchObject({
      code: 2,
      stdout: expect.stringContaining('There is no schedule "nothing". Known: clean-up, warm-dashboards.'),
    });
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

it.each([[['--help']], [['run']], [['discard', 'clients', '--all']], [['status', '--yaml']], [['dance']]])(
  'forebay %j explains itself',
  async (args) => {
    const { stdout, stderr } = await run('npx', ['tsx', 'src/cli/bin.ts', ...args]).catch(
      (error: { stdout: string; stderr: string; code: number }) => {
        expect(error.code).toBe(2);
        return error;
      },
    );
    expect(stdout + stderr).toContain('Usage: forebay <command>');
  },
);
