/** Lanes: which lane a record's writes go through, and all lanes of an app. */
import type { LaneGroup, Stores } from '../definitions/stores.js';
import { fieldOf, type LaneKeys, laneKeys } from '../keys.js';
import { type LaneTags, laneTag } from './lane-tags.js';

export interface Lane {
  /** `group/partition`, e.g. `tasks/3`: its name in keys, jobs, the ledger and logs. */
  readonly name: string;
  readonly group: LaneGroup;
  readonly partition: number;
  readonly keys: LaneKeys;
}

/** What must be known of a lane to look after its dead letters. */
export type LetterLane = Pick<Lane, 'name' | 'keys'> & { readonly group: Pick<LaneGroup, 'minDelayMs'> };

export class Lanes {
  readonly all: readonly Lane[];
  readonly #byGroup: ReadonlyMap<LaneGroup, readonly Lane[]>;
  readonly #byName: ReadonlyMap<string, Lane>;

  /** @param tagsOf how Redis has a store's lanes; default: as it has those of new stores. See `openLanes` */
  constructor(stores: Stores, prefix: string, tagsOf?: ReadonlyMap<string, LaneTags>) {
    this.#byGroup = new Map(
      stores.groups.map((group) => [group, lanesOf(group, prefix, tagsOf?.get(group.name))]),
    );
    this.all = [...this.#byGroup.values()].flat();
    this.#byName = new Map(this.all.map((lane) => [lane.name, lane]));
  }

  of(group: LaneGroup, idKey: string): Lane {
    return this.#byGroup.get(group)?.[partitionOf(idKey, group.partitions)] as Lane;
  }

  /** The key of a record's entry. */
  entryKeyOf({ name, group }: { readonly name: string; readonly group: LaneGroup }, idKey: string): string {
    return this.of(group, idKey).keys.entryPrefix + fieldOf(name, idKey);
  }

  /** Id keys by the lane that they belong to, in their order. */
  groupBy(group: LaneGroup, idKeys: Iterable<string>): Map<Lane, string[]> {
    const byLane = new Map<Lane, string[]>();
    for (const idKey of idKeys) {
      const lane = this.of(group, idKey);
      const keys = byLane.get(lane);
      if (keys) keys.push(idKey);
      else byLane.set(lane, [idKey]);
    }
    return byLane;
  }

  /** Those of the group that a store belongs to; none when there is no such store. */
  ofStore(name: string): readonly Lane[] {
    return this.all.filter(({ group }) =>
      [group.record, ...group.counters].some((one) => one?.name === name),
    );
  }

  /** The lane of this name, or undefined when the definitions have none. */
  named(name: string): Lane | undefined {
    return this.#byName.get(name);
  }
}

function lanesOf(group: LaneGroup, prefix: string, tags?: LaneTags): Lane[] {
  return lanePlaces(prefix, group.name, { ...group, tags }).map((place, partition) => ({
    ...place,
    group,
    partition,
  }));
}

/** Where a lane is, whatever store it belongs to. */
export type LanePlace = Pick<Lane, 'name' | 'keys'>;

/** How many lanes a store has, and how their tags are made. Default of these: as those of new stores. */
export interface LaneLayout {
  readonly partitions: number;
  readonly tags?: LaneTags | undefined;
}

/** Names and keys of a store's lanes, in the order of their partitions. */
export function lanePlaces(
  prefix: string,
  store: string,
  { partitions, tags = 'spread' }: LaneLayout,
): LanePlace[] {
  return Array.from({ length: partitions }, (_, partition) => {
    const name = `${store}/${partition}`;
    return { name, keys: laneKeys(laneTag(prefix, name, tags)) };
  });
}

/** FNV-1a, 32 bits (Fowler, Noll, Vo; http://www.isthe.com/chongo/tech/comp/fnv), over UTF-16 units. */
export function partitionOf(idKey: string, partitions: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < idKey.length; i++) hash = Math.imul(hash ^ idKey.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % partitions;
}
