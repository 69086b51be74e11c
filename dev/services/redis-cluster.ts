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
import { freePort } from './ports.js';
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

/** @throws ServicesError SERVER_START_FAILED; then nothing of it runs any more */
export async function startRedisCluster({ hasReplicas = false } = {}): Promise<RedisCluster> {
  const cluster = new RunningCluster(await mkdtemp(path.join(tmpdir(), 'forebay-cluster-')), hasReplicas);
  try {
    await cluster.start();
  } catch (error) {
    await cluster.remove();
    throw error;
  }
  return cluster;
}

class RunningCluster implements RedisCluster {
  readonly servers: RedisServer[] = [];
  readonly admins: Redis[] = [];
  readonly #busPorts: number[] = [];
  readonly #folder: string;
  readonly #hasReplicas: boolean;

  constructor(folder: string, hasReplicas: boolean) {
    this.#folder = folder;
    this.#hasReplicas = hasReplicas;
  }

  get settings(): ClusterSettings {
    const nodes = this.servers.slice(0, 2).map(({ port }) => ({ host: '127.0.0.1', port }));
    return { nodes, db: 0, password, tls: false };
  }

  async start(): Promise<void> {
    await this.#startServers(this.#hasReplicas ? ['a', 'b', 'c', 'd', 'e', 'f'] : ['a', 'b', 'c']);
    await shareSlots(this.admins.slice(0, masterCount));
    await this.#join();
    if (!this.#hasReplicas) return;
    for (let i = 0; i < masterCount; i++) await follow(this.admins[i + masterCount], this.admins[i]);
  }

  async add(): Promise<number> {
    const place = this.servers.length;
    await this.#startServers(this.#hasReplicas ? ['added', 'its-replica'] : ['added']);
    await this.#join();
    if (this.#hasReplicas) await follow(this.admins[place + 1], this.admins[place]);
    return place;
  }

  async remove(): Promise<void> {
    for (const admin of this.admins) admin.disconnect();
    await Promise.all(this.servers.map((server) => server.stop()));
    await rm(this.#folder, { recursive: true });
  }

  async #startServers(names: readonly string[]): Promise<void> {
    const starts = await Promise.allSettled(names.map((name) => this.#startServer(name)));
    for (const start of starts) if (start.status === 'rejected') throw start.reason;
  }

  async #startServer(name: string): Promise<void> {
    // Redis's own choice, 10,000 above its port, may be lent to an outgoing connection.
    const busPort = await freePort();
    const extraArgs = [...arguments_, '--cluster-port', `${busPort}`];
    const server = await startRedisServer({ folder: path.join(this.#folder, name), password, extraArgs });
    const admin = new Redis(server.url);
    admin.on('error', () => undefined); // it loses its connection too
    this.servers.push(server);
    this.admins.push(admin);
    this.#busPorts.push(busPort);
  }

  async #join(): Promise<void> {
    const { admins, servers } = this;
    const meetings = admins.flatMap((admin) =>
      servers.map(({ port }, i) =>
        admin.call('CLUSTER', 'MEET', '127.0.0.1', port, this.#busPorts[i] as number),
      ),
    );
    await Promise.all(meetings);
    await until(async () => {
      const infos = await Promise.all(
        admins.map(async (admin) => String(await admin.call('CLUSTER', 'INFO'))),
      );
      return infos.every(
        (info) =>
          info.includes('cluster_state:ok\r') && info.includes(`cluster_known_nodes:${admins.length}\r`),
      );
    });
  }
}

async function shareSlots(masters: readonly Redis[]): Promise<void> {
  const share = Math.ceil(slotCount / masters.length);
  await Promise.all(
    masters.map((admin, i) =>
      admin.call('CLUSTER', 'ADDSLOTSRANGE', i * share, Math.min((i + 1) * share, slotCount) - 1),
    ),
  );
}

/** Until it is in step, and its master has heard of it from the others. */
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
  await until(async () => String(await master?.call('CLUSTER', 'REPLICAS', id)) !== '');
}

async function until(isTrue: () => Promise<boolean | undefined> | undefined): Promise<void> {
  const deadline = Date.now() + joinMaxMs;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error('The Redis cluster did not come together.');
    await sleep(50);
  }
}
