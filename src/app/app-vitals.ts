/**
 * Whether a connected app is ready. What is due in it is the app's own: it is alive as long as it answers.
 */
import { testRedisConnection } from '../connection/health.js';
import type { RedisClient } from '../connection/redis.js';
import { Vitals } from '../vitals/health.js';
import { type Asked, databaseNeed, redisNeed } from '../vitals/needs.js';

export function vitalsOf(
  { reads, queue }: { readonly reads: RedisClient; readonly queue: RedisClient },
  database: Asked,
): Vitals {
  const vitals = new Vitals();
  vitals.need(
    redisNeed('redis', () => testRedisConnection(reads)),
    redisNeed('queue redis', () => testRedisConnection(queue)),
    databaseNeed(database),
  );
  vitals.enter('started');
  return vitals;
}
