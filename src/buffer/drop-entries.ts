/**
 * Drops all entries of lanes, found by a scan in small steps. What is pending stays: a reader finds it in the
 * lane.
 */
import type { RedisClient } from '../connection/redis.js';
import { scanKeys } from '../connection/scan.js';
import { lanesPattern, reservedStoreNames } from '../keys.js';
import type { LanePlace } from './lane.js';

export async function dropEntries(
  redis: RedisClient,
  prefix: string,
  lanes: readonly Pick<LanePlace, 'keys'>[],
): Promise<void> {
  const prefixes = lanes.map((lane) => lane.keys.entryPrefix);
  const known = new Set(prefixes);
  for await (const keys of scanKeys(redis, lanesPattern(prefix))) {
    const entries = keys.filter((key) => isEntry(known, key));
    // Those of a lane share a slot of a cluster.
    await Promise.all(
      prefixes.map(async (entryPrefix) => {
        const ofLane = entries.filter((key) => key.startsWith(entryPrefix));
        if (ofLane.length > 0) await redis.unlink(...ofLane);
      }),
    );
  }
}

/** The lane's own keys do not begin with the name of a store. */
function isEntry(prefixes: ReadonlySet<string>, key: string): boolean {
  const prefix = entryPrefixOf(key);
  const name = key.slice(prefix.length).split(':', 1)[0] as string;
  return prefixes.has(prefix) && !reservedStoreNames.includes(name);
}

function entryPrefixOf(key: string): string {
  return key.slice(0, key.indexOf('}:') + 2);
}
