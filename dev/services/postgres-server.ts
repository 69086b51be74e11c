/**
 * A Postgres server of our own, on loopback, with every durability setting left on: for the shared services, and for tests that
 * need one to stop and start.
 */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, realpath, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { reasonOf } from '../reason.js';
import { keptSecret } from './data-folder.js';
import { ServicesError } from './errors.js';
import { endLeftOver } from './left-over.js';
import { keptPort } from './ports.js';
import { type PostgresHome, postgresHome } from './postgres-home.js';
import { type Server, type ServerPlan, ServerProcess } from './server-process.js';

const run = promisify(execFile);
const INITDB_LIMIT_MS = 120_000;
const NAME = 'forebay';

export type PostgresServer = Server;

export interface PostgresServerOptions {
  /** Belongs to this server alone; created when missing. */
  readonly folder: string;
  /** Default: the folder's last one if it is free, else a free one. */
  readonly port?: number;
  /** After our own settings, so they win: `['-c', 'max_connections=20']`. */
  readonly extraArgs?: readonly string[];
  readonly say?: (line: string) => void;
}

interface Site extends PostgresHome {
  readonly data: string;
  readonly password: string;
  readonly port: number;
}

/**
 * Starts Postgres 18 with a superuser and a database named `forebay`. A server that an earlier run left in the folder is stopped first.
 * @throws ServicesError PROGRAM_MISSING, FOLDER_NOT_SAFE, SERVER_START_FAILED
 */
export async function startPostgresServer(options: PostgresServerOptions): Promise<PostgresServer> {
  const say = options.say ?? (() => undefined);
  await mkdir(options.folder, { recursive: true, mode: 0o711 });
  const folder = await realpath(options.folder);
  const home = await postgresHome(folder, say);
  const data = path.join(home.folder, 'data');
  await stopLeftOver(data, say);
  const password = await keptSecret(path.join(home.folder, 'password'));
  const site = { ...home, data, password, port: options.port ?? (await keptPort(path.join(folder, 'port'))) };
  if (!existsSync(data)) await createCluster(site, say);
  const server = new ServerProcess(
    planOf(site, path.join(folder, 'postgres.log'), options.extraArgs ?? [], say),
  );
  await server.start();
  try {
    await createDatabase(site);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return postgresServer(server, site);
}

function planOf(
  site: Site,
  logFile: string,
  extraArgs: readonly string[],
  say: (line: string) => void,
): ServerPlan {
  return {
    name: 'Postgres',
    command: path.join(site.programs, 'bin', 'postgres'),
    args: [...settings(site), ...extraArgs],
    folder: site.data,
    logFile,
    env: environment(),
    user: site.user,
    // SIGINT is Postgres's fast shutdown: it ends sessions instead of waiting for them.
    stopSignal: 'SIGINT',
    prepare: () => stopLeftOver(site.data, say),
    probe: () => query(site, 'postgres', 'select 1'),
    // The processes of a server killed a moment ago take a moment to notice.
    passes: (log) => /pre-existing shared memory block|lock file "postmaster.pid" already exists/.test(log),
  };
}

/** Also removes a pid file whose number now belongs to another program, which Postgres would take for a running server. */
async function stopLeftOver(data: string, say: (line: string) => void): Promise<void> {
  const pidFile = path.join(data, 'postmaster.pid');
  await endLeftOver({
    name: 'Postgres',
    pidFile,
    folder: data,
    programs: ['postgres'],
    stopSignal: 'SIGINT',
    say,
  });
}

/** Under a draft name first, so that a run that is killed leaves no half-made cluster. */
async function createCluster(site: Site, say: (line: string) => void): Promise<void> {
  say(`Creating a Postgres database cluster in ${site.data}.`);
  const draft = `${site.data}.draft`;
  const passwordFile = path.join(draft, 'password');
  await rm(draft, { recursive: true, force: true });
  await mkdir(path.join(draft, 'data'), { recursive: true, mode: 0o700 });
  await writeFile(passwordFile, site.password, { mode: 0o600 });
  if (site.user) await handOver([draft, path.join(draft, 'data'), passwordFile], site.user);
  try {
    const options = { ...site.user, cwd: draft, env: environment(), timeout: INITDB_LIMIT_MS };
    await run(path.join(site.programs, 'bin', 'initdb'), initArguments(draft, passwordFile), options);
  } catch (error) {
    throw new ServicesError(
      'SERVER_START_FAILED',
      `Postgres's initdb failed in ${draft}: ${reasonOf(error)}`,
    );
  }
  await rename(path.join(draft, 'data'), site.data);
  await rm(draft, { recursive: true, force: true });
}

async function handOver(paths: readonly string[], user: { uid: number; gid: number }): Promise<void> {
  for (const one of paths) {
    await chmod(one, one.endsWith('password') ? 0o600 : 0o700);
    await chown(one, user.uid, user.gid);
  }
}

function initArguments(draft: string, passwordFile: string): string[] {
  return [
    `--pgdata=${path.join(draft, 'data')}`,
    `--username=${NAME}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // The same order of text on every machine, whatever locales it has.
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--no-instructions',
  ];
}

function settings(site: Site): string[] {
  const values = {
    listen_addresses: '127.0.0.1',
    port: site.port,
    unix_socket_directories: '',
    max_connections: 200,
    shared_buffers: '256MB',
    fsync: 'on',
    synchronous_commit: 'on',
    full_page_writes: 'on',
    // For change workers.
    wal_level: 'logical',
    max_wal_senders: 32,
    max_replication_slots: 32,
    timezone: 'UTC',
  };
  return ['-D', site.data, ...Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}

/** Without the caller's PG* variables, which would change what Postgres does; messages in English, which `passes` reads. */
function environment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' };
}

async function createDatabase(site: Site): Promise<void> {
  try {
    await query(site, 'postgres', `create database ${NAME}`);
  } catch (error) {
    const alreadyThere = error instanceof pg.DatabaseError && error.code === '42P04';
    if (!alreadyThere) throw error;
  }
}

async function query(site: Site, database: string, text: string): Promise<void> {
  const { port, password } = site;
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: NAME,
    password,
    database,
    connectionTimeoutMillis: 2_000,
    query_timeout: 30_000,
  });
  // A connection that breaks later also rejects the query, below.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query(text);
  } finally {
    await client.end();
  }
}

function postgresServer(server: ServerProcess, { port, password }: Site): PostgresServer {
  return {
    port,
    url: `postgresql://${NAME}:${encodeURIComponent(password)}@127.0.0.1:${port}/${NAME}`,
    get pid() {
      return server.pid;
    },
    stop: () => server.stop(),
    kill: () => server.kill(),
    restart: () => server.restart(),
    onLost: (listener) => server.onLost(listener),
  };
}
