/**
 * Rows and counters as the database would have them, in memory: what lanes are flushed to, and loads
 * read.
 */
import type { CounterLoader, LoadedRow, Loaders, RecordLoader } from '../../database/load.js';
import { joinMembers, membersOf } from '../../definitions/json-members.js';
import { splitRelease } from '../../definitions/release.js';
import type { CounterStore, RecordStore } from '../../definitions/stores.js';
import type { Faults } from '../faults.js';
import type { PendingRow } from './lane-memory.js';

interface TableRow {
  /** Columns as JSON, by name. */
  readonly values: Map<string, string>;
  /** Those of the row, by the names of their stores. */
  readonly counters: Map<string, bigint>;
}

export interface MemoryTablesDependencies {
  readonly faults: Faults;
  /** The number of a lane's last batch, by the lane's name in the ledger. */
  readonly batchOf: (ledgerLane: string) => bigint | undefined;
}

export class MemoryTables implements Loaders {
  readonly #dependencies: MemoryTablesDependencies;
  /** By the store's name, then by id key. */
  readonly #rows = new Map<string, Map<string, TableRow>>();
  /** Of counters without a record store. */
  readonly #sums = new Map<string, Map<string, bigint>>();

  constructor(dependencies: MemoryTablesDependencies) {
    this.#dependencies = dependencies;
  }

  /** As if another program had written it. */
  insert(store: RecordStore, input: unknown): void {
    const row = store.rows.complete(input);
    const { json } = splitRelease(store.rows.putText(row));
    const idKey = store.ids.toKey(store.ids.ofRow(row as object));
    this.#tableOf(store).set(idKey, { values: membersOf(json), counters: new Map() });
  }

  remove(store: RecordStore, idKey: string): boolean {
    return this.#tableOf(store).delete(idKey);
  }

  list(store: RecordStore): unknown[] {
    return [...this.#tableOf(store).values()].map(({ values }) => store.rows.decode(joinMembers(values)));
  }

  /** Writes a row as it was pending. */
  apply(store: RecordStore, idKey: string, { kind, values, written }: PendingRow): void {
    const table = this.#tableOf(store);
    if (kind !== 'P') table.delete(idKey);
    if (kind === 'D') return;
    const row = table.get(idKey);
    if (row === undefined) table.set(idKey, { values: new Map(values), counters: new Map() });
    else for (const name of written) row.values.set(name, values.get(name) ?? 'null');
  }

  /** False: the counter's row does not exist, and nothing was added. */
  add(store: CounterStore, idKey: string, delta: bigint): boolean {
    const sums = this.#countersOf(store, idKey);
    const place = store.record ? store.name : idKey;
    sums?.set(place, (sums.get(place) ?? store.initial) + delta);
    return sums !== undefined;
  }

  record(store: RecordStore): RecordLoader {
    return async (idKeys) => {
      this.#dependencies.faults.pass('database');
      const table = this.#tableOf(store);
      const found = idKeys.flatMap((idKey): [string, LoadedRow][] => {
        const row = table.get(idKey);
        return row === undefined ? [] : [[idKey, toLoaded(store, joinMembers(row.values))]];
      });
      return new Map(found);
    };
  }

  counter(store: CounterStore): CounterLoader {
    return async (ledgerLane, idKeys) => {
      this.#dependencies.faults.pass('database');
      const values = idKeys.flatMap((idKey): [string, bigint][] => {
        const sums = this.#countersOf(store, idKey);
        const sum = store.record ? sums && (sums.get(store.name) ?? store.initial) : sums?.get(idKey);
        return sum === undefined ? [] : [[idKey, sum]];
      });
      return { batch: this.#dependencies.batchOf(ledgerLane), values: new Map(values) };
    };
  }

  /** Of a record's counter, those of its row; else those of the store. */
  #countersOf({ name, record }: CounterStore, idKey: string): Map<string, bigint> | undefined {
    if (record) return this.#tableOf(record).get(idKey)?.counters;
    const sums = this.#sums.get(name) ?? new Map<string, bigint>();
    this.#sums.set(name, sums);
    return sums;
  }

  #tableOf({ name }: RecordStore): Map<string, TableRow> {
    const table = this.#rows.get(name) ?? new Map<string, TableRow>();
    this.#rows.set(name, table);
    return table;
  }
}

function toLoaded({ rows }: RecordStore, json: string): LoadedRow {
  return { row: rows.decode(json) as object, version: undefined, toJson: () => rows.checked(json) };
}
