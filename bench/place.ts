/** A bench's own place in Postgres and Redis: a schema and a prefix of its own, removed at the end. */
import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import type { Services } from '../dev/services/acquire.js';
import type { PrismaClient } from '../examples/platform/generated/prisma/client.js';
import { createPrisma } from '../examples/platform/prisma.js';
import { migrate } from '../prisma/migrate.js';

export interface Place {
  /** What all keys begin with, after a `{`. */
  readonly prefix: string;
  /** The environment of a process that is to work in this place. */
  readonly env: NodeJS.ProcessEnv;
  readonly prisma: PrismaClient;
  readonly redis: Redis;
  /** Removes the stores' keys that begin with `{prefix` and `after`. */
  removeKeys(after: string): Promise<void>;
  leave(): Promise<void>;
}

const unlinkMax = 1_000;

/** The schema has the platform's tables, without a row. */
export async function enterPlace({
  databaseUrl,
  redisUrl,
}: Pick<Services, 'databaseUrl' | 'redisUrl'>): Promise<Place> {
  const prefix = `bench_${randomBytes(6).toString('hex')}`;
  const url = new URL(databaseUrl);
  url.searchParams.set('schema', prefix);
  await migrate({ databaseUrl: url.toString() });
  const prisma = createPrisma(url.toString(), { connections: 2, name: prefix });
  const redis = new Redis(redisUrl, { maxRetriesPerRequest: 3 });
  // Commands fail with the same error.
  redis.on('error', () => undefined);
  const removeKeys = (after: string): Promise<void> => unlinkMatching(redis, `{${prefix}${after}*`);
  return {
    prefix,
    env: childEnvironment(url.toString(), redisUrl, prefix),
    prisma,
    redis,
    removeKeys,
    async leave() {
      await prisma.$executeRawUnsafe(`DROP SCHEMA "${prefix}" CASCADE`);
      await prisma.$disconnect();
      await unlinkMatching(redis, `*${prefix}*`);
      redis.disconnect();
    },
  };
}

/** Without the user's own settings of forebay, so that the defaults are measured. */
function childEnvironment(databaseUrl: string, redisUrl: string, prefix: string): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^((QUEUE_)?REDIS|FOREBAY)_/.test(name));
  return {
    ...Object.fromEntries(own),
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    FOREBAY_PREFIX: prefix,
    LOG_LEVEL: 'warn',
  };
}

async function unlinkMatching(redis: Redis, pattern: string): Promise<void> {
  const stream = redis.scanStream({ match: pattern, count: unlinkMax }) as AsyncIterable<string[]>;
  for await (const keys of stream) if (keys.length > 0) await redis.unlink(...keys);
}
