/** A Redis cluster of one's own: three masters, each with a third of the slots. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { ClusterSettings } from '../../src/redis-settings.js';
import { type RedisServer, startRedisServer } from './redis-server.js';

export interface RedisCluster {
  readonly settings: ClusterSettings;
  readonly servers: readonly RedisServer[];
  /** A plain connection to each server. */
  readonly admins: readonly Redis[];
  remove(): Promise<void>;
}

const password = 'of-the-cluster';
const slotCount = 16_384;
const joinMaxMs = 120_000;
const arguments_ = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000', '--masterauth', password];

export async function startRedisCluster(): Promise<RedisCluster> {
  const folder = await mkdtemp(path.join(tmpdir(), 'forebay-cluster-'));
  const names = ['a', 'b', 'c'];
  const servers = await Promise.all(
    names.map((name) =>
      startRedisServer({ folder: path.join(folder, name), password, extraArgs: arguments_ }),
    ),
  );
  const admins = servers.map(({ url }) => new Redis(url));
  for (const admin of admins) admin.on('error', () => undefined); // it loses its connection too
  await join(servers, admins);
  return {
    settings: {
      nodes: servers.slice(0, 2).map(({ port }) => ({ host: '127.0.0.1', port })),
      db: 0,
      password,
      tls: false,
    },
    servers,
    admins,
    async remove() {
      for (const admin of admins) admin.disconnect();
      await Promise.all(servers.map((server) => server.stop()));
      await rm(folder, { recursive: true });
    },
  };
}

async function join(servers: readonly RedisServer[], admins: readonly Redis[]): Promise<void> {
  const share = Math.ceil(slotCount / servers.length);
  await Promise.all(
    admins.map(async (admin, i) => {
      await admin.call('CLUSTER', 'ADDSLOTSRANGE', i * share, Math.min((i + 1) * share, slotCount) - 1);
      for (const { port } of servers) await admin.call('CLUSTER', 'MEET', '127.0.0.1', port);
    }),
  );
  const deadline = Date.now() + joinMaxMs;
  while (!(await areJoined(admins))) {
    if (Date.now() > deadline) throw new Error('The Redis cluster did not come together.');
    await sleep(50);
  }
}

async function areJoined(admins: readonly Redis[]): Promise<boolean> {
  const infos = await Promise.all(admins.map(async (admin) => String(await admin.call('CLUSTER', 'INFO'))));
  return infos.every(
    (info) => info.includes('cluster_state:ok\r') && info.includes('cluster_known_nodes:3\r'),
  );
}
