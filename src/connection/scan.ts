/** SCAN over all keys, in pieces: of a server, or of all masters of a cluster. */
import { mastersOf, type RedisClient } from './client.js';

const scanCount = 1_000;

/** Keys that match, in groups as they are found; some may come twice. */
export async function* scanKeys(
  redis: RedisClient,
  match: string,
): AsyncGenerator<string[], void, undefined> {
  for (const master of mastersOf(redis)) {
    const stream = master.scanStream({ match, count: scanCount }) as AsyncIterable<string[]>;
    for await (const keys of stream) if (keys.length > 0) yield keys;
  }
}
