/**
 * A Redis cluster of one's own: three masters, each with a third of the slots, and a replica each where that is
 * asked for.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { slotCount } from '../../src/hash-slot.js';
import type { ClusterSettings } from '../../src/redis-settings.js';
import { type RedisServer, startRedisServer } from './redis-server.js';

export interface RedisCluster {
  readonly settings: ClusterSettings;
  /** The first three masters come first. */
  readonly servers: readonly RedisServer[];
  /** A plain connection to each server. */
  readonly admins: readonly Redis[];
  /**
   * Starts one more master, without slots; with a replica, where the others have one. Resolves with its place in
   * `servers`.
   */
  add(): Promise<number>;
  remove(): Promise<void>;
}

const password = 'of-the-cluster';
const masterCount = 3;
const arguments_ = [
  ...['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000', '--masterauth', password],
  ...['--repl-diskless-sync-delay', '0'],
];
const joinMaxMs = 120_000;

export async function startRedisCluster({ hasReplicas = false } = {}): Promise<RedisCluster> {
  const folder = await mkdtemp(path.join(tmpdir(), 'forebay-cluster-'));
  const servers: RedisServer[] = [];
  const admins: Redis[] = [];
  const start = async (names: readonly string[]): Promise<void> => {
    const options = { password, extraArgs: arguments_ };
    servers.push(
      ...(await Promise.all(
        names.map((name) => startRedisServer({ ...options, folder: path.join(folder, name) })),
      )),
    );
    for (const { url } of servers.slice(admins.length)) {
      const admin = new Redis(url);
      admin.on('error', () => undefined); // it loses its connection too
      admins.push(admin);
    }
  };
  await start(hasReplicas ? ['a', 'b', 'c', 'd', 'e', 'f'] : ['a', 'b', 'c']);
  await shareSlots(admins.slice(0, masterCount));
  await join(servers, admins);
  if (hasReplicas) for (let i = 0; i < masterCount; i++) await follow(admins[i + masterCount], admins[i]);
  return {
    settings: {
      nodes: servers.slice(0, 2).map(({ port }) => ({ host: '127.0.0.1', port })),
      db: 0,
      password,
      tls: false,
    },
    servers,
    admins,
    async add() {
      const place = servers.length;
      await start(hasReplicas ? ['added', 'its-replica'] : ['added']);
      await join(servers, admins);
      if (hasReplicas) await follow(admins[place + 1], admins[place]);
      return place;
    },
    async remove() {
      for (const admin of admins) admin.disconnect();
      await Promise.all(servers.map((server) => server.stop()));
      await rm(folder, { recursive: true });
    },
  };
}

async function shareSlots(masters: readonly Redis[]): Promise<void> {
  const share = Math.ceil(slotCount / masters.length);
  await Promise.all(
    masters.map((admin, i) =>
      admin.call('CLUSTER', 'ADDSLOTSRANGE', i * share, Math.min((i + 1) * share, slotCount) - 1),
    ),
  );
}

async function join(servers: readonly RedisServer[], admins: readonly Redis[]): Promise<void> {
  const meetings = admins.flatMap((admin) =>
    servers.map(({ port }) => admin.call('CLUSTER', 'MEET', '127.0.0.1', port)),
  );
  await Promise.all(meetings);
  await until(async () => {
    const infos = await Promise.all(admins.map(async (admin) => String(await admin.call('CLUSTER', 'INFO'))));
    return infos.every(
      (info) =>
        info.includes('cluster_state:ok\r') && info.includes(`cluster_known_nodes:${admins.length}\r`),
    );
  });
}

/** Until it is in step. */
async function follow(replica: Redis | undefined, master: Redis | undefined): Promise<void> {
  const id = String(await master?.call('CLUSTER', 'MYID'));
  // Which the replica may not have heard of yet.
  await until(() =>
    replica?.call('CLUSTER', 'REPLICATE', id).then(
      () => true,
      () => false,
    ),
  );
  await until(async () => (await replica?.info('replication'))?.includes('master_link_status:up'));
}

async function until(isTrue: () => Promise<boolean | undefined> | undefined): Promise<void> {
  const deadline = Date.now() + joinMaxMs;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error('The Redis cluster did not come together.');
    await sleep(50);
  }
}
