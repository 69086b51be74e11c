/** `forebay check` against servers whose settings are made wrong, one at a time. */
import { once } from 'node:events';
import { mkdirSync, rmdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { stores } from '../../examples/platform/stores.js';
import { lookAtPostgres } from '../../src/cli/check/postgres.js';
import { lookAtRedis } from '../../src/cli/check/redis.js';
import { lookAtAll } from '../../src/cli/check.js';
import { readConfig } from '../../src/config.js';
import type { Finding } from '../../src/connection/finding.js';
import { type CheckServers, redisRights, startCheckServers } from '../support/check-servers.js';
import { type OwnRedis, startOwnRedis } from '../support/own-redis.js';
import { hasPgBouncer, type PgBouncer, startPgBouncer } from '../support/pgbouncer.js';

type Env = Readonly<Record<string, string>>;

let servers: CheckServers;
/** For the queues where they are apart, and a node of a cluster that is not whole. */
let others: { queues: OwnRedis; node: OwnRedis };

beforeAll(async () => {
  const [own, queues, node] = await Promise.all([
    startCheckServers(),
    startOwnRedis({
      password: '',
      extraArgs: [
        '--maxmemory',
        '256mb',
        '--rename-command',
        'EVALSHA',
        '',
        '--rename-command',
        'XTRIM',
        'cut',
      ],
    }),
    startOwnRedis({ password: '', extraArgs: ['--maxmemory', '256mb', '--cluster-enabled', 'yes'] }),
  ]);
  servers = own;
  others = { queues, node };
  await node.admin.call('CLUSTER', 'ADDSLOTSRANGE', 0, 99);
  for (const { admin } of [queues, node])
    await admin.call('ACL', 'SETUSER', 'app', 'on', '>secret', ...redisRights, '+cluster');
});

afterAll(async () => {
  await servers?.remove();
  await Promise.all([others?.queues.remove(), others?.node.remove()]);
});

const usual = (): Env => servers.env;

const answerMs = 5_000;

/** What is found, errors and warnings. */
async function look(env: Env = usual(), timeoutMs = answerMs): Promise<Finding[]> {
  const reports = await lookAtAll(readConfig(env), stores, timeoutMs);
  return reports.flatMap(({ findings }) => findings);
}

const looks = {
  Redis: async (env: Env = usual()) =>
    (await lookAtRedis(readConfig(env), answerMs)).reports.flatMap(({ findings }) => findings),
  Postgres: async (env: Env = usual()) =>
    (await lookAtPostgres(readConfig(env), stores, answerMs)).report.findings,
};

const codesOf = (findings: readonly Finding[]): string[] => findings.map(({ code }) => code);

/** As somebody would who reads the finding. */
async function apply({ mend: { at, line } }: Finding): Promise<void> {
  if (at === 'SQL') for (const statement of line.split('; ')) await servers.postgres.query(statement);
  else {
    expect(at).toBe('redis-cli');
    const [name = '', ...args] = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(
      ([, quoted, bare]) => bare ?? quoted ?? '',
    );
    await servers.redis.call(name, ...args);
  }
}

interface Wrong {
  readonly code: string;
  readonly how: string;
  make(): Promise<unknown>;
  /** Puts back what the mending line does not. */
  restore(): Promise<unknown>;
  /** Another environment than the usual. */
  readonly env?: () => Env;
  /** With what the mending line says, where it is about the environment. Undefined: the line is applied. */
  readonly mended?: () => Env | 'by somebody';
}

const config = (...words: string[]) => servers.redis.config('SET', ...(words as [string, string]));

function setting(code: string, name: string, wrong: string, right: string): Wrong {
  return {
    code,
    how: `${name} ${wrong}`,
    make: () => config(name, wrong),
    restore: () => config(name, right),
  };
}

function query(code: string, wrong: string, right = 'SELECT 1', rest: Partial<Wrong> = {}): Wrong {
  return {
    code,
    how: wrong,
    make: () => each(wrong),
    restore: () => each(right),
    ...rest,
  };
}

/** One by one: some statements take no others beside them. */
async function each(statements: string): Promise<void> {
  for (const statement of statements.split('; ')) await servers.postgres.query(statement);
}

function rights(...given: string[]): Wrong {
  return {
    code: 'REDIS_RIGHTS',
    how: `a user with ${given.join(' ')}`,
    make: () => servers.redis.call('ACL', 'SETUSER', 'app', ...given),
    restore: () => servers.redis.call('ACL', 'SETUSER', 'app', 'reset', 'on', '>secret', ...redisRights),
  };
}

function environment(code: string, how: string, env: () => Env, mended: () => Env | 'by somebody'): Wrong {
  return { code, how, make: async () => undefined, restore: async () => undefined, env, mended };
}

async function untilSnapshot(status: 'ok' | 'err'): Promise<void> {
  await vi.waitFor(
    async () => {
      const info = await servers.redis.info('persistence');
      expect(info).toContain('rdb_bgsave_in_progress:0');
      expect(info).toContain(`rdb_last_bgsave_status:${status}`);
    },
    { timeout: 60_000, interval: 20 },
  );
}

/** A folder where the file should be: no snapshot can take its place. */
async function failSnapshot(): Promise<void> {
  const file = path.join(servers.redisFolder, 'dump.rdb');
  rmSync(file, { force: true });
  mkdirSync(file);
  await servers.redis.bgsave();
  await untilSnapshot('err');
}

async function mendSnapshot(): Promise<void> {
  rmdirSync(path.join(servers.redisFolder, 'dump.rdb'));
  await servers.redis.bgsave();
  await untilSnapshot('ok');
  await config('save', '');
  await config('stop-writes-on-bgsave-error', 'yes');
}

async function usedMemory(): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await servers.redis.info('memory'))?.[1]);
}

const machineMemory = async (): Promise<string> =>
  /^total_system_memory:(\d+)/m.exec(await servers.redis.info('memory'))?.[1] ?? '';

const redisCases: readonly Wrong[] = [
  setting('REDIS_EVICTS_WRITES', 'maxmemory-policy', 'allkeys-lru', 'noeviction'),
  setting('REDIS_EVICTS_JOBS', 'maxmemory-policy', 'volatile-lru', 'noeviction'),
  setting('REDIS_NO_APPENDONLY', 'appendonly', 'no', 'yes'),
  setting('REDIS_NO_FSYNC', 'appendfsync', 'no', 'everysec'),
  setting('REDIS_FSYNC_ALWAYS', 'appendfsync', 'always', 'everysec'),
  setting('REDIS_NO_FSYNC_WHILE_REWRITING', 'no-appendfsync-on-rewrite', 'yes', 'no'),
  setting('REDIS_TIMEOUT', 'timeout', '300', '0'),
  setting('REDIS_KEEPALIVE', 'tcp-keepalive', '0', '300'),
  setting('REDIS_KEEPALIVE', 'tcp-keepalive', '7200', '300'),
  setting('REDIS_MAXCLIENTS', 'maxclients', '20', '1000'),
  setting('REDIS_OUTPUT_BUFFER', 'client-output-buffer-limit', 'pubsub 1mb 256kb 10', 'pubsub 32mb 8mb 60'),
  setting('REDIS_OUTPUT_BUFFER', 'client-output-buffer-limit', 'normal 1mb 0 0', 'normal 0 0 0'),
  setting('REDIS_INPUT_LIMIT', 'proto-max-bulk-len', '1mb', '512mb'),
  setting('REDIS_INPUT_LIMIT', 'client-query-buffer-limit', '2mb', '1gb'),
  setting('REDIS_CLIENT_MEMORY', 'maxmemory-clients', '8mb', '0'),
  setting('REDIS_CLIENT_MEMORY', 'maxmemory-clients', '5%', '0'),
  setting('REDIS_NO_REWRITE', 'auto-aof-rewrite-percentage', '0', '100'),
  setting('REDIS_NOTIFIES', 'notify-keyspace-events', 'KEA', ''),
  setting('REDIS_MIN_REPLICAS', 'min-replicas-to-write', '1', '0'),
  setting('REDIS_MEMORY_UNLIMITED', 'maxmemory', '0', '256mb'),
  setting('REDIS_MEMORY_FULL', 'maxmemory', '600kb', '256mb'),
  {
    ...setting('REDIS_MEMORY_OVER_MACHINE', 'maxmemory', 'all there is', '256mb'),
    make: async () => config('maxmemory', await machineMemory()),
  },
  {
    ...setting('REDIS_MEMORY_NEARLY_FULL', 'maxmemory', 'as much as is used', '256mb'),
    make: async () => {
      await servers.redis.setrange('filling', 32 * 1_048_576, 'x');
      await config('maxmemory', String(Math.round((await usedMemory()) / 0.95)));
    },
    restore: async () => {
      await servers.redis.del('filling');
      await config('maxmemory', '256mb');
    },
  },
  {
    code: 'REDIS_SNAPSHOTS_FAIL',
    how: 'a snapshot that can not be saved, with save points',
    make: async () => {
      await config('save', '3600 1000000');
      await failSnapshot();
    },
    restore: mendSnapshot,
  },
  {
    code: 'REDIS_SNAPSHOT_FAILED',
    how: 'a snapshot that can not be saved, without save points',
    make: failSnapshot,
    restore: mendSnapshot,
    mended: () => 'by somebody',
  },
  {
    code: 'REDIS_REPLICA',
    how: 'a replica',
    make: () => servers.redis.replicaof('127.0.0.1', 1),
    restore: () => servers.redis.replicaof('NO', 'ONE'),
    mended: () => 'by somebody',
  },
  rights('-hset', '-eval', '-client|tracking'),
  rights('resetkeys', '~forebay:*'),
  rights('resetkeys', '%R~{forebay*', '~forebay:*'),
  rights('resetchannels'),
  { ...rights('-config|get'), code: 'REDIS_UNSEEN' },
  { ...rights('-info'), code: 'REDIS_UNSEEN' },
  {
    code: 'REDIS_USER_DEFAULT',
    how: 'the user default',
    make: async () => undefined,
    restore: () => servers.redis.call('ACL', 'DELUSER', 'forebay'),
    env: () => ({ ...usual(), REDIS_URL: servers.admin.REDIS_URL }),
    mended: () => ({ ...usual(), REDIS_URL: `redis://forebay:PASSWORD@127.0.0.1:${servers.redisPort}` }),
  },
  environment(
    'REDIS_UNAVAILABLE',
    'a server that is away',
    () => ({ ...usual(), REDIS_URL: 'redis://127.0.0.1:1' }),
    usual,
  ),
  environment(
    'REDIS_UNAVAILABLE',
    'a wrong password',
    () => ({ ...usual(), REDIS_URL: `redis://app:wrong@127.0.0.1:${servers.redisPort}` }),
    usual,
  ),
  environment(
    'REDIS_UNAVAILABLE',
    'a database that is not there',
    () => ({ ...usual(), REDIS_URL: `${usual().REDIS_URL}/99` }),
    usual,
  ),
  environment(
    'REDIS_KEEPS_CACHE',
    'the cache apart, without eviction',
    () => ({ ...usual(), QUEUE_REDIS_URL: others.queues.url.replace('//', '//app:secret@') }),
    () => 'by somebody',
  ),
  environment(
    'REDIS_COMMANDS',
    'commands that were renamed',
    () => ({ ...usual(), REDIS_URL: others.queues.url.replace('//', '//app:secret@') }),
    usual,
  ),
  environment(
    'REDIS_CLUSTER_NODE',
    'a node of a cluster as a single server',
    () => ({ ...usual(), REDIS_URL: others.node.url.replace('//', '//app:secret@') }),
    clusterOfOne,
  ),
  environment(
    'REDIS_CLUSTER_SLOTS',
    'a cluster without most of its slots',
    clusterOfOne,
    () => 'by somebody',
  ),
];

function clusterOfOne(): Env {
  return {
    DATABASE_URL: usual().DATABASE_URL as string,
    REDIS_CLUSTER_NODES: new URL(others.node.url).host,
    REDIS_USERNAME: 'app',
    REDIS_PASSWORD: 'secret',
    QUEUE_REDIS_URL: usual().REDIS_URL as string,
  };
}

const database = (url: string): Env => ({ ...usual(), DATABASE_URL: url });

const postgresCases: readonly Wrong[] = [
  environment(
    'POSTGRES_NOT_SET',
    'no DATABASE_URL',
    () => ({ REDIS_URL: usual().REDIS_URL as string }),
    usual,
  ),
  environment(
    'POSTGRES_UNAVAILABLE',
    'a server that is away',
    () => database('postgresql://app:secret@127.0.0.1:1/forebay'),
    usual,
  ),
  environment(
    'POSTGRES_UNAVAILABLE',
    'a wrong password',
    () => database(`postgresql://app:wrong@127.0.0.1:${servers.postgresPort}/forebay`),
    usual,
  ),
  environment(
    'POSTGRES_UNAVAILABLE',
    'a database that is not there',
    () => database(`postgresql://app:secret@127.0.0.1:${servers.postgresPort}/nothing`),
    usual,
  ),
  query(
    'POSTGRES_READ_ONLY',
    'ALTER ROLE app SET default_transaction_read_only = on',
    'ALTER ROLE app RESET ALL',
  ),
  query(
    'POSTGRES_READ_ONLY',
    'ALTER DATABASE forebay SET default_transaction_read_only = on',
    'ALTER DATABASE forebay RESET ALL',
    // The administrator's session has it too, once it begins anew.
  ),
  query(
    'POSTGRES_ASYNC_COMMIT',
    'ALTER ROLE app IN DATABASE forebay SET synchronous_commit = off',
    'ALTER ROLE app IN DATABASE forebay RESET ALL',
  ),
  query(
    'POSTGRES_STATEMENT_TIMEOUT',
    "ALTER ROLE app SET statement_timeout = '900ms'",
    'ALTER ROLE app RESET ALL',
  ),
  query('POSTGRES_LOCK_TIMEOUT', "ALTER ROLE app SET lock_timeout = '100ms'", 'ALTER ROLE app RESET ALL'),
  query(
    'POSTGRES_IDLE_IN_TRANSACTION',
    "ALTER ROLE app SET idle_in_transaction_session_timeout = '500ms'",
    'ALTER ROLE app RESET ALL',
  ),
  query(
    'POSTGRES_TRANSACTION_TIMEOUT',
    "ALTER ROLE app SET transaction_timeout = '20s'",
    'ALTER ROLE app RESET ALL',
  ),
  query(
    'POSTGRES_IDLE_SESSION',
    "ALTER SYSTEM SET idle_session_timeout = '10min'; SELECT pg_reload_conf()",
    'ALTER SYSTEM RESET idle_session_timeout; SELECT pg_reload_conf()',
  ),
  query('POSTGRES_WAL_LEVEL', 'CREATE PUBLICATION forebay FOR ALL TABLES', 'DROP PUBLICATION forebay', {
    mended: () => 'by somebody',
  }),
  query(
    'POSTGRES_ISOLATION',
    "ALTER ROLE app SET default_transaction_isolation = 'serializable'",
    'ALTER ROLE app RESET ALL',
  ),
  query(
    'POSTGRES_NO_AUTOVACUUM',
    'ALTER SYSTEM SET autovacuum = off; SELECT pg_reload_conf()',
    'ALTER SYSTEM RESET autovacuum; SELECT pg_reload_conf()',
  ),
  query('POSTGRES_CONNECTIONS', 'ALTER ROLE app CONNECTION LIMIT 3', 'ALTER ROLE app CONNECTION LIMIT -1'),
  query(
    'POSTGRES_CONNECTIONS',
    'ALTER DATABASE forebay CONNECTION LIMIT 4',
    'ALTER DATABASE forebay CONNECTION LIMIT -1',
  ),
  environment(
    'POSTGRES_POOL_UNUSED',
    'fewer lanes than connections',
    () => ({ ...usual(), FOREBAY_LANES: '2', FOREBAY_CONNECTIONS: '4' }),
    () => ({ ...usual(), FOREBAY_LANES: '64', FOREBAY_CONNECTIONS: '4' }),
  ),
  query('POSTGRES_SCHEMA_MISSING', 'SELECT 1', 'DROP SCHEMA IF EXISTS nothing', {
    how: 'a schema that is not there',
    env: () => database(`${usual().DATABASE_URL}?schema=nothing`),
  }),
  query('POSTGRES_SCHEMA_RIGHTS', 'REVOKE USAGE ON SCHEMA public FROM app, PUBLIC'),
  query(
    'POSTGRES_NO_LEDGER',
    'ALTER TABLE forebay_ledger RENAME TO away',
    'ALTER TABLE away RENAME TO forebay_ledger',
    {
      mended: () => 'by somebody',
    },
  ),
  query('POSTGRES_LEDGER_COLUMNS', 'ALTER TABLE forebay_ledger DROP COLUMN persisted, DROP COLUMN is_void'),
  query('POSTGRES_LEDGER_COLUMNS', 'ALTER TABLE forebay_ledger ALTER COLUMN batch TYPE integer'),
  query(
    'POSTGRES_LEDGER_COLUMNS',
    'ALTER TABLE forebay_ledger ADD COLUMN note text NOT NULL',
    'ALTER TABLE forebay_ledger DROP COLUMN note',
  ),
  query('POSTGRES_LEDGER_KEY', 'ALTER TABLE forebay_ledger DROP CONSTRAINT forebay_ledger_pkey'),
  query('POSTGRES_LEDGER_RIGHTS', 'REVOKE UPDATE ON forebay_ledger FROM app'),
  query('POSTGRES_UNLOGGED', 'ALTER TABLE forebay_ledger SET UNLOGGED'),
  query(
    'POSTGRES_MIGRATION_FAILED',
    "UPDATE _prisma_migrations SET finished_at = NULL WHERE migration_name LIKE '%init'",
    'UPDATE _prisma_migrations SET finished_at = now()',
    { mended: () => 'by somebody' },
  ),
  query(
    'POSTGRES_MIGRATIONS_WAITING',
    "UPDATE _prisma_migrations SET migration_name = 'x' || migration_name",
    'UPDATE _prisma_migrations SET migration_name = substr(migration_name, 2)',
    { mended: () => 'by somebody' },
  ),
  query(
    'POSTGRES_TABLE_MISSING',
    'ALTER TABLE activities RENAME TO away',
    'ALTER TABLE away RENAME TO activities',
    {
      mended: () => 'by somebody',
    },
  ),
  query(
    'POSTGRES_COLUMN_MISSING',
    'ALTER TABLE clients RENAME COLUMN email TO mail',
    'ALTER TABLE clients RENAME COLUMN mail TO email',
    { mended: () => 'by somebody' },
  ),
  query('POSTGRES_NO_KEY', 'ALTER TABLE team_members DROP CONSTRAINT team_members_pkey'),
  query(
    'POSTGRES_COLUMN_REQUIRED',
    'ALTER TABLE clients ADD COLUMN vat text NOT NULL',
    'ALTER TABLE clients DROP COLUMN vat',
  ),
  query('POSTGRES_COLUMN_NOT_NULL', 'ALTER TABLE clients ALTER COLUMN email SET NOT NULL'),
  query(
    'POSTGRES_COLUMN_GENERATED',
    'ALTER TABLE tasks DROP COLUMN touches, ADD COLUMN touches int GENERATED ALWAYS AS (length(title)) STORED',
    'ALTER TABLE tasks DROP COLUMN touches, ADD COLUMN touches int NOT NULL DEFAULT 0',
  ),
  query(
    'POSTGRES_COLUMN_UNWRITTEN',
    'ALTER TABLE clients DROP COLUMN email, ADD COLUMN email text GENERATED ALWAYS AS (lower(name)) STORED',
    'ALTER TABLE clients DROP COLUMN email, ADD COLUMN email text',
  ),
  query('POSTGRES_COLUMN_TYPE', 'ALTER TABLE projects ALTER COLUMN views TYPE integer'),
  query('POSTGRES_COLUMN_TYPE', 'ALTER TABLE clients ALTER COLUMN name TYPE varchar(8)'),
  query('POSTGRES_COLUMN_TYPE', 'ALTER TABLE sessions ALTER COLUMN expires_at TYPE timestamp(3)'),
  query(
    'POSTGRES_ENUM_VALUES',
    "ALTER TYPE task_priority RENAME VALUE 'URGENT' TO 'NOW'",
    // The mending line has added it.
    'SELECT 1',
  ),
  query(
    'POSTGRES_SEQUENCE_RIGHTS',
    'CREATE SEQUENCE number; ALTER TABLE clients ADD COLUMN number bigint DEFAULT nextval($$number$$); ALTER SEQUENCE number OWNED BY clients.number',
    'ALTER TABLE clients DROP COLUMN number',
  ),
  query('POSTGRES_TABLE_RIGHTS', 'REVOKE INSERT, DELETE ON projects FROM app'),
  query(
    'POSTGRES_ROW_SECURITY',
    'ALTER TABLE users ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE users DISABLE ROW LEVEL SECURITY; ALTER ROLE app NOBYPASSRLS',
  ),
  query('POSTGRES_UNLOGGED', 'ALTER TABLE activities SET UNLOGGED'),
  query('POSTGRES_ENCODING', 'SELECT 1', 'SELECT 1', {
    how: 'a database of Latin 1',
    make: () =>
      servers.postgres.query(
        "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0",
      ),
    restore: () => servers.postgres.query('DROP DATABASE latin WITH (FORCE)'),
    env: () => database(`postgresql://app:secret@127.0.0.1:${servers.postgresPort}/latin`),
    mended: () => 'by somebody',
  }),
];

describe('a good set-up', () => {
  it('has no finding', async () => {
    expect(await look()).toEqual([]);
  });
});

describe.each([
  ['Redis', redisCases],
  ['Postgres', postgresCases],
] as const)('what is wrong with %s is found, and its line mends it', (name, cases) => {
  const found = (code: string, env: Env | undefined): Promise<Finding> =>
    // A setting that Postgres reads anew is there a moment later.
    vi.waitFor(
      async () => {
        const findings = await looks[name](env);
        expect(codesOf(findings)).toContain(code);
        return findings.find((one) => one.code === code) as Finding;
      },
      { timeout: 30_000 },
    );

  it.each(cases.map((one) => [one.code, one.how, one] as const))('%s: %s', async (code, _how, wrong) => {
    await wrong.make();
    try {
      const finding = await found(code, wrong.env?.());
      const line = { line: expect.stringMatching(/\S/) };
      expect(finding).toMatchObject({
        what: expect.stringMatching(/[^.]$/),
        consequence: expect.stringMatching(/\.$/),
        mend: line,
      });
      const mended = wrong.mended?.();
      if (mended === 'by somebody') return;
      if (mended === undefined || finding.mend.at === 'redis-cli') await apply(finding);
      await expect.poll(async () => codesOf(await looks[name](mended ?? wrong.env?.()))).not.toContain(code);
    } finally {
      await wrong.restore();
    }
  });

  it('and after all of that nothing is left to find', async () => {
    expect(await looks[name]()).toEqual([]);
  });
});

describe('servers that can not be asked', () => {
  it('are told of in time, though they take the connection and say nothing', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as { port: number };
    try {
      const env = {
        REDIS_URL: `redis://127.0.0.1:${port}`,
        DATABASE_URL: `postgresql://a:b@127.0.0.1:${port}/c`,
      };
      expect(codesOf(await look(env, 300))).toEqual(['REDIS_UNAVAILABLE', 'POSTGRES_UNAVAILABLE']);
    } finally {
      silent.close();
    }
  });

  it('never have their passwords shown', async () => {
    const env = {
      REDIS_URL: 'redis://u:hidden-word@127.0.0.1:1',
      DATABASE_URL: 'postgresql://u:hidden-word@127.0.0.1:1/x',
    };
    expect(JSON.stringify(await lookAtAll(readConfig(env), undefined, 1_000))).not.toContain('hidden-word');
  });
});

describe.skipIf(!hasPgBouncer)('PgBouncer in between', () => {
  let pooler: PgBouncer;

  beforeAll(async () => {
    pooler = await startPgBouncer(usual().DATABASE_URL as string);
  });
  afterAll(() => pooler?.stop());

  it('is found when the URL does not say so, and fine when it does', async () => {
    const [untold] = (await look(database(pooler.url))).filter(
      ({ code }) => code === 'POSTGRES_POOLER_UNTOLD',
    );
    expect(untold?.mend.line).toContain('?pgbouncer=true');
    expect(codesOf(await look(database(`${pooler.url}?pgbouncer=true`)))).toEqual([]);
  });

  it('is found in statement mode, which refuses transactions', async () => {
    const byStatement = await startPgBouncer(usual().DATABASE_URL as string, 'statement');
    try {
      expect(codesOf(await look(database(`${byStatement.url}?pgbouncer=true`)))).toEqual([
        'POSTGRES_POOLER_MODE',
      ]);
    } finally {
      await byStatement.stop();
    }
  });
});

describe('clocks', () => {
  it('that differ are told of: here it is that of this machine', async () => {
    const now = Date.now.bind(Date);
    vi.spyOn(Date, 'now').mockImplementation(() => now() - 90_000);
    try {
      const [clock, ...others] = await look();
      expect(others).toEqual([]);
      expect(clock).toMatchObject({ code: 'CLOCK_HERE', what: expect.stringMatching(/ 1 min behind /) });
    } finally {
      vi.restoreAllMocks();
    }
  });
});
