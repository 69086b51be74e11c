/** SCAN over all of a server's keys, in pieces. */
import type { Redis } from 'ioredis';

const scanCount = 1_000;

/** Keys that match, in groups as they are found; some may come twice. */
export async function* scanKeys(redis: Redis, match: string): AsyncGenerator<string[], void, undefined> {
  const stream = redis.scanStream({ match, count: scanCount }) as AsyncIterable<string[]>;
  for await (const keys of stream) if (keys.length > 0) yield keys;
}
