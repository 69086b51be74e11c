/**
 * Where records are: by the definitions, where they are given; else by what Redis knows of the stores that
 * were ever written.
 */
import { type LanePlace, type LetterLane, lanePlaces, partitionOf } from '../buffer/lane.js';
import type { LaneLayout } from '../buffer/layout.js';
import { readLayouts } from '../buffer/layouts.js';
import type { RedisClient } from '../connection/redis.js';
import { hasAggregates, rootKeyOf } from '../definitions/aggregate.js';
import { firstPartOf } from '../definitions/id.js';
import type { CounterStore, LaneGroup, RecordStore, Stores } from '../definitions/stores.js';
import { ForebayError, isForebayError, messageOf } from '../errors.js';
import { fieldOf } from '../keys.js';

/** A record or counter, and what is known of its store. */
export interface Place {
  readonly store: string;
  readonly idKey: string;
  readonly lane: LanePlace;
  readonly field: string;
  /** That of the row in which a counter lives, or to which it belongs: it may be in the letter of that. */
  readonly rowField: string;
  /** Undefined where the definitions are not known. */
  readonly definition: RecordStore | CounterStore | undefined;
  /** Else what has this name may be something else, such as the beginning of a cached value's key. */
  readonly isCertain: boolean;
}

/** A group of stores that share lanes. */
interface Group extends LaneLayout {
  readonly name: string;
  /** Of its flushes; 0 where the definitions are not known: what is accepted again waits for no delay. */
  readonly minDelayMs: number;
}

export class Places {
  readonly stores: Stores | undefined;
  readonly #groups: ReadonlyMap<string, Group>;
  readonly #prefix: string;

  /** `read` makes one. @internal */
  constructor(groups: ReadonlyMap<string, Group>, prefix: string, stores: Stores | undefined) {
    this.#groups = groups;
    this.#prefix = prefix;
    this.stores = stores;
  }

  /** @throws what Redis throws */
  static async read(redis: RedisClient, prefix: string, stores?: Stores): Promise<Places> {
    const groups = new Map<string, Group>();
    for (const [name, layout] of await readLayouts(redis, prefix))
      groups.set(name, { name, ...layout, minDelayMs: 0 });
    // Redis knows by how many lanes a store was written last.
    for (const group of stores?.groups ?? []) groups.set(group.name, known(group, groups.get(group.name)));
    return new Places(groups, prefix, stores);
  }

  /** Names of groups that have lanes, in their order. */
  get groups(): string[] {
    return [...this.#groups].flatMap(([name, { partitions }]) => (partitions > 0 ? [name] : [])).sort();
  }

  lanesOf(group: string): LanePlace[] {
    return lanePlaces(this.#prefix, group, this.#groups.get(group) ?? { partitions: 0 });
  }

  /** All lanes, as what looks after dead letters wants them. */
  letterLanes() {
    const all = this.groups.flatMap((name): LetterLane[] => {
      const { minDelayMs } = this.#groups.get(name) as Group;
      return this.lanesOf(name).map((place) => ({ ...place, group: { minDelayMs } }));
    });
    const byName = new Map(all.map((lane) => [lane.name, lane]));
    // A counter's letters may be in any lane, where its group is not known.
    return { all, named: (name: string) => byName.get(name), ofStore: () => all };
  }

  /**
   * Where a record or counter may be: one place, by the definitions or by its name; else one in each group,
   * for it may be a counter of any. None: no such store was ever written.
   * @throws ForebayError INVALID_ID
   */
  of(store: string, id: string): Place[] {
    const definition = this.stores?.byName.get(store);
    if (definition) return [this.#defined(definition, toIdKey(definition, id))];
    if (this.#groups.get(store)?.partitions) return [this.#place(store, id, { group: store, rootKey: id })];
    if (this.stores) return [];
    // A group's other stores are counters of its rows, or of rows that belong to these.
    const rootKeys = new Set([id, firstPartOf(id)]);
    return this.groups.flatMap((group) =>
      [...rootKeys].map((rootKey) => this.#place(store, id, { group, rootKey })),
    );
  }

  #defined(definition: RecordStore | CounterStore, idKey: string): Place {
    const { name, group } = definition;
    const rootKey = rootKeyOf(group, name, idKey);
    const place = this.#place(name, idKey, { group: group.name, rootKey });
    const row = hasAggregates(group) ? group.name : (rowStoreOf(definition) ?? name);
    return { ...place, definition, isCertain: true, rowField: fieldOf(row, rootKey) };
  }

  #place(store: string, idKey: string, { group, rootKey }: { group: string; rootKey: string }): Place {
    const { partitions } = this.#groups.get(group) as Group;
    const lane = this.lanesOf(group)[partitionOf(rootKey, partitions)] as LanePlace;
    const [field, rowField] = [fieldOf(store, idKey), fieldOf(group, rootKey)];
    return { store, idKey, lane, definition: undefined, field, rowField, isCertain: store === group };
  }
}

function known({ name, partitions, minDelayMs }: LaneGroup, inRedis: Group | undefined): Group {
  return { name, partitions, ...inRedis, minDelayMs };
}

/** The store in whose rows a counter lives. */
function rowStoreOf(definition: Place['definition']): string | undefined {
  return definition?.kind === 'counter' ? definition.record?.name : undefined;
}

/** What a person types, as the key of an id: parts of a composite one are joined by commas. */
function toIdKey({ name, ids }: RecordStore | CounterStore, id: string): string {
  try {
    return ids.toKey(ids.fromKey(id));
  } catch (error) {
    if (isForebayError(error)) throw error;
    throw new ForebayError('INVALID_ID', `"${id}" is no id of store "${name}": ${messageOf(error)}`);
  }
}
