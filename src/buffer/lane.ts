/** Lanes: which lane a record's writes go through, and all lanes of an app. */
import type { LaneGroup, Stores } from '../definitions/stores.js';
import { fieldOf, type LaneKeys, laneKeys } from '../keys.js';

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

  constructor(stores: Stores, prefix: string) {
    this.#byGroup = new Map(stores.groups.map((group) => [group, lanesOf(group, prefix)]));
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

function lanesOf(group: LaneGroup, prefix: string): Lane[] {
  return lanePlaces(prefix, group.name, group.partitions).map((place, partition) => ({
    ...place,
    group,
    partition,
  }));
}

/** Where a lane is, whatever store it belongs to. */
export type LanePlace = Pick<Lane, 'name' | 'keys'>;

/** Names and keys of a store's lanes, in the order of their partitions. */
export function lanePlaces(prefix: string, store: string, partitions: number): LanePlace[] {
  return Array.from({ length: partitions }, (_, partition) => {
    const name = `${store}/${partition}`;
    return { name, keys: laneKeys(prefix, name) };
  });
}

/** FNV-1a, 32 bits (Fowler, Noll, Vo; http://www.isthe.com/chongo/tech/comp/fnv), over UTF-16 units. */
export function partitionOf(idKey: string, partitions: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < idKey.length; i++) hash = Math.imul(hash ^ idKey.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % partitions;
}
