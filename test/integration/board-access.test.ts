import { type RequestOptions, request } from 'node:http';
import { Queue } from 'bullmq';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stores } from '../../examples/platform/stores.js';
import { BoardService } from '../../src/board/board.js';
import type { Config } from '../../src/config.js';
import { queuePrefix } from '../../src/keys.js';
import { SchedulerService } from '../../src/services/scheduler/scheduler.js';
import { defineSchedules } from '../../src/services/scheduler/schedules.js';
import { drained } from '../support/drained.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { startOwnRedis } from '../support/own-redis.js';
import { patient } from '../support/patient.js';

let environment: Environment;
let board: BoardService;

beforeEach(async () => {
  environment = await createEnvironment();
});

afterEach(async () => {
  await board.stop(1_000);
  await environment.close();
});

function create(settings: Config['board']): BoardService {
  board = new BoardService({ config: { ...environment.config, board: settings }, emit: () => undefined });
  return board;
}

describe('the board', () => {
  it('shows the write-behind queue, whose jobs tell their lane and what they did', async () => {
    const app = await environment.connect(stores);
    await environment.startWorker(stores);
    const { lane } = await app.stores.projects.put({ id: 'p', name: 'shown' });
    await drained(app);
    await create({ host: '127.0.0.1', port: 0 }).start();
    const jobs = async () => {
      const response = await fetch(
        `${board.url}api/queues?activeQueue=write-behind&status=completed&page=1&jobsPerPage=10`,
      );
      return ((await response.json()) as { queues: [{ jobs: unknown[] }] }).queues[0].jobs;
    };
    await expect
      .poll(jobs)
      .toMatchObject([{ name: `flush ${lane}`, returnValue: { batches: 1, rows: 1, skipped: 0 } }]);
  });

  it('says that a lane is not there, rather than that it can’t answer', async () => {
    const { config, prisma } = environment;
    const own = { ...config, board: { host: '127.0.0.1', port: 0 } };
    board = new BoardService({ stores, prisma, config: own, emit: () => undefined });
    await board.start();
    const letter = { lane: 'nobody/0', field: 'nobody:1', at: '1' };
    const found = await fetch(`${board.url}letters/replay`, {
      method: 'POST',
      body: new URLSearchParams(letter),
    });
    expect([found.status, await found.text()]).toEqual([404, 'There is no lane nobody/0.']);
  });

  it('C5 shows all queues; a schedule that is promoted there runs at once', async () => {
    let runs = 0;
    const run = async () => {
      runs += 1;
    };
    const { prisma, config } = environment;
    const schedules = defineSchedules(stores, { yearly: { cron: '0 3 1 1 *', run } });
    const scheduler = new SchedulerService({ stores, schedules, prisma, config, emit: () => undefined });
    await scheduler.start();
    try {
      await create({ host: '127.0.0.1', port: 0 }).start();
      const response = await fetch(
        `${board.url}api/queues?activeQueue=schedules&status=delayed&page=1&jobsPerPage=10`,
      );
      const { queues } = (await response.json()) as { queues: { name: string; jobs: unknown[] }[] };
      expect(queues.map(({ name }) => name)).toEqual([
        'write-behind',
        'dead-letter',
        'refresh',
        'warm',
        'schedules',
      ]);
      const shown = queues.find(({ name }) => name === 'schedules')?.jobs;
      expect(shown).toMatchObject([{ id: 'yearly', data: { cron: '0 3 1 1 *', what: 'a function' } }]);
      await fetch(`${board.url}api/queues/schedules/yearly/promote`, { method: 'PUT' });
      await expect.poll(() => runs).toBe(1);
    } finally {
      await scheduler.stop(5_000);
    }
  });

  it('does not start off loopback without a password', () => {
    create({ host: '127.0.0.1', port: 0 });
    expect(
      () =>
        new BoardService({
          config: { ...environment.config, board: { host: '0.0.0.0', port: 0 } },
          emit: () => undefined,
        }),
    ).toThrow(
      expect.objectContaining({ code: 'INVALID_CONFIG', message: expect.stringContaining('BOARD_PASSWORD') }),
    );
  });

  it('with a password answers nobody without it', async () => {
    await create({ host: '127.0.0.1', port: 0, user: 'ops', password: 's3cret' }).start();
    const statusWith = async (user: string) =>
      (await fetch(`${board.url}api/queues`, { headers: { authorization: `Basic ${btoa(user)}` } })).status;
    expect((await fetch(board.url)).status).toBe(401);
    expect(await statusWith('ops:wrong')).toBe(401);
    expect(await statusWith('ops:s3cret')).toBe(200);
  });

  it("without a password does not answer to another site's name", async () => {
    await create({ host: '127.0.0.1', port: 0 }).start();
    expect(await statusFor('evil.example')).toBe(403);
    expect(await statusFor('localhost')).toBe(200);
  });

  it.each([
    [{ 'sec-fetch-site': 'cross-site' }, 403],
    [{ 'sec-fetch-site': 'same-site', origin: 'http://127.0.0.1:1' }, 403],
    [{ origin: 'http://evil.example' }, 403],
    [{ origin: 'null' }, 403],
    [{ origin: 'own' }, 200],
    [{ 'sec-fetch-site': 'same-origin', origin: 'own' }, 200],
    [{}, 200],
  ])('changes nothing for a page of another site: %j', async (headers: Record<string, string>, status) => {
    const settings = { host: '127.0.0.1', port: 0, user: 'ops', password: 's3cret' };
    await create(settings).start();
    const own = new URL(board.url).origin;
    const of = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, value === 'own' ? own : value]),
    );
    for (const [method, path] of [
      ['PUT', 'api/queues/warm/pause'],
      ['PUT', 'api/queues/warm/resume'],
      ['POST', 'api/queues/warm/add'],
    ] as const) {
      const all = { ...of, authorization: `Basic ${btoa('ops:s3cret')}`, 'content-type': 'application/json' };
      const body = JSON.stringify({ name: 'run', data: {}, options: {} });
      const found = await statusOf(path, { method, headers: all }, method === 'POST' ? body : undefined);
      expect(found, `${method} ${path}`).toBe(status);
    }
    const shown = await statusOf('', { headers: { ...of, authorization: `Basic ${btoa('ops:s3cret')}` } });
    expect(shown).toBe(200);
  });

  it('says that it cannot answer while the Redis of the queues is away, and makes no change afterwards', async () => {
    const queues = await startOwnRedis();
    const queueRedis = queues.settings;
    const settings = { host: '127.0.0.1', port: 0 };
    const config = { ...environment.config, queueRedis, board: settings };
    board = new BoardService({ stores, config, emit: () => undefined });
    await board.start();
    const pausing = { method: 'POST' };
    expect(await statusOf('')).toBe(200);
    await queues.stop();
    await expect.poll(() => statusOf(''), { timeout: patient(5_000) }).toBe(503);
    const all = [statusOf(''), statusOf('processes'), statusOf('queue-states/refresh/pause', pausing)];
    expect(await Promise.all(all)).toEqual([503, 503, 503]);
    expect(await statusOf('api/queues')).toBeGreaterThanOrEqual(500);
    await queues.restart();
    await expect.poll(() => statusOf(''), { timeout: patient(10_000) }).toBe(200);
    const refresh = new Queue('refresh', { connection: queues.admin, prefix: queuePrefix(config.prefix) });
    expect(await refresh.isPaused()).toBe(false);
    expect(await statusOf('queue-states/refresh/pause', pausing)).toBe(303);
    expect(await refresh.isPaused()).toBe(true);
    await refresh.close();
    await board.stop(1_000);
    await queues.remove();
  });

  it('says so when its port is taken', async () => {
    const first = create({ host: '127.0.0.1', port: 0 });
    await first.start();
    const port = Number(new URL(first.url).port);
    const second = new BoardService({
      config: { ...environment.config, board: { host: '127.0.0.1', port } },
      emit: () => undefined,
    });
    await expect(second.start()).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});

const statusFor = (host: string) => statusOf('', { headers: { host } });

/** With headers of our own, which fetch does not allow. */
function statusOf(path: string, options: RequestOptions = {}, body?: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(`${board.url}${path}`, options, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end(body);
  });
}
