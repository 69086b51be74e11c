/**
 * Aggregates: a row, the rows of other stores that belong to it by the first field of their ids, and the
 * counters of all of them. They are in one lane, and have one place in it.
 */
import { splitField } from '../keys.js';
import { firstPartOf } from './id.js';
import type { LaneGroup } from './stores.js';

type Aggregated = Pick<LaneGroup, 'name' | 'parts'>;

/**
 * The id key of the row that a record belongs to: that decides on its lane. Of a store without others it is
 * the record's own.
 */
export function rootKeyOf({ parts }: Pick<LaneGroup, 'parts'>, store: string, idKey: string): string {
  return parts.has(store) ? firstPartOf(idKey) : idKey;
}

/** The same of a record or a counter by its field. */
export function rootKeyOfField(group: Pick<LaneGroup, 'parts'>, field: string): string {
  const { store, idKey } = splitField(field);
  return rootKeyOf(group, store, idKey);
}

/** Whether a group's records are committed by aggregates. */
export function hasAggregates({ parts }: Pick<LaneGroup, 'parts'>): boolean {
  return parts.size > 0;
}

/**
 * What stands for an aggregate in a lane: behind a sign that no field begins with, the field of its root.
 * Undefined: the group has none.
 */
export function aggregateAnchor(group: Aggregated, store: string, idKey: string): string | undefined {
  return hasAggregates(group) ? `@${group.name}:${rootKeyOf(group, store, idKey)}` : undefined;
}
