/** Which keys are entries of rows and counters, and of what. */
import type { Lane, Lanes } from '../buffer/lane.js';
import type { Store, Stores } from '../definitions/stores.js';
import { splitField } from '../keys.js';

export interface EntryPlace {
  readonly key: string;
  readonly lane: Lane;
  readonly store: Store;
  readonly field: string;
  readonly idKey: string;
}

export class EntryPlaces {
  readonly #stores: Stores;
  readonly #byPrefix: ReadonlyMap<string, Lane>;

  constructor(lanes: Lanes, stores: Stores) {
    this.#stores = stores;
    this.#byPrefix = new Map(lanes.all.map((lane) => [lane.keys.entryPrefix, lane]));
  }

  /** Undefined for what is none: the lanes' own keys, and those of stores that are not defined. */
  of(key: string): EntryPlace | undefined {
    const end = key.indexOf('}:') + 2;
    const lane = this.#byPrefix.get(key.slice(0, end));
    const field = key.slice(end);
    const { store: name, idKey } = splitField(field);
    const store = this.#stores.byName.get(name);
    return lane && store?.group === lane.group ? { key, lane, store, field, idKey } : undefined;
  }
}
