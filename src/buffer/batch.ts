/** A sealed batch as a worker sees it: the lane's records sorted into deletes, puts and deltas. */
import type { LaneGroup } from '../definitions/stores.js';
import { splitField } from '../keys.js';

export interface PutRecord {
  readonly idKey: string;
  readonly json: string;
}

export interface Delta {
  readonly idKey: string;
  readonly delta: string;
}

export interface Batch {
  readonly lane: string;
  /** Grows from batch to batch of a lane; µs since 1970, about. */
  readonly number: string;
  /** How many records and counters the batch holds. */
  readonly size: number;
  /** Id keys of rows to delete, before anything is put; sorted. */
  readonly deletes: readonly string[];
  /** Rows to put, sorted by id key. */
  readonly puts: readonly PutRecord[];
  /** Deltas that are not zero, by counter store; sorted by id key. */
  readonly deltas: ReadonlyMap<string, readonly Delta[]>;
  /** Versions of the records by id key, where the store's rows have a version; else empty. */
  readonly versions: ReadonlyMap<string, string>;
}

/** Sorts what `seal` returned: field, record, field, record, … */
export function parseBatch(lane: string, group: LaneGroup, number: string, sealed: readonly string[]): Batch {
  const deletes: string[] = [];
  const puts: PutRecord[] = [];
  const deltas = new Map<string, Delta[]>(group.counters.map((counter) => [counter.name, []]));
  const versions = new Map<string, string>();
  const hasVersions = group.record?.version !== undefined;
  for (let i = 0; i < sealed.length; i += 2) {
    const { store, idKey } = splitField(sealed[i] as string);
    const record = sealed[i + 1] as string;
    const counterDeltas = deltas.get(store);
    if (counterDeltas) {
      if (record !== '0') counterDeltas.push({ idKey, delta: record });
      continue;
    }
    const kind = record[0];
    if (kind !== 'P') deletes.push(idKey);
    const bar = record.indexOf('|');
    if (kind !== 'D') puts.push({ idKey, json: record.slice(bar + 1) });
    if (hasVersions) versions.set(idKey, record.slice(1, bar));
  }
  for (const list of deltas.values()) list.sort(byIdKey);
  const size = sealed.length / 2;
  return { lane, number, size, deletes: deletes.sort(), puts: puts.sort(byIdKey), deltas, versions };
}

/** The part of a batch that concerns these ids, under the same number. */
export function partOf(batch: Batch, idKeys: ReadonlySet<string>): Batch {
  const isPart = ({ idKey }: { idKey: string }): boolean => idKeys.has(idKey);
  const deltas = new Map([...batch.deltas].map(([store, list]) => [store, list.filter(isPart)]));
  return {
    ...batch,
    size: idKeys.size,
    deletes: batch.deletes.filter((idKey) => idKeys.has(idKey)),
    puts: batch.puts.filter(isPart),
    deltas,
  };
}

// One order for all statements, so that two batches never lock the same rows crosswise.
function byIdKey(a: { idKey: string }, b: { idKey: string }): number {
  return a.idKey < b.idKey ? -1 : 1;
}
