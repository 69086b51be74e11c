/** Values of many keys. */
import { Cluster } from 'ioredis';
import type { RedisClient } from './client.js';

/** In one command; in a cluster, whose MGET is for one slot only, in one for each key, all at once. */
export function getMany(redis: RedisClient, keys: readonly string[]): Promise<(string | null)[]> {
  return redis instanceof Cluster
    ? Promise.all(keys.map((key) => redis.get(key)))
    : redis.mget(keys as string[]);
}
