/** A Redis and a Postgres of a test's own, as they should be for forebay, and the users that it signs in as. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import pg from 'pg';
import { startPostgresServer } from '../../dev/services/postgres-server.js';
import { startRedisServer } from '../../dev/services/redis-server.js';
import { migrate } from '../../prisma/migrate.js';

export interface CheckServers {
  /** What an app of least rights has in its environment. */
  readonly env: { readonly REDIS_URL: string; readonly DATABASE_URL: string };
  readonly redis: Redis;
  readonly redisPort: number;
  /** Where Redis keeps its files. */
  readonly redisFolder: string;
  readonly postgres: pg.Client;
  readonly postgresPort: number;
  /** Of Redis's default user, and of Postgres's superuser. */
  readonly admin: { readonly REDIS_URL: string; readonly DATABASE_URL: string };
  remove(): Promise<void>;
}

/** All that forebay needs, and no more. */
export const redisRights = [
  ...['~{forebay*', '~forebay:*', '&{forebay}:*', '&__redis__:invalidate'],
  ...['+@all', '-@admin', '-@dangerous', '+info', '+config|get', '+client'],
];

export async function startCheckServers(): Promise<CheckServers> {
  const folder = await mkdtemp(path.join(tmpdir(), 'forebay-check-'));
  const redisFolder = path.join(folder, 'redis');
  const [redisServer, postgresServer] = await Promise.all([
    startRedisServer({ folder: redisFolder, password: '', extraArgs: ['--maxmemory', '256mb'] }),
    // As Postgres has it unless somebody changes it.
    startPostgresServer({ folder: path.join(folder, 'postgres'), extraArgs: ['-c', 'wal_level=replica'] }),
  ]);
  const redis = new Redis(redisServer.url);
  await redis.call('ACL', 'SETUSER', 'app', 'on', '>secret', ...redisRights);
  const postgres = new pg.Client({ connectionString: postgresServer.url });
  await postgres.connect();
  await migrate({ databaseUrl: postgresServer.url });
  await postgres.query(`CREATE ROLE app LOGIN PASSWORD 'secret';
    GRANT USAGE ON SCHEMA public TO app;
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app`);
  return {
    env: {
      REDIS_URL: `redis://app:secret@127.0.0.1:${redisServer.port}`,
      DATABASE_URL: `postgresql://app:secret@127.0.0.1:${postgresServer.port}/forebay`,
    },
    admin: { REDIS_URL: redisServer.url, DATABASE_URL: postgresServer.url },
    redis,
    redisPort: redisServer.port,
    redisFolder,
    postgres,
    postgresPort: postgresServer.port,
    async remove() {
      redis.disconnect();
      await postgres.end();
      await Promise.all([redisServer.stop(), postgresServer.stop()]);
      await rm(folder, { recursive: true });
    },
  };
}
