/**
 * What is refused, or waits, as a whole: a row and the deltas of its counters, for what counts in a row goes
 * where the row goes; of an aggregate all of its rows and their counters.
 */
import { type Batch, rowsOf } from '../buffer/batch.js';
import { hasAggregates, rootKeyOf } from '../definitions/aggregate.js';
import type { LaneGroup, RecordStore } from '../definitions/stores.js';
import { fieldOf } from '../keys.js';

/**
 * Of a batch: the fields of each unit, by its key, see `rootKeyOf`. A row's, also where it only counts, comes
 * before those of its counters.
 */
export function unitsOf(group: LaneGroup, batch: Batch): Map<string, string[]> {
  const units = new Map<string, string[]>();
  const add = (store: string, idKey: string, fields: readonly string[]): void => {
    const key = rootKeyOf(group, store, idKey);
    units.set(key, [...(units.get(key) ?? []), ...fields]);
  };
  for (const store of group.records) {
    for (const [idKey, counters] of countersById(group, batch, store))
      add(
        store.name,
        idKey,
        [store.name, ...counters].map((name) => fieldOf(name, idKey)),
      );
  }
  if (group.records.length > 0) return units;
  for (const [store, deltas] of batch.deltas)
    for (const { idKey } of deltas) add(store, idKey, [fieldOf(store, idKey)]);
  return units;
}

/** Which of a store's counters have a delta, for each id that the batch has anything of. */
function countersById({ counters }: LaneGroup, batch: Batch, store: RecordStore): Map<string, string[]> {
  const { deletes, puts } = rowsOf(batch, store);
  const byId = new Map<string, string[]>();
  for (const idKey of [...deletes, ...puts.map((put) => put.idKey)]) byId.set(idKey, []);
  for (const { name, record } of counters) {
    if (record !== store) continue;
    for (const { idKey } of batch.deltas.get(name) ?? []) byId.set(idKey, [...(byId.get(idKey) ?? []), name]);
  }
  return byId;
}

/** The field of the letter that a unit becomes: that of its first row. */
export function letterOf(group: LaneGroup, unitKey: string, [first]: readonly string[]): string {
  return hasAggregates(group) ? fieldOf(group.name, unitKey) : (first as string);
}
