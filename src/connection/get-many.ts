/** Values of many keys. */
import { isCluster, type RedisClient } from './client.js';

/** Most keys of one command, as Redis serves nobody else meanwhile. */
const keysPerCommandMax = 500;

/**
 * In one command; in a cluster, whose MGET is for one slot only, in one for each key, all at once: also in
 * one of a single node, which was configured as a server.
 */
export function getMany(redis: RedisClient, keys: readonly string[]): Promise<(string | null)[]> {
  const one = (key: string): Promise<string | null> => redis.get(key);
  if (isCluster(redis)) return Promise.all(keys.map(one));
  return redis.mget(keys as string[]).catch((error: unknown) => {
    if (error instanceof Error && error.message.startsWith('CROSSSLOT')) return Promise.all(keys.map(one));
    throw error;
  });
}

/** Keys that succeed or fail together. In a cluster each is alone: its server may be away, and others not. */
export function keysTogether(redis: RedisClient): number {
  return isCluster(redis) ? 1 : keysPerCommandMax;
}
