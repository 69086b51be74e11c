/** A Redis server of a test's own, for what it would do to others: stop, count commands, flush. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { type RedisServerOptions, startRedisServer } from '../../dev/services/redis-server.js';
import type { RedisSettings } from '../../src/config.js';
import { redisSettings } from '../../src/redis-settings.js';

export interface OwnRedis {
  readonly settings: RedisSettings;
  readonly url: string;
  /** A plain connection, for what forebay itself would not do. */
  readonly admin: Redis;
  stop(): Promise<void>;
  restart(): Promise<void>;
  /** How many times the server was called, by command. */
  calls(command: string): Promise<number>;
  remove(): Promise<void>;
}

/** `password`: '' for none. Default: a random one. */
export async function startOwnRedis(
  options: Pick<RedisServerOptions, 'extraArgs' | 'password'> = {},
): Promise<OwnRedis> {
  const folder = await mkdtemp(path.join(tmpdir(), 'forebay-redis-'));
  const server = await startRedisServer({ ...options, folder });
  const admin = new Redis(server.url);
  admin.on('error', () => undefined); // it loses its connection too
  return {
    settings: redisSettings(server.url),
    url: server.url,
    admin,
    stop: () => server.stop(),
    restart: () => server.restart(),
    async calls(command) {
      const stats = await admin.info('commandstats');
      return Number(new RegExp(`^cmdstat_${command}:calls=(\\d+)`, 'm').exec(stats)?.[1] ?? 0);
    },
    async remove() {
      admin.disconnect();
      await server.stop();
      await rm(folder, { recursive: true });
    },
  };
}
