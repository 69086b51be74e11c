/** A model whose rows a store of the app has: what the cache gives of it, and how its entries are dropped. */
import { CounterClient } from '../client/stores/counter-client.js';
import { RecordClient } from '../client/stores/record-client.js';
import type { Model } from '../definitions/model.js';
import type { ModelSource } from '../definitions/record.js';
import type { RecordStore } from '../definitions/stores.js';
import { isForebayError } from '../errors.js';
import { type Args, isObject } from './prisma-client.js';

type AnyRecordClient = RecordClient<object, object, unknown>;
type AnyCounterClient = CounterClient<unknown, number | bigint>;

export class CoveredModel {
  readonly model: Model;
  readonly client: AnyRecordClient;
  readonly store: RecordStore;
  readonly #source: ModelSource;
  /** Of the fields that other stores count. */
  readonly #counters: ReadonlyMap<string, AnyCounterClient>;

  constructor(client: AnyRecordClient, source: ModelSource, counters: readonly AnyCounterClient[]) {
    this.client = client;
    this.store = client.store;
    this.model = source.model;
    this.#source = source;
    this.#counters = new Map(
      counters.flatMap((counter) => {
        const { record, source: counted } = counter.store;
        return record === client.store && counted.kind === 'record' ? [[counted.field, counter]] : [];
      }),
    );
  }

  /** Whether the app's stores have the field: not a version, nor a counter that has no store. */
  holds(field: string): boolean {
    if (!Object.hasOwn(this.model.fields, field)) return false;
    if (this.#source.counters.includes(field)) return this.#counters.has(field);
    return field !== this.#source.version;
  }

  /** Rows with these fields, null where there is none. @throws as the stores' `getMany` */
  async read(ids: readonly unknown[], fields: readonly string[]): Promise<(Args | null)[]> {
    const counted = fields.filter((field) => this.#counters.has(field));
    const [rows, ...counts] = await Promise.all([
      this.client.getMany(ids) as Promise<(Args | null)[]>,
      ...counted.map((field) => (this.#counters.get(field) as AnyCounterClient).getMany(ids)),
    ]);
    return rows.map((row, i) => {
      if (row === null) return null;
      const whole = { ...row, ...Object.fromEntries(counted.map((field, c) => [field, counts[c]?.[i]])) };
      return Object.fromEntries(fields.map((field) => [field, (whole as Args)[field]]));
    });
  }

  /** Of an id as a unique `where` has it; undefined when it has more, or less. */
  idOf(where: unknown): unknown {
    const [only, ...more] = isObject(where) ? Object.entries(where) : [];
    if (only === undefined || more.length > 0) return undefined;
    const [name, value] = only;
    const { id } = this.model;
    if (id.length === 1) return name === id[0] && isScalar(value) ? value : undefined;
    if (Object.hasOwn(this.model.fields, name) || !isObject(value)) return undefined;
    const isWhole = Object.keys(value).length === id.length && id.every((field) => isScalar(value[field]));
    return isWhole ? value : undefined;
  }

  /** Undefined where the row lacks a part of it. */
  keyOfRow(row: unknown): string | undefined {
    if (!isObject(row) || this.model.id.some((field) => !isScalar(row[field]))) return undefined;
    return this.keyOf(this.store.ids.ofRow(row));
  }

  /** Undefined for an id that no row can have. */
  keyOf(id: unknown): string | undefined {
    try {
      return this.store.ids.toKey(id);
    } catch (error) {
      if (isForebayError(error, 'INVALID_ID')) return undefined;
      throw error;
    }
  }
}

const isScalar = (value: unknown): boolean => ['string', 'number', 'bigint'].includes(typeof value);

/** The models that an app's stores have, by name. */
export function coveredModels(stores: object): Map<string, CoveredModel> {
  const clients = Object.values(stores) as unknown[];
  const counters = clients.filter((client) => client instanceof CounterClient) as AnyCounterClient[];
  return new Map(
    clients.flatMap((client): [string, CoveredModel][] => {
      if (!(client instanceof RecordClient)) return [];
      const { source } = client.store as RecordStore;
      if (source.kind !== 'model') return [];
      return [[source.model.name, new CoveredModel(client as AnyRecordClient, source, counters)]];
    }),
  );
}
