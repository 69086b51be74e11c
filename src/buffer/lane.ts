/** Lanes: which lane a record's writes go through, and all lanes of an app. */
import { rootKeyOf } from '../definitions/aggregate.js';
import { type LaneGroup, type Store, type Stores, storesOf } from '../definitions/stores.js';
import { fieldOf, type LaneKeys, laneKeys } from '../keys.js';
import { laneTag } from './lane-tags.js';
import { type LaneLayout, type Layout, markOf } from './layout.js';

export interface Lane {
  /** `group/partition`, e.g. `tasks/3`: its name in keys, jobs, the ledger and logs. */
  readonly name: string;
  readonly group: LaneGroup;
  readonly partition: number;
  readonly keys: LaneKeys;
  /** What is known here of the number of the store's lanes: the lane refuses who knows another. */
  readonly mark: string;
}

/** What must be known of a lane to look after its dead letters. */
export type LetterLane = Pick<Lane, 'name' | 'keys'> & { readonly group: Pick<LaneGroup, 'minDelayMs'> };

export class Lanes {
  readonly #prefix: string;
  readonly #byGroup = new Map<LaneGroup, readonly Lane[]>();
  #all: readonly Lane[] = [];
  #byName: ReadonlyMap<string, Lane> = new Map();

  /** @param layouts how Redis has a store's lanes; default: as its definition says. See `openLanes` */
  constructor(stores: Stores, prefix: string, layouts?: ReadonlyMap<string, Layout>) {
    this.#prefix = prefix;
    for (const group of stores.groups)
      this.#byGroup.set(group, lanesOf(group, prefix, layouts?.get(group.name) ?? firstLayout(group)));
    this.#index();
  }

  get all(): readonly Lane[] {
    return this.#all;
  }

  get groups(): readonly LaneGroup[] {
    return [...this.#byGroup.keys()];
  }

  /** Others once another layout was adopted. */
  ofGroup(group: LaneGroup): readonly Lane[] {
    return this.#byGroup.get(group) as readonly Lane[];
  }

  /** @param rootKey of the row that decides: see `rootKeyOf` */
  of(group: LaneGroup, rootKey: string): Lane {
    const lanes = this.ofGroup(group);
    return lanes[partitionOf(rootKey, lanes.length)] as Lane;
  }

  ofRecord({ name, group }: StoreName, idKey: string): Lane {
    return this.of(group, rootKeyOf(group, name, idKey));
  }

  /** The store's lanes as they are from now on. False: they were known. */
  adopt(group: LaneGroup, layout: Layout): boolean {
    const [known] = this.ofGroup(group);
    if (known?.mark === markOf(layout, group.partitions)) return false;
    this.#byGroup.set(group, lanesOf(group, this.#prefix, layout));
    this.#index();
    return true;
  }

  #index(): void {
    this.#all = [...this.#byGroup.values()].flat();
    this.#byName = new Map(this.#all.map((lane) => [lane.name, lane]));
  }

  /** The key of a record's entry. */
  entryKeyOf(store: StoreName, idKey: string): string {
    return this.ofRecord(store, idKey).keys.entryPrefix + fieldOf(store.name, idKey);
  }

  /** Id keys of a store's records by the lane that they belong to, in their order. */
  groupBy(
    store: StoreName,
    items: Iterable<string>,
    idKeyOf = (item: string): string => item,
  ): Map<Lane, string[]> {
    const byLane = new Map<Lane, string[]>();
    for (const item of items) {
      const lane = this.ofRecord(store, idKeyOf(item));
      const known = byLane.get(lane);
      if (known) known.push(item);
      else byLane.set(lane, [item]);
    }
    return byLane;
  }

  /** Those of the group that a store belongs to; none when there is no such store. */
  ofStore(name: string): readonly Lane[] {
    return this.all.filter(({ group }) => storesOf(group).some((store) => store.name === name));
  }

  /** The lane of this name, or undefined when the definitions have none. */
  named(name: string): Lane | undefined {
    return this.#byName.get(name);
  }

  /** Whether a lane of this name is none that its store has now: more or fewer lanes have been there. */
  isOther(name: string): boolean {
    const store = name.slice(0, name.lastIndexOf('/'));
    return !this.#byName.has(name) && this.groups.some((group) => group.name === store);
  }
}

type StoreName = Pick<Store, 'name' | 'group'>;

/** As a new store has it. */
export function firstLayout({ partitions }: LaneGroup): Layout {
  return { partitions, tags: 'spread', epoch: 0 };
}

function lanesOf(group: LaneGroup, prefix: string, layout: Layout): Lane[] {
  const mark = markOf(layout, group.partitions);
  return lanePlaces(prefix, group.name, layout).map((place, partition) => ({
    ...place,
    group,
    partition,
    mark,
  }));
}

/** Where a lane is, whatever store it belongs to. */
export type LanePlace = Pick<Lane, 'name' | 'keys'>;

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
