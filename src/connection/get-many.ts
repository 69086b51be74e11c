/** Values of many keys. */
import { Cluster } from 'ioredis';
import type { RedisClient } from './client.js';

/**
 * In one command; in a cluster, whose MGET is for one slot only, in one for each key, all at once: also in
 * one of a single node, which was configured as a server.
 */
export function getMany(redis: RedisClient, keys: readonly string[]): Promise<(string | null)[]> {
  const one = (key: string): Promise<string | null> => redis.get(key);
  if (redis instanceof Cluster) return Promise.all(keys.map(one));
  return redis.mget(keys as string[]).catch((error: unknown) => {
    if (error instanceof Error && error.message.startsWith('CROSSSLOT')) return Promise.all(keys.map(one));
    throw error;
  });
}
