/** A test's own corner of the services: a Redis prefix and a Postgres schema, migrated, and removed at the end. */
import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { inject } from 'vitest';
import type { PrismaClient } from '../../examples/platform/generated/prisma/client.js';
import { createPrisma } from '../../examples/platform/prisma.js';
import { migrate } from '../../prisma/migrate.js';
import { type ConnectOptions, connect, type Forebay } from '../../src/app/connect.js';
import { type Config, readConfig } from '../../src/config.js';
import type { Database } from '../../src/database/database.js';
import type { Definitions, Stores } from '../../src/definitions/stores.js';
import type { ForebayEvent } from '../../src/events.js';
import { WriteBehindService } from '../../src/services/write-behind/write-behind.js';

export interface Environment {
  readonly config: Config;
  /** What a child process needs to work in the same corner. */
  readonly env: { DATABASE_URL: string; REDIS_URL: string; FOREBAY_PREFIX: string };
  readonly prisma: PrismaClient;
  /** A plain connection, for what forebay itself would not do. */
  readonly redis: Redis;
  /** Events of every app and worker of this environment, in order. */
  readonly events: ForebayEvent[];
  connect<D extends Definitions>(stores: Stores<D>, options?: Partial<ConnectOptions>): Promise<Forebay<D>>;
  /** `database`, `config`: others than the environment's own. */
  startWorker(
    stores: Stores,
    settings?: Partial<Config['worker']>,
    database?: Database,
    config?: Config,
  ): Promise<WriteBehindService>;
  /** What `close` does first, last come first. */
  atClose(close: () => Promise<unknown>): void;
  /** Stops what was started here, and removes what it left. */
  close(): Promise<void>;
}

/** `databaseUrl`: another server than the tests' own. */
export async function createEnvironment(options: { databaseUrl?: string } = {}): Promise<Environment> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  const env = {
    DATABASE_URL: withSchema(options.databaseUrl ?? inject('databaseUrl'), name),
    REDIS_URL: inject('redisUrl'),
    FOREBAY_PREFIX: name,
  };
  await migrate({ databaseUrl: env.DATABASE_URL });
  const config = readConfig(env);
  const prisma = createPrisma(env.DATABASE_URL, { connections: 8, name });
  const redis = new Redis(env.REDIS_URL);
  const events: ForebayEvent[] = [];
  const closers: (() => Promise<unknown>)[] = [];
  return {
    config,
    env,
    prisma,
    redis,
    events,
    atClose: (close) => void closers.push(close),
    async connect(stores, options = {}) {
      const app = await connect(stores, {
        prisma,
        config,
        onEvent: (event) => events.push(event),
        ...options,
      });
      closers.push(() => app.close());
      return app;
    },
    async startWorker(stores, settings, database = prisma, ofWorker = config) {
      const emit = (event: ForebayEvent): void => void events.push(event);
      const own = { ...ofWorker, worker: { ...ofWorker.worker, ...settings } };
      const worker = new WriteBehindService({ stores, prisma: database, config: own, emit });
      await worker.start();
      closers.push(() => worker.stop(5_000));
      return worker;
    },
    async close() {
      for (const close of closers.reverse()) await close();
      await prisma.$executeRawUnsafe(`DROP PUBLICATION IF EXISTS "${name}"`);
      await prisma.$executeRawUnsafe(`DROP SCHEMA "${name}" CASCADE`);
      await prisma.$disconnect();
      await removeKeys(redis, `{${name}`);
      await removeKeys(redis, `${name}:`);
      await redis.quit();
    },
  };
}

function withSchema(databaseUrl: string, schema: string): string {
  const url = new URL(databaseUrl);
  url.searchParams.set('schema', schema);
  return url.toString();
}

/** Removes the keys that begin with `prefix`. */
export async function removeKeys(redis: Redis, prefix: string): Promise<void> {
  const stream = redis.scanStream({ match: `${prefix}*`, count: 1_000 });
  for await (const keys of stream) if (keys.length > 0) await redis.unlink(...(keys as string[]));
}
