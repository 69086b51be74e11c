/**
 * Counter stores: integers that grow by deltas, which add up in Redis and reach the database as `col = col +
 * delta`.
 */
import { checkObject } from '../given.js';
import type { Field, IdOf, Model } from './model.js';
import type { BufferOptions, RecordDefinition, StoreOptions, Transaction } from './record.js';

/** What is to be added to one counter. */
export interface CounterDelta {
  /** The counter's id. */
  readonly id: string;
  /** What to add; below 0 to subtract. */
  readonly delta: bigint;
}

/** A counter that is a column of a record store's rows; it shares that store's lanes. */
export interface RecordCounterOptions<R, F extends string> extends StoreOptions {
  /** The record store. */
  readonly of: R;
  /** One of the record store's `counters`. */
  readonly field: F;
}

/** A counter that is a column of a model without a record store. */
export interface ModelCounterOptions<M, F extends string> extends StoreOptions, BufferOptions<IdOf<M>> {
  /** The Prisma model. */
  readonly model: M;
  /** Its field: a required Int or BigInt. */
  readonly field: F;
}

/** A counter with a load and persist of one's own. */
export interface CustomCounterOptions extends StoreOptions, BufferOptions<string> {
  /** The values in the database, by id, read with `tx`; ids without a value are left out. */
  load(ids: readonly string[], tx: Transaction): Promise<ReadonlyMap<string, bigint>>;
  /** Adds the deltas, in the transaction of the ledger. What `tx` throws it must let throw. */
  persist(deltas: readonly CounterDelta[], tx: Transaction): Promise<void>;
}

/**
 * A counter store's definition; the type parameters carry the types of its ids and values, and the definition
 * of the record store whose column it is.
 */
export interface CounterDefinition<Id = unknown, Value = unknown, Of = unknown> {
  /** Tells it from other definitions. */
  readonly kind: 'counter';
  /** As they were given. */
  readonly options: StoreOptions & BufferOptions;
  /** @internal */
  readonly source: CounterSource;
  /** Carries the types; never set. */
  readonly types?: { readonly id: Id; readonly value: Value; readonly of: Of };
}

export type CounterSource = RecordCounterSource | ModelCounterSource | CustomCounterSource;

export interface RecordCounterSource {
  readonly kind: 'record';
  readonly of: RecordDefinition;
  readonly field: string;
}

export interface ModelCounterSource {
  readonly kind: 'model';
  readonly model: Model;
  readonly field: string;
}

export interface CustomCounterSource {
  readonly kind: 'custom';
  load(ids: readonly string[], tx: Transaction): Promise<ReadonlyMap<string, bigint>>;
  persist(deltas: readonly CounterDelta[], tx: Transaction): Promise<void>;
}

/** Names of a row's fields that hold integers. */
export type IntegerField<Row> = {
  [F in keyof Row & string]: Row[F] extends number | bigint ? F : never;
}[keyof Row & string];

/** A counter column of a record store: `counter({ of: projects, field: 'views' })`. */
export function counter<
  Row,
  Input,
  Id,
  Counters,
  F extends keyof Counters & string,
  M = unknown,
  Root = unknown,
>(
  options: RecordCounterOptions<RecordDefinition<Row, Input, Id, Counters, M, Root>, F>,
): CounterDefinition<Id, Counters[F], RecordDefinition<Row, Input, Id, Counters, M, Root>>;
/** A counter column of a Prisma model: `counter({ model: PageViews, field: 'count' })`. */
export function counter<Row, Input, Id, F extends IntegerField<Row>>(
  options: ModelCounterOptions<Model<Row, Input, Id>, F>,
): CounterDefinition<Id, Row[F]>;
/** A counter with a load and persist of one's own. */
export function counter(options: CustomCounterOptions): CounterDefinition<string, bigint>;
export function counter(
  options:
    | RecordCounterOptions<RecordDefinition, string>
    | ModelCounterOptions<Model, string>
    | CustomCounterOptions,
): CounterDefinition {
  checkObject('The options of a counter', options);
  if ('of' in options) {
    const { of, field, ...rest } = options;
    return { kind: 'counter', options: rest, source: { kind: 'record', of, field } };
  }
  if ('model' in options) {
    const { model, field, ...rest } = options;
    return { kind: 'counter', options: rest, source: { kind: 'model', model, field } };
  }
  const { load, persist, ...rest } = options;
  return { kind: 'counter', options: rest, source: { kind: 'custom', load, persist } };
}

/** What an absent counter counts from. */
export function initialOf(field: Field | undefined): bigint {
  return field?.default.kind === 'value' ? BigInt(field.default.value as number) : 0n;
}

/** The field of a counter that is a column of a record store's rows. */
export function recordCounterField(definition: CounterDefinition): Field | undefined {
  const { source } = definition;
  if (source.kind !== 'record' || source.of.source.kind !== 'model') return undefined;
  return source.of.source.model.fields[source.field];
}
