/**
 * The number of a store's lanes is part of where its writes are. This notices when the definitions' number
 * differs from the one that is in use, and allows the change only while the store's old lanes hold nothing.
 * Then each lane is told the new number, one by one: an app that still writes by the old one is refused
 * there, rather than to write where nobody looks.
 */
import type { RedisClient } from '../connection/redis.js';
import type { LaneGroup, Stores } from '../definitions/stores.js';
import { ForebayError } from '../errors.js';
import { partitionsKey } from '../keys.js';
import { dropEntries } from './drop-entries.js';
import { type LanePlace, lanePlaces } from './lane.js';
import type { WriteBuffer } from './write-buffer.js';

/** How many lanes each store has that was ever written, by name. */
export async function readPartitions(redis: RedisClient, prefix: string): Promise<Map<string, number>> {
  const known = await redis.hgetall(partitionsKey(prefix));
  return new Map(Object.entries(known).map(([store, count]) => [store, Number(count)]));
}

/** @throws ForebayError PARTITIONS_CHANGED */
export async function checkPartitions(
  redis: RedisClient,
  stores: Stores,
  prefix: string,
  buffer: WriteBuffer,
): Promise<void> {
  const key = partitionsKey(prefix);
  await Promise.all(
    stores.groups.map(async (group) => {
      const known = Number(await redis.hget(key, group.name));
      if (known === group.partitions) return;
      if (known === 0) {
        // Somebody else may just have set it, perhaps to another number.
        if ((await redis.hsetnx(key, group.name, group.partitions)) === 0)
          await checkPartitions(redis, stores, prefix, buffer);
        return;
      }
      const lanes = lanePlaces(prefix, group.name, Math.max(known, group.partitions));
      await changePartitions(group, known, lanes, buffer);
      // Were the old number used again, they would be read again.
      const entries = lanes.map((lane) => ({ ...lane, group }));
      await dropEntries(redis, prefix, entries);
      await redis.hset(key, group.name, group.partitions);
    }),
  );
}

/** All lanes or none: where one holds writes, the others get the old number back. */
async function changePartitions(
  group: LaneGroup,
  known: number,
  lanes: readonly LanePlace[],
  buffer: WriteBuffer,
): Promise<void> {
  const states = await Promise.all(lanes.map((lane) => buffer.inspect(lane)));
  if (states.some(({ dirty, sealed }) => dirty + sealed > 0)) throw partitionsChanged(group, known);
  const fenced = await Promise.all(lanes.map((lane) => buffer.fence(lane, group.partitions)));
  if (fenced.every(Boolean)) return;
  await Promise.all(lanes.map((lane) => buffer.fence(lane, known)));
  throw partitionsChanged(group, known);
}

export function partitionsChanged(
  group: Pick<LaneGroup, 'name' | 'partitions'>,
  inUse: number,
): ForebayError {
  return new ForebayError(
    'PARTITIONS_CHANGED',
    `Store "${group.name}" is defined with ${group.partitions} partitions, but Redis holds writes of it in ${inUse}. ` +
      `Deploy with ${inUse} partitions until they are flushed, stop the writers, and then change the number.`,
    { context: { store: group.name, defined: group.partitions, inUse } },
  );
}
