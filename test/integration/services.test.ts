/**
 * The services by themselves: started for a command, shared by commands, stopped with the last one, whatever happens to it.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type AcquireOptions, acquireServices, type Services } from '../../dev/services/acquire.js';
import { candidatePorts } from '../../dev/services/host-address.js';
import { isGone, worksIn } from '../../dev/services/left-over.js';
import { tryListen } from '../../dev/services/ports.js';
import { awayFolder } from '../../dev/services/postgres-home.js';
import { startPostgresServer } from '../../dev/services/postgres-server.js';
import { startRedisServer } from '../../dev/services/redis-server.js';

const GONE_MS = 20_000;
const projectFolder = path.resolve(import.meta.dirname, '../..');

let folder: string;
let undo: (() => Promise<unknown>)[];

beforeAll(async () => {
  // Its mode is 0700, which Postgres's own user can't enter.
  folder = await mkdtemp(path.join(os.tmpdir(), 'forebay-services-'));
});

beforeEach(() => {
  undo = [];
});

/** The next test begins with nothing running, and with the data of those before it. */
afterEach(async () => {
  for (const step of undo.reverse()) await step();
  expect(await untilStopped(await pidsOf(folder))).toEqual([true, true, true]);
});

afterAll(async () => {
  const aways = ['postgres', 'single-postgres'].map((name) => awayFolder(path.join(folder, name)));
  for (const one of [folder, ...aways]) await rm(one, { recursive: true, force: true });
});

describe('services of our own', () => {
  it('start in a folder that is closed to all others', async () => {
    const { databaseUrl, redisUrl } = await acquire();
    expect(
      await ask(
        databaseUrl,
        `select current_setting('fsync') || current_setting('synchronous_commit') as answer`,
      ),
    ).toBe('onon');
    expect(await configOf(redisUrl, ['appendonly', 'appendfsync', 'maxmemory-policy', 'save'])).toEqual({
      appendonly: 'yes',
      appendfsync: 'everysec',
      'maxmemory-policy': 'noeviction',
      save: '',
    });
  });

  it('never say a password', async () => {
    const said: string[] = [];
    const services = await acquire({ say: (line) => said.push(line) });
    const passwords = [services.databaseUrl, services.redisUrl].map((url) => new URL(url).password);
    expect(passwords.every((password) => password.length >= 24)).toBe(true);
    expect(
      [...said, services.description].filter((line) => passwords.some((one) => line.includes(one))),
    ).toEqual([]);
  });

  it('are one pair for two commands that start at once', async () => {
    const [first, second] = await Promise.all([startCommand(), startCommand()]);
    expect(second.exports).toEqual(first.exports);
    const before = await pidsOf(folder);
    first.child.kill('SIGINT');
    await first.ended;
    await acquire();
    expect(await pidsOf(folder)).toEqual(before);
  });

  it('keep the first port for the host, and take the next when another program has it', async () => {
    const [port = 0] = candidatePorts(folder);
    const stranger = await tryListen(port);
    undo.push(async () => stranger?.close());
    stranger?.on('connection', (socket) => socket.end('220 another program\r\n'));
    const [first, second] = await Promise.all([startCommand(), startCommand()]);
    expect(second.exports).toEqual(first.exports);
  });

  it('are not disturbed by a stranger who connects to their host, talks nonsense or hangs up', async () => {
    const services = await acquire();
    const before = await pidsOf(folder);
    const [port = 0] = candidatePorts(folder);
    for (const nonsense of ['GET / HTTP/1.1\r\n\r\n', 'x'.repeat(200_000), '{"kind":"claim"}\n', '']) {
      await disturb(port, nonsense);
    }
    expect(await pidsOf(folder)).toEqual(before);
    expect(await worksIn(before.host, folder)).toBe(true);
    expect(await ask(services.databaseUrl, 'select 1 as answer')).toBe(1);
  });

  it('stop when the only command is killed', async () => {
    const command = await startCommand();
    const pids = await pidsOf(folder);
    command.child.kill('SIGKILL');
    expect(await untilStopped(pids)).toEqual([true, true, true]);
  });

  it('start anew when their host was killed, and the servers it left are stopped', async () => {
    const services = await acquire();
    const left = await pidsOf(folder);
    process.kill(left.host, 'SIGKILL');
    await services.lost;
    const again = await acquire();
    const now = await pidsOf(folder);
    expect([now.postgres, now.redis]).not.toContain(left.postgres);
    expect([now.postgres, now.redis]).not.toContain(left.redis);
    expect(await worksIn(left.redis, path.join(folder, 'redis'))).toBe(false);
    expect(await ask(again.databaseUrl, 'select 1 as answer')).toBe(1);
  });

  it('tell who holds them when one is lost, and start anew for the next command', async () => {
    const services = await acquire();
    const { redis } = await pidsOf(folder);
    process.kill(redis, 'SIGKILL');
    expect(await services.lost).toContain('Redis ended by itself (SIGKILL)');
    const again = await acquire();
    expect(await setAndGet(again.redisUrl, 'answer')).toBe('answer');
  });

  it('keep their data and their addresses between runs', async () => {
    const first = await acquire();
    await ask(first.databaseUrl, 'create table kept_by_services as select 42 as answer');
    await setAndGet(first.redisUrl, 'kept');
    const pids = await pidsOf(folder);
    await first.release();
    await untilStopped(pids);
    const second = await acquire();
    expect([second.databaseUrl, second.redisUrl]).toEqual([first.databaseUrl, first.redisUrl]);
    expect(await ask(second.databaseUrl, 'select answer from kept_by_services')).toBe(42);
    expect(await withRedis(second.redisUrl, (redis) => redis.get('key'))).toBe('kept');
  });
});

describe('a server for one test', () => {
  it('restarts Redis on the same port with its data, also after a kill', async () => {
    const redis = await startRedisServer({ folder: path.join(folder, 'single-redis') });
    undo.push(() => redis.stop());
    await setAndGet(redis.url, 'kept');
    const before = redis.pid;
    await redis.restart();
    expect(redis.pid).not.toBe(before);
    await redis.kill();
    await redis.restart();
    expect(await withRedis(redis.url, (client) => client.get('key'))).toBe('kept');
  });

  it('restarts Postgres on the same port with its data, also after a kill', async () => {
    const postgres = await startPostgresServer({ folder: path.join(folder, 'single-postgres') });
    undo.push(() => postgres.stop());
    await ask(postgres.url, 'create table kept as select 42 as answer');
    await postgres.restart();
    await postgres.kill();
    await postgres.restart();
    expect(await ask(postgres.url, 'select answer from kept')).toBe(42);
  });

  it('that does not start is a typed error with the end of its log', async () => {
    const start = startRedisServer({
      folder: path.join(folder, 'single-redis'),
      extraArgs: ['--no-such-setting', '1'],
    });
    await expect(start).rejects.toMatchObject({
      code: 'SERVER_START_FAILED',
      message: expect.stringContaining('no-such-setting'),
    });
  });
});

describe('given services', () => {
  it('are used, and nothing is started', async () => {
    const own = await acquire();
    const other = path.join(folder, 'untouched');
    const env = { DATABASE_URL: own.databaseUrl, REDIS_URL: own.redisUrl };
    const services = await acquire({ env, dataFolder: other });
    expect(services).toMatchObject({ databaseUrl: own.databaseUrl, redisUrl: own.redisUrl });
    expect(services.description).toContain('(DATABASE_URL)');
    await expect(readFile(path.join(other, 'host.log'))).rejects.toThrow('ENOENT');
  });

  it('can be one of the two, with Redis given in parts', async () => {
    const redis = await startRedisServer({ folder: path.join(folder, 'given'), password: 'a b/c' });
    undo.push(() => redis.stop());
    const env = {
      REDIS_HOST: '127.0.0.1',
      REDIS_PORT: String(redis.port),
      REDIS_PASSWORD: 'a b/c',
      REDIS_DB: '2',
    };
    const services = await acquire({ env });
    expect(services.redisUrl).toBe(`redis://:a%20b%2Fc@127.0.0.1:${redis.port}/2`);
    expect(await ask(services.databaseUrl, 'select 1 as answer')).toBe(1);
    expect((await pidsOf(folder)).redis).toBe(0);
  });

  it('that do not answer are a typed error without the password', async () => {
    const port = await closedPort();
    const cases = [
      { env: { DATABASE_URL: `postgresql://me:hush@127.0.0.1:${port}/x` }, variable: 'DATABASE_URL' },
      { env: { REDIS_URL: `redis://:hush@127.0.0.1:${port}` }, variable: 'REDIS_URL' },
      {
        env: { REDIS_HOST: '127.0.0.1', REDIS_PORT: `${port}`, REDIS_PASSWORD: 'hush' },
        variable: 'REDIS_HOST',
      },
    ];
    for (const { env, variable } of cases) {
      const error = await refusalOf(env);
      expect(error).toMatchObject({ code: 'GIVEN_SERVICE_UNREACHABLE' });
      expect(error.message).toContain(`127.0.0.1:${port} (${variable})`);
      expect(error.message).not.toContain('hush');
    }
  });

  it('that have a wrong password are a typed error', async () => {
    const own = await acquire();
    for (const [variable, url] of Object.entries({
      DATABASE_URL: own.databaseUrl,
      REDIS_URL: own.redisUrl,
    })) {
      const wrong = new URL(url);
      wrong.password = 'wrong';
      expect(await refusalOf({ [variable]: wrong.href })).toMatchObject({
        code: 'GIVEN_SERVICE_UNREACHABLE',
        message: expect.stringMatching(/password|WRONGPASS/),
      });
    }
  });

  it('that are no address are a typed error without what was given', async () => {
    for (const env of [
      { DATABASE_URL: 'hush' },
      { DATABASE_URL: 'mysql://me:hush@localhost/x' },
      { REDIS_URL: 'hush' },
    ]) {
      const error = await refusalOf(env);
      expect(error).toMatchObject({ code: 'GIVEN_SERVICE_INVALID' });
      expect(error.message).not.toContain('hush');
    }
  });
});

async function acquire(options: AcquireOptions = {}): Promise<Services> {
  const services = await acquireServices({ dataFolder: folder, env: {}, ...options });
  undo.push(() => services.release());
  return services;
}

async function refusalOf(env: NodeJS.ProcessEnv): Promise<Error> {
  const outcome = await acquire({ env }).catch((error: unknown) => error);
  if (outcome instanceof Error) return outcome;
  throw new Error('expected a refusal');
}

interface Command {
  readonly child: ChildProcess;
  /** What it prints when the services are ready. */
  readonly exports: readonly string[];
  readonly ended: Promise<unknown>;
}

/** `npm run services` from another folder. */
async function startCommand(): Promise<Command> {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, FOREBAY_DATA_FOLDER: folder };
  const main = path.join(projectFolder, 'dev/services/main.ts');
  const tsx = path.join(projectFolder, 'node_modules/tsx/dist/loader.mjs');
  const child = spawn(process.execPath, ['--import', tsx, main], {
    env,
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  undo.push(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  const exports: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) if (exports.push(line) === 2) break;
  expect(exports, said).toHaveLength(2);
  return { child, exports, ended };
}

interface Pids {
  readonly host: number;
  readonly postgres: number;
  readonly redis: number;
}

async function pidsOf(dataFolder: string): Promise<Pids> {
  const [host = 0, postgres = 0, redis = 0] = await Promise.all(
    [
      path.join(dataFolder, 'host.pid'),
      path.join(postgresData(), 'postmaster.pid'),
      path.join(dataFolder, 'redis/redis.pid'),
    ].map(async (file) => Number.parseInt(await readFile(file, 'utf8').catch(() => '0'), 10)),
  );
  return { host, postgres, redis };
}

function postgresData(): string {
  const home = path.join(folder, 'postgres');
  return path.join(process.getuid?.() === 0 ? awayFolder(home) : home, 'data');
}

function untilStopped({ host, postgres, redis }: Pids): Promise<boolean[]> {
  return Promise.all([
    isGone(host, folder, GONE_MS),
    isGone(postgres, postgresData(), GONE_MS),
    isGone(redis, path.join(folder, 'redis'), GONE_MS),
  ]);
}

async function ask(connectionString: string, query: string): Promise<unknown> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return (await client.query<{ answer: unknown }>(query)).rows[0]?.answer;
  } finally {
    await client.end();
  }
}

async function withRedis<T>(url: string, use: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url);
  try {
    return await use(redis);
  } finally {
    redis.disconnect();
  }
}

function setAndGet(url: string, value: string): Promise<string | null> {
  return withRedis(url, async (redis) => {
    await redis.set('key', value);
    return redis.get('key');
  });
}

function configOf(url: string, names: string[]): Promise<Record<string, string>> {
  return withRedis(url, async (redis) => {
    const flat = (await redis.config('GET', ...names)) as string[];
    return Object.fromEntries(names.map((name) => [name, flat[flat.indexOf(name) + 1] ?? '?']));
  });
}

/** Resolves when the connection is closed; ended with a reset when there was nothing to say. */
function disturb(port: number, nonsense: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('close', () => resolve());
    socket.on('error', () => undefined);
    // The host has greeted, so it reads from this connection.
    socket.once('data', () => (nonsense === '' ? socket.resetAndDestroy() : socket.write(nonsense)));
  });
}

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}
