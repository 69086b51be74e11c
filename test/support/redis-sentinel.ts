/** A Redis of a test's own that a sentinel watches, with a replica to take over. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { expect, vi } from 'vitest';
import { keptPort } from '../../dev/services/ports.js';
import { redisProgram } from '../../dev/services/redis-program.js';
import { type RedisServer, startRedisServer } from '../../dev/services/redis-server.js';
import type { SentinelSettings } from '../../src/redis-settings.js';

export interface OwnSentinel {
  readonly settings: SentinelSettings;
  /** The first master; its replica takes over when it is killed. */
  readonly master: RedisServer;
  remove(): Promise<void>;
}

const password = 'of-the-servers';
const sentinelPassword = 'of-the-sentinel';
const name = 'mymaster';

export async function startOwnSentinel(): Promise<OwnSentinel> {
  const folder = await mkdtemp(path.join(tmpdir(), 'forebay-sentinel-'));
  const master = await startRedisServer({
    folder: path.join(folder, 'master'),
    password,
    extraArgs: ['--masterauth', password],
  });
  const replica = await startRedisServer({
    folder: path.join(folder, 'replica'),
    password,
    extraArgs: ['--masterauth', password, '--replicaof', `127.0.0.1 ${master.port}`],
  });
  const { port, stop } = await startSentinel(folder, master.port);
  return {
    settings: {
      sentinels: [{ host: '127.0.0.1', port }],
      name,
      sentinelPassword,
      db: 0,
      password,
      tls: false,
    },
    master,
    async remove() {
      await stop();
      await Promise.all([master.stop(), replica.stop()]);
      await rm(folder, { recursive: true });
    },
  };
}

async function startSentinel(folder: string, masterPort: number) {
  const port = await keptPort(path.join(folder, 'port'));
  const file = path.join(folder, 'sentinel.conf');
  await writeFile(file, configuration(port, masterPort));
  const program = await redisProgram(() => undefined);
  const child = spawn(program, [file, '--sentinel'], { cwd: folder, stdio: 'ignore' });
  const ended = once(child, 'exit');
  const admin = new Redis({ host: '127.0.0.1', port, password: sentinelPassword });
  admin.on('error', () => undefined); // it is not there at once
  const knowsReplica = async (): Promise<void> =>
    expect(await admin.call('SENTINEL', 'REPLICAS', name)).toHaveLength(1);
  await vi.waitFor(knowsReplica, { timeout: 120_000 });
  const stop = async (): Promise<void> => {
    admin.disconnect();
    child.kill();
    await ended;
  };
  return { port, stop };
}

function configuration(port: number, masterPort: number): string {
  return `bind 127.0.0.1
port ${port}
requirepass ${sentinelPassword}
sentinel monitor ${name} 127.0.0.1 ${masterPort} 1
sentinel auth-pass ${name} ${password}
sentinel down-after-milliseconds ${name} 500
sentinel failover-timeout ${name} 5000
`;
}
