/**
 * Drops all entries of lanes, found by a scan in small steps. What is pending stays: a reader finds it in the
 * lane.
 */
import type { RedisClient } from '../connection/redis.js';
import { scanKeys } from '../connection/scan.js';
import { lanesPattern } from '../keys.js';
import type { Lane } from './lane.js';

type EntryLane = Pick<Lane, 'keys' | 'group'>;

export async function dropEntries(
  redis: RedisClient,
  prefix: string,
  lanes: readonly EntryLane[],
): Promise<void> {
  const byPrefix = new Map(lanes.map((lane) => [lane.keys.entryPrefix, lane]));
  for await (const keys of scanKeys(redis, lanesPattern(prefix))) {
    const entries = keys.filter((key) => isEntry(byPrefix.get(entryPrefixOf(key)), key));
    // Those of a lane share a slot of a cluster.
    await Promise.all(
      [...byPrefix.keys()].map(async (entryPrefix) => {
        const ofLane = entries.filter((key) => key.startsWith(entryPrefix));
        if (ofLane.length > 0) await redis.unlink(...ofLane);
      }),
    );
  }
}

/** The lane's own keys do not begin with the name of a store. */
function isEntry(lane: EntryLane | undefined, key: string): boolean {
  if (!lane) return false;
  const { record, counters } = lane.group;
  const name = key.slice(lane.keys.entryPrefix.length).split(':', 1)[0];
  return [record, ...counters].some((store) => store?.name === name);
}

function entryPrefixOf(key: string): string {
  return key.slice(0, key.indexOf('}:') + 2);
}
