/**
 * Which of many lanes hold anything, asked with few commands, for an idle lane must not cost one of its own:
 * EXISTS takes the keys of many lanes; in a cluster those of one slot.
 */
import { isCluster } from '../connection/client.js';
import type { RedisClient } from '../connection/redis.js';
import { slotOf } from '../hash-slot.js';
import type { LaneKeys } from '../keys.js';
import type { LanePlace } from './lane.js';

/** One call serves nobody else meanwhile. */
const lanesPerCallMax = 250;
/** Of so few it does not pay to rule out some. */
const lanesToTellMax = 8;

/** Some of a lane's keys. */
export type KeysOfLane = (keys: LaneKeys) => readonly string[];

/** The keys of a lane that has unpersisted records: at least one of them is there. */
export const unpersisted: KeysOfLane = ({ order, sealed, retries }) => [order, sealed, retries];

/** Lanes that one call can ask. */
export type LaneGroupOfCall<L> = readonly L[];

export function groupForCalls<L extends LanePlace>(
  redis: RedisClient,
  lanes: readonly L[],
): LaneGroupOfCall<L>[] {
  const bySlot = new Map<number, L[]>();
  for (const lane of lanes) {
    const slot = isCluster(redis) ? slotOf(lane.keys.meta) : 0;
    const others = bySlot.get(slot);
    if (others) others.push(lane);
    else bySlot.set(slot, [lane]);
  }
  return [...bySlot.values()].flatMap((some) => inPieces(some, lanesPerCallMax));
}

/** Those that may have one of the keys: all but those that have none for sure. */
export async function occupiedLanes<L extends LanePlace>(
  redis: RedisClient,
  lanes: LaneGroupOfCall<L>,
  keysOf: KeysOfLane,
): Promise<readonly L[]> {
  if ((await redis.exists(...lanes.flatMap(({ keys }) => keysOf(keys)))) === 0) return [];
  if (lanes.length <= lanesToTellMax) return lanes;
  const halves = inPieces(lanes, Math.ceil(lanes.length / 2));
  return (await Promise.all(halves.map((half) => occupiedLanes(redis, half, keysOf)))).flat();
}

function inPieces<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size));
}
