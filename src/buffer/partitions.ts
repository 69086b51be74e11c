/**
 * The number of a store's lanes is part of where its writes are. This notices when the definitions' number
 * differs from the one that is in use, and allows the change only while the store's old lanes hold nothing.
 * Then each lane is told the new number, one by one: an app that still writes by the old one is refused
 * there, rather than to write where nobody looks. So are the tags: a store that was written keeps them, until
 * the number of its lanes changes.
 */
import type { RedisClient } from '../connection/redis.js';
import type { LaneGroup, Stores } from '../definitions/stores.js';
import { ForebayError } from '../errors.js';
import { partitionsKey } from '../keys.js';
import { dropEntries } from './drop-entries.js';
import { type LaneLayout, type LanePlace, Lanes, lanePlaces } from './lane.js';
import type { LaneTags } from './lane-tags.js';
import type { WriteBuffer } from './write-buffer.js';

interface KnownLayout extends LaneLayout {
  readonly tags: LaneTags;
}

/** How many lanes each store has that was ever written, and under what tags, by its name. */
export async function readLayouts(redis: RedisClient, prefix: string): Promise<Map<string, KnownLayout>> {
  const known = await redis.hgetall(partitionsKey(prefix));
  return new Map(Object.entries(known).map(([store, text]) => [store, layoutOf(text)]));
}

/** The lanes of the definitions as Redis has them, whether or not it has as many. */
export async function readLanes(redis: RedisClient, stores: Stores, prefix: string): Promise<Lanes> {
  const layouts = await readLayouts(redis, prefix);
  return new Lanes(stores, prefix, new Map([...layouts].map(([store, { tags }]) => [store, tags])));
}

/** The lanes of the definitions, once Redis has as many. @throws ForebayError PARTITIONS_CHANGED */
export async function openLanes(
  redis: RedisClient,
  stores: Stores,
  prefix: string,
  buffer: WriteBuffer,
): Promise<Lanes> {
  const place = { redis, prefix, buffer };
  const tags = await Promise.all(
    stores.groups.map(async (group) => [group.name, await settle(group, place)] as const),
  );
  return new Lanes(stores, prefix, new Map(tags));
}

interface Place {
  readonly redis: RedisClient;
  readonly prefix: string;
  readonly buffer: WriteBuffer;
}

/** What is written of a layout; by the number alone its tags are the first ones. */
function layoutOf(text: string): KnownLayout {
  const [partitions, tags] = text.split(' ');
  return { partitions: Number(partitions), tags: tags === 'spread' ? 'spread' : 'first' };
}

function textOf({ partitions }: LaneGroup): string {
  return `${partitions} spread`;
}

/** The tags of the group's lanes, once Redis has the group's number of them. */
async function settle(group: LaneGroup, place: Place): Promise<LaneTags> {
  const { redis, prefix } = place;
  const key = partitionsKey(prefix);
  const known = await redis.hget(key, group.name);
  if (known === null) {
    // Somebody else may just have set it, perhaps to another number.
    await redis.hsetnx(key, group.name, textOf(group));
    return settle(group, place);
  }
  const layout = layoutOf(known);
  if (layout.partitions === group.partitions) return layout.tags;
  await change(group, layout, place);
  await redis.hset(key, group.name, textOf(group));
  return 'spread';
}

async function change(group: LaneGroup, known: KnownLayout, place: Place): Promise<void> {
  const { redis, prefix, buffer } = place;
  const partitions = Math.max(known.partitions, group.partitions);
  const old = lanePlaces(prefix, group.name, { partitions, tags: known.tags });
  const spread = lanePlaces(prefix, group.name, { partitions, tags: 'spread' });
  const lanes = known.tags === 'spread' ? old : [...old, ...spread];
  await fenceAll(group, known, lanes, buffer);
  if (known.tags !== 'spread') await carryNumbers(old, spread, place);
  // Were the old number used again, they would be read again.
  await dropEntries(
    redis,
    prefix,
    lanes.map((lane) => ({ ...lane, group })),
  );
}

/** All lanes or none: where one holds writes, the others get the old number back. */
async function fenceAll(
  group: LaneGroup,
  known: LaneLayout,
  lanes: readonly LanePlace[],
  buffer: WriteBuffer,
): Promise<void> {
  const states = await Promise.all(lanes.map((lane) => buffer.inspect(lane)));
  if (states.some(({ dirty, sealed }) => dirty + sealed > 0))
    throw partitionsChanged(group, known.partitions);
  const fenced = await Promise.all(lanes.map((lane) => buffer.fence(lane, group.partitions)));
  if (fenced.every(Boolean)) return;
  await Promise.all(lanes.map((lane) => buffer.fence(lane, known.partitions)));
  throw partitionsChanged(group, known.partitions);
}

/** The ledger knows a lane by its name: under its new tag it goes on from the number that it had. */
async function carryNumbers(
  from: readonly LanePlace[],
  to: readonly LanePlace[],
  { redis, buffer }: Place,
): Promise<void> {
  await Promise.all(
    from.map(async ({ keys }, i) => {
      const batch = await redis.hget(keys.meta, 'batch');
      if (batch !== null) await buffer.raise(to[i] as LanePlace, { batch: BigInt(batch) }, true);
    }),
  );
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
