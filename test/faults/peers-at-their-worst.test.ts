/**
 * A real worker while Redis or Postgres is at its worst: rows are exact afterwards, it is back soon, and it does not fill
 * its log. Prints time to recover, log lines and CPU; `FAULT_MS=30000` for the measure, in the gate a second each.
 */
import type { ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PostgresServer, startPostgresServer } from '../../dev/services/postgres-server.js';
import { stores } from '../../examples/platform/stores.js';
import type { Forebay } from '../../src/app/connect.js';
import { isForebayError } from '../../src/errors.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { type OwnRedis, startOwnRedis } from '../support/own-redis.js';
import { forkProgram, nextMessage } from '../support/program.js';

const faultMs = Number(process.env.FAULT_MS ?? 1_000);
/** On a machine that is idle it is less than 3 s. */
const recoveryMaxMs = 20_000;
/** Kinds of trouble, each told once; and then one line of each in 10 s. */
const linesMax = 15 + (10 * faultMs) / 10_000;
const rows = 50;
const connectionsMax = 30;

let folder: string;
let redis: OwnRedis;
let postgres: PostgresServer;
let environment: Environment;
let app: Forebay<(typeof stores)['definitions']>;
let worker: ChildProcess;
/** Everything that is accepted, by id. */
const accepted = new Map<string, { name: string; touches: number }>();
const lines: string[] = [];
const results: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'forebay-worst-'));
  const slowToLoad = ['--key-load-delay', '1000', '--loading-process-events-interval-bytes', '1024'];
  [redis, postgres] = await Promise.all([
    startOwnRedis({ extraArgs: slowToLoad }),
    startPostgresServer({ folder, extraArgs: ['-c', `max_connections=${connectionsMax}`] }),
  ]);
  environment = await createEnvironment({ databaseUrl: postgres.url });
  const own = { ...environment.config, redis: redis.settings, queueRedis: redis.settings };
  app = await environment.connect(stores, { config: own });
  worker = forkProgram('workers/write-behind.ts', {
    env: { ...environment.env, REDIS_URL: redis.url },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  createInterface({ input: worker.stdout as NodeJS.ReadableStream }).on('line', (line) => lines.push(line));
  await nextMessage(worker);
});

afterAll(async () => {
  process.stderr.write(`\n${['fault | recovery | log lines/s | CPU', ...results].join('\n')}\n`);
  worker.kill('SIGKILL');
  await environment.close();
  await Promise.all([postgres.stop(), redis.remove()]);
  await rm(folder, { recursive: true });
});

interface Fault {
  begin(): Promise<unknown>;
  end(): Promise<unknown>;
}

const setRedis = (option: string, value: string | number) => redis.admin.config('SET', option, value);
let password = '';

const ofRedis: Readonly<Record<string, Fault>> = {
  'is a replica (READONLY)': {
    begin: () => redis.admin.replicaof('127.0.0.1', 1),
    end: () => redis.admin.replicaof('NO', 'ONE'),
  },
  'can’t save (MISCONF)': {
    begin: async () => {
      const [, dir] = (await redis.admin.config('GET', 'dir')) as [string, string];
      await mkdir(path.join(dir, 'dump.rdb'), { recursive: true }); // where the snapshot would go
      await setRedis('save', '3600 1');
      await redis.admin.bgsave();
      await expect.poll(() => redis.admin.info('persistence')).toMatch(/rdb_last_bgsave_status:err/);
    },
    end: () => setRedis('save', ''),
  },
  'has no memory left (OOM)': {
    begin: () => setRedis('maxmemory', 1),
    end: () => setRedis('maxmemory', 0),
  },
  'has another password (WRONGPASS)': {
    begin: async () => {
      [, password] = (await redis.admin.config('GET', 'requirepass')) as [string, string];
      await setRedis('requirepass', 'another');
      await redis.admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    },
    end: () => setRedis('requirepass', password),
  },
  'is away': { begin: () => redis.stop(), end: () => redis.restart() },
  'reads its data (LOADING)': {
    begin: async () => {
      const filling = redis.admin.pipeline();
      for (let i = 0; i < faultMs; i++) filling.set(`filling:${i}`, 'x'.repeat(1_024));
      await filling.exec();
      await redis.stop();
      void redis.restart();
    },
    end: () => expect.poll(() => redis.admin.ping().catch(String)).toBe('PONG'),
  },
};

let holders: Client[] = [];

/** As somebody else. */
async function sql(...statements: string[]): Promise<Client> {
  const client = new Client({ connectionString: environment.env.DATABASE_URL });
  client.on('error', () => undefined); // its server may go
  await client.connect();
  for (const statement of statements) await client.query(statement);
  holders.push(client);
  return client;
}

/** As many connections as there are. */
async function takeAll(): Promise<void> {
  while (
    await sql().then(
      () => true,
      () => false,
    )
  );
}

async function letGo(): Promise<void> {
  await Promise.all(holders.map((client) => client.end().catch(() => undefined)));
  holders = [];
}

const endOthers = 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()';
const schema = (): string => environment.config.prefix;
const projects = (): string => `"${schema()}".projects`;

const ofPostgres: Readonly<Record<string, Fault>> = {
  'is restarted': { begin: () => postgres.stop(), end: () => postgres.restart() },
  'ends all sessions': {
    begin: async () => void (await sql(endOthers)),
    end: letGo,
  },
  'is read-only': {
    begin: async () =>
      void (await sql(
        'ALTER SYSTEM SET default_transaction_read_only = on',
        'SELECT pg_reload_conf()',
        endOthers,
      )),
    end: async () => {
      await sql(
        'SET default_transaction_read_only = off',
        'ALTER SYSTEM RESET default_transaction_read_only',
        'SELECT pg_reload_conf()',
      );
      await letGo();
    },
  },
  'is out of connections': {
    begin: async () => {
      await takeAll();
      await holders[0]?.query(`${endOthers} AND application_name = 'forebay-write-behind'`);
      await takeAll();
    },
    end: letGo,
  },
  'locks a table': {
    begin: async () => void (await sql('BEGIN', `LOCK TABLE ${projects()} IN ACCESS EXCLUSIVE MODE`)),
    end: letGo,
  },
  'loses a column': {
    begin: async () => void (await sql(`ALTER TABLE ${projects()} RENAME COLUMN name TO gone`)),
    end: async () => {
      await sql(`ALTER TABLE ${projects()} RENAME COLUMN gone TO name`);
      await letGo();
    },
  },
};

const faults = [
  ...Object.entries(ofRedis).map(([name, fault]) => [`Redis ${name}`, fault] as const),
  ...Object.entries(ofPostgres).map(([name, fault]) => [`Postgres ${name}`, fault] as const),
];

describe('a worker', () => {
  it.each(faults)(
    'while %s tells it in few lines, and has every accepted write in its row soon after',
    async (name, fault) => {
      await writeAll(`before ${name}`);
      const before = { lines: lines.length, cpuMs: await cpuMs() };
      await fault.begin();
      // What is refused for certain is not accepted.
      await writeAll(`during ${name}`);
      await sleep(faultMs);
      const during = { lines: lines.length - before.lines, cpuMs: (await cpuMs()) - before.cpuMs };
      await fault.end();
      const endedAt = performance.now();
      await drained();
      const recoveryMs = Math.round(performance.now() - endedAt);
      await writeAll(`after ${name}`);
      await drained();
      const perS = (during.lines / faultMs) * 1_000;
      results.push(
        `${name} | ${recoveryMs} ms | ${perS.toFixed(1)} | ${Math.round((100 * during.cpuMs) / faultMs)} %`,
      );
      await expectExact();
      expect(during.lines, lines.slice(before.lines).join('\n')).toBeLessThan(linesMax);
      expect(recoveryMs).toBeLessThan(recoveryMaxMs);
      expect(worker.exitCode).toBeNull();
    },
  );
});

async function writeAll(name: string): Promise<void> {
  await Promise.all(Array.from({ length: rows }, (_, i) => write(`project-${i}`, name)));
}

async function write(id: string, name: string): Promise<void> {
  const row = accepted.get(id) ?? { name: '', touches: 0 };
  accepted.set(id, row);
  if (await isAccepted(app.stores.projects.put({ id, name, status: 'ACTIVE' }))) row.name = name;
  if (row.name !== '' && (await isAccepted(app.stores.projectTouches.add(id, 1)))) row.touches += 1;
}

async function isAccepted(writing: Promise<unknown>): Promise<boolean> {
  try {
    await writing;
    return true;
  } catch (error) {
    const isCertain = ['REDIS_REFUSED', 'REDIS_UNAVAILABLE', 'REDIS_OUT_OF_MEMORY'] as const;
    if (isCertain.some((code) => isForebayError(error, code))) return false;
    throw error;
  }
}

async function drained(): Promise<void> {
  const unpersisted = async (): Promise<number> => {
    const backlog = await app.backlog().catch(() => undefined);
    return backlog ? backlog.dirty + backlog.sealed : -1;
  };
  await expect.poll(unpersisted, { interval: 20 }).toBe(0);
}

async function expectExact(): Promise<void> {
  const found = await environment.prisma.project.findMany({
    select: { id: true, name: true, touches: true },
  });
  const byId = found.map(({ id, name, touches }) => [id, { name, touches: Number(touches) }] as const);
  expect(new Map(byId)).toEqual(accepted);
  expect((await app.backlog()).dead).toBe(0);
}

/** Of the worker, in user and system mode; where there is no /proc, nothing. */
async function cpuMs(): Promise<number> {
  const stat = await readFile(`/proc/${worker.pid}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return 10 * (Number(fields[11] ?? 0) + Number(fields[12] ?? 0));
}
