/** The ways in which a Redis goes back in time: to an older state of a test's own server, or to none. */
import { mkdtemp, readdir, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { expect } from 'vitest';
import { type RedisServer, startRedisServer } from '../../dev/services/redis-server.js';
import type { RedisSettings } from '../../src/config.js';
import { redisSettings } from '../../src/redis-settings.js';

export interface LosingRedis {
  readonly settings: RedisSettings;
  readonly admin: Redis;
  /** What is in it now is what it goes back to. */
  mark(): Promise<void>;
  goBack(): Promise<void>;
  remove(): Promise<void>;
}

interface Site {
  readonly folder: string;
  readonly server: RedisServer;
  readonly admin: Redis;
}

/** A way to lose: called at the mark, it returns what goes back to it. */
type Loss = (site: Site) => Promise<() => Promise<void>>;

/** By what happens; `keeps`: what was there at the mark is there again. */
export const losses: Readonly<Record<string, { readonly keeps: boolean; readonly loss: Loss }>> = {
  'its append-only file is cut': { keeps: true, loss: cutAppendOnlyFile },
  'a replica that lags takes its place': { keeps: true, loss: laggingReplica },
  'a backup is restored while it runs': { keeps: true, loss: restoredWhileRunning },
  'it is flushed': {
    keeps: false,
    loss:
      async ({ admin }) =>
      async () =>
        void (await admin.flushall()),
  },
  'it starts again without its files': { keeps: false, loss: lostFiles },
};

export async function startLosingRedis(loss: Loss): Promise<LosingRedis> {
  const folder = await mkdtemp(path.join(tmpdir(), 'forebay-losing-'));
  const server = await startRedisServer({ folder: path.join(folder, 'own'), password: '' });
  const admin = new Redis(server.url, { maxRetriesPerRequest: null });
  admin.on('error', () => undefined); // it loses its connection too
  const site = { folder, server, admin };
  let back: (() => Promise<void>) | undefined;
  return {
    settings: redisSettings(server.url),
    admin,
    async mark() {
      back = await loss(site);
    },
    async goBack() {
      await back?.();
    },
    async remove() {
      admin.disconnect();
      await server.stop();
      await rm(folder, { recursive: true });
    },
  };
}

async function cutAppendOnlyFile({ folder, server, admin }: Site): Promise<() => Promise<void>> {
  await admin.ping(); // What was written before is in the file then.
  const files = path.join(folder, 'own', 'appendonlydir');
  const name = (await readdir(files)).find((file) => file.endsWith('.incr.aof')) as string;
  const file = path.join(files, name);
  const { size } = await stat(file);
  return async () => {
    await server.stop();
    await truncate(file, size);
    await server.restart();
  };
}

async function lostFiles({ folder, server }: Site): Promise<() => Promise<void>> {
  return async () => {
    await server.stop();
    await rm(path.join(folder, 'own', 'appendonlydir'), { recursive: true });
    await server.restart();
  };
}

/** The replica stops to follow at the mark. The server becomes its replica for a moment, so that its address stays. */
async function laggingReplica({ folder, server, admin }: Site): Promise<() => Promise<void>> {
  const other = await startRedisServer({ folder: path.join(folder, 'replica'), password: '' });
  const replica = new Redis(other.url);
  for (const each of [replica, admin]) await each.config('SET', 'repl-diskless-sync-delay', '0');
  await follow(replica, server.port);
  await replica.call('REPLICAOF', 'NO', 'ONE');
  return async () => {
    await follow(admin, other.port);
    await admin.call('REPLICAOF', 'NO', 'ONE');
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    replica.disconnect();
    await other.stop();
  };
}

async function follow(redis: Redis, port: number): Promise<void> {
  await redis.call('REPLICAOF', '127.0.0.1', String(port));
  await expect
    .poll(async () => redis.info('replication'), { timeout: 20_000 })
    .toContain('master_link_status:up');
}

async function restoredWhileRunning({ admin }: Site): Promise<() => Promise<void>> {
  const keys = await admin.keys('*');
  const dumps = await Promise.all(
    keys.map(async (key) => ({
      key,
      dump: await admin.dumpBuffer(key),
      expiresAt: Math.max(0, Number(await admin.call('PEXPIRETIME', key))),
    })),
  );
  return async () => {
    const restoring = admin.multi().flushall();
    // A backup has when each key ends: a lock that was held at the mark is not held for ever.
    for (const { key, dump, expiresAt } of dumps)
      if (dump) restoring.restore(key, expiresAt, dump, 'ABSTTL');
    await restoring.exec();
  };
}
