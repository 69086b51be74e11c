/**
 * The number of a store's lanes is part of where its writes are. This notices when the definitions' number differs from the
 * one that is in use, and allows the change only while the store's old lanes hold nothing.
 */
import type { RedisClient } from '../connection/redis.js';
import type { LaneGroup, Stores } from '../definitions/stores.js';
import { ForebayError } from '../errors.js';
import { partitionsKey } from '../keys.js';
import { lanePlaces } from './lane.js';
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
      if (await hasUnpersisted(group, known, prefix, buffer)) throw partitionsChanged(group, known);
      await redis.hset(key, group.name, group.partitions);
    }),
  );
}

async function hasUnpersisted(
  group: LaneGroup,
  partitions: number,
  prefix: string,
  buffer: WriteBuffer,
): Promise<boolean> {
  const states = await Promise.all(
    lanePlaces(prefix, group.name, partitions).map((lane) => buffer.inspect(lane)),
  );
  return states.some(({ dirty, sealed }) => dirty + sealed > 0);
}

function partitionsChanged(group: LaneGroup, known: number): ForebayError {
  return new ForebayError(
    'PARTITIONS_CHANGED',
    `Store "${group.name}" is defined with ${group.partitions} partitions, but Redis holds writes of it in ${known}. ` +
      `Deploy with ${known} partitions until they are flushed, stop the writers, and then change the number.`,
    { context: { store: group.name, defined: group.partitions, inUse: known } },
  );
}
