/**
 * A Redis server of our own, on loopback, with everything kept: for the shared services, and for tests that need one to
 * stop and start.
 */

import { chmod, mkdir, realpath } from 'node:fs/promises';
import path from 'node:path';
import { Redis } from 'ioredis';
import { keptSecret, writePrivately } from './data-folder.js';
import { endLeftOver } from './left-over.js';
import { keptPort } from './ports.js';
import { REDIS_PROGRAMS, redisProgram } from './redis-program.js';
import { type Server, type ServerPlan, ServerProcess } from './server-process.js';

export type RedisServer = Server;

export interface RedisServerOptions {
  /** Belongs to this server alone; created when missing. */
  readonly folder: string;
  /** Default: the folder's last one if it is free, else a free one. */
  readonly port?: number;
  /** Default: a random one, kept in the folder. An empty string means none. */
  readonly password?: string;
  /** After the configuration file, so they win: `['--maxmemory', '64mb']`. */
  readonly extraArgs?: readonly string[];
  readonly say?: (line: string) => void;
}

/**
 * Starts `redis-server` with an append-only file and no eviction. A server that an earlier run left in the folder is stopped first.
 * @throws ServicesError PROGRAM_MISSING, INSTALL_FAILED, SERVER_START_FAILED
 */
export async function startRedisServer(options: RedisServerOptions): Promise<RedisServer> {
  const say = options.say ?? (() => undefined);
  const command = await redisProgram(say);
  await mkdir(options.folder, { recursive: true });
  await chmod(options.folder, 0o700);
  const folder = await realpath(options.folder);
  const pidFile = path.join(folder, 'redis.pid');
  await endLeftOver({ name: 'Redis', pidFile, folder, programs: REDIS_PROGRAMS, stopSignal: 'SIGTERM', say });
  const port = options.port ?? (await keptPort(path.join(folder, 'port')));
  const password = options.password ?? (await keptSecret(path.join(folder, 'password')));
  const site = { folder, port, password, pidFile };
  const server = new ServerProcess(planOf(site, command, options.extraArgs ?? []));
  await server.start();
  return redisServer(server, site);
}

interface Site {
  readonly folder: string;
  readonly port: number;
  /** Empty for none. */
  readonly password: string;
  readonly pidFile: string;
}

function planOf(site: Site, command: string, extraArgs: readonly string[]): ServerPlan {
  const configFile = path.join(site.folder, 'redis.conf');
  return {
    name: 'Redis',
    command,
    args: [configFile, ...extraArgs],
    folder: site.folder,
    logFile: path.join(site.folder, 'redis.log'),
    stopSignal: 'SIGTERM',
    prepare: () => writePrivately(configFile, configuration(site)),
    probe: (pid) => probe(site, pid),
    // A server killed a moment ago may still hold the port.
    passes: (log) => log.includes('Address already in use'),
  };
}

/** In a file and not on the command line, where everybody could read the password. */
function configuration(of: Site): string {
  const lines = [
    'bind 127.0.0.1',
    `port ${of.port}`,
    `dir ${JSON.stringify(of.folder)}`,
    `pidfile ${JSON.stringify(of.pidFile)}`,
    'daemonize no',
    'appendonly yes',
    'appendfsync everysec',
    'maxmemory-policy noeviction',
    'save ""',
  ];
  if (of.password !== '') lines.push(`requirepass ${JSON.stringify(of.password)}`);
  return `${lines.join('\n')}\n`;
}

async function probe({ port, password }: Site, pid: number): Promise<void> {
  const redis = new Redis({
    host: '127.0.0.1',
    port,
    ...(password === '' ? {} : { password }),
    lazyConnect: true,
    enableReadyCheck: false,
    connectTimeout: 2_000,
    commandTimeout: 2_000,
    retryStrategy: () => null,
  });
  // The same error also rejects `connect`, below.
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    await redis.ping();
    const info = await redis.info('server');
    if (!info.includes(`process_id:${pid}\r`)) throw new Error(`another Redis answers on port ${port}`);
  } finally {
    redis.disconnect();
  }
}

function redisServer(server: ServerProcess, { port, password }: Site): RedisServer {
  return {
    port,
    url: `redis://${password === '' ? '' : `:${encodeURIComponent(password)}@`}127.0.0.1:${port}/0`,
    get pid() {
      return server.pid;
    },
    stop: () => server.stop(),
    kill: () => server.kill(),
    restart: () => server.restart(),
    onLost: (listener) => server.onLost(listener),
  };
}
