/**
 * `defineStores`: the one module that app and workers share. It names the definitions, checks them, and
 * works out which stores live in the same lanes.
 */
import { checkObject } from '../given.js';
import { bindComputed, type ComputedDefinition, type ComputedStore, computedProblems } from './computed.js';
import { type CounterDefinition, type CounterSource, initialOf, recordCounterField } from './counter.js';
import { generationOf } from './generation.js';
import { type IdCodec, modelIdCodec, stringIdCodec } from './id.js';
import type { Model } from './model.js';
import type {
  BufferOptions,
  Durability,
  ModelSource,
  OnFull,
  OnRedisAway,
  RecordDefinition,
  RecordSource,
  StoreOptions,
} from './record.js';
import { jsonRowCodec, modelRowCodec, type RowCodec } from './row-codec.js';
import { shapeProblems } from './shape-problems.js';
import {
  dependsProblems,
  nameProblems,
  refuse,
  type WrittenDefinitions,
  writtenProblems,
} from './store-problems.js';

/** Definitions of stores, by the names that they are to have. */
export type Definitions = Readonly<Record<string, RecordDefinition | CounterDefinition | ComputedDefinition>>;

/** The stores of an app, by name. Made by `defineStores`. */
export interface Stores<D extends Definitions = Definitions> {
  /** As they were given. */
  readonly definitions: D;
  /** @internal */
  readonly byName: ReadonlyMap<string, Store>;
  /** @internal */
  readonly groups: readonly LaneGroup[];
  /** @internal */
  readonly computed: ReadonlyMap<string, ComputedStore>;
}

export type Store = RecordStore | CounterStore;

export interface RecordStore {
  readonly kind: 'record';
  readonly name: string;
  readonly ttlMs: number;
  readonly onRedisAway: OnRedisAway;
  readonly source: RecordSource;
  /** Whether each write makes an entry. */
  readonly cacheOnWrite: boolean;
  /** The field of the model that holds a row's version. */
  readonly version: string | undefined;
  /** Fields that are never shown nor logged. */
  readonly privateFields: ReadonlySet<string>;
  readonly ids: IdCodec<unknown>;
  readonly rows: RowCodec<unknown, unknown>;
  readonly group: LaneGroup;
}

export interface CounterStore {
  readonly kind: 'counter';
  readonly name: string;
  readonly ttlMs: number;
  readonly onRedisAway: OnRedisAway;
  readonly source: CounterSource;
  readonly ids: IdCodec<unknown>;
  /** The record store whose rows hold the counter. */
  readonly record?: RecordStore;
  /** The value of a new row. */
  readonly initial: bigint;
  /** Whether values are given as bigint rather than number. */
  readonly isBigInt: boolean;
  readonly group: LaneGroup;
}

/**
 * The stores that share lanes: a record store, those whose rows belong to its rows, and the counters of all
 * of them; or a counter store alone.
 */
export interface LaneGroup {
  /** The name of the group's first store; lanes are named `name/partition`. */
  readonly name: string;
  readonly partitions: number;
  readonly delayMs: number;
  readonly minDelayMs: number;
  readonly batchRecordsMax: number;
  readonly dirtyMax: number;
  readonly dirtyBytesMax: number;
  readonly onFull: OnFull;
  readonly onFullWaitMs: number;
  readonly durability: Durability;
  readonly deadLettersMax: number;
  readonly parentWaitMs: number;
  /** Whose what belongs to a row is, by the id key of the row that decides on its lane; see `tenantOf`. */
  readonly tenant: ((rootKey: string) => unknown) | undefined;
  /** The first is the one that the group is named after; parents before their children. */
  readonly records: readonly RecordStore[];
  readonly counters: readonly CounterStore[];
  /** Names of the stores whose ids begin with that of a row of the first one; see `rootKeyOf`. */
  readonly parts: ReadonlySet<string>;
}

/** Of options that a store does not have. */
export const defaults = {
  ttlMs: 900_000,
  onRedisAway: 'reject',
  partitions: 4,
  delayMs: 100,
  batchRecordsMax: 1_000,
  dirtyMax: 100_000,
  dirtyBytesMax: 67_108_864,
  onFull: 'reject',
  onFullWaitMs: 5_000,
  durability: 'memory',
  deadLettersMax: 10_000,
  parentWaitMs: 60_000,
  valueBytesMax: 1_048_576,
} as const;

/**
 * Rows wait so much longer than those that they refer to: a foreign key without its row costs far more. At
 * least, and at most.
 */
const parentLeadMs = { min: 20, max: 50 };

/**
 * Names and checks an app's stores.
 * @throws ForebayError INVALID_DEFINITION, with every problem found
 */
export function defineStores<const D extends Definitions>(definitions: D): Stores<D> {
  checkObject('The definitions of stores', definitions);
  // What has not its shape can't be looked at any further.
  refuse(Object.entries(definitions).flatMap(([name, definition]) => shapeProblems(name, definition)));
  const written = writtenOf(definitions);
  const problems = [...Object.keys(definitions).flatMap(nameProblems), ...writtenProblems(written)];
  const computed = computedOf(definitions);
  for (const [name, definition] of computed)
    problems.push(...computedProblems(name, definition), ...dependsProblems(name, definition, written));
  refuse(problems);
  const groups = [...bindRecords(written), ...bindLoneCounters(written)];
  const stores = groups.flatMap(storesOf);
  return {
    definitions,
    groups,
    byName: new Map(stores.map((store) => [store.name, store])),
    computed: new Map(computed.map(([name, definition]) => [name, bindComputed(name, definition)])),
  };
}

/** All stores of a group: records, then counters. */
export function storesOf({ records, counters }: LaneGroup): Store[] {
  return [...records, ...counters];
}

/** The stores of a group that have rows of their own: records, or a counter that is none of theirs. */
export function rowStoresOf({ records, counters }: LaneGroup): readonly Store[] {
  return records.length > 0 ? records : counters;
}

/** A store, and the counters in its rows. */
export function withCounters(store: Store): Store[] {
  return [store, ...store.group.counters.filter(({ record }) => record === store)];
}

function computedOf(definitions: Definitions): [string, ComputedDefinition][] {
  return Object.entries(definitions).filter(
    (entry): entry is [string, ComputedDefinition] => entry[1].kind === 'computed',
  );
}

function writtenOf(definitions: Definitions): WrittenDefinitions {
  const written = Object.entries(definitions).filter(
    (entry): entry is [string, RecordDefinition | CounterDefinition] => entry[1].kind !== 'computed',
  );
  return Object.fromEntries(written);
}

function bindRecords(definitions: WrittenDefinitions): LaneGroup[] {
  const models = modelsOf(definitions);
  return Object.entries(definitions).flatMap(([name, definition]) => {
    if (definition.kind !== 'record' || rootOf(definition)) return [];
    const generation = generationIn(models, definition);
    const group: Mutable<LaneGroup> = { ...bufferOf(name, definition.options, generation), ...empty };
    const members = [[name, definition] as const, ...membersOf(definition, definitions, models)];
    group.records = members.map(([member, one]) => bindRecord(member, one, group));
    group.tenant = tenantOption(definition.options, (group.records[0] as RecordStore).ids);
    group.counters = members.flatMap(([, one], i) =>
      bindRecordCounters(one, group.records[i] as RecordStore, definitions),
    );
    group.parts = new Set(
      [...group.records.slice(1), ...group.counters.filter(({ record }) => record !== group.records[0])].map(
        (store) => store.name,
      ),
    );
    return [group];
  });
}

const empty = { records: [], counters: [], parts: new Set<string>(), tenant: undefined };

function tenantOption({ tenant }: BufferOptions, ids: IdCodec<unknown>): LaneGroup['tenant'] {
  return tenant && ((rootKey) => tenant(ids.fromKey(rootKey) as never));
}

function generationIn(models: ReadonlyMap<string, Model>, { source }: RecordDefinition): number {
  return source.kind === 'model' ? generationOf(source.model, models) : 0;
}

function rootOf({ source }: RecordDefinition): RecordDefinition | undefined {
  return source.kind === 'model' ? source.partitionBy?.of : undefined;
}

/** Stores whose rows belong to those of a record store; parents before their children. */
function membersOf(
  root: RecordDefinition,
  definitions: WrittenDefinitions,
  models: ReadonlyMap<string, Model>,
): (readonly [name: string, definition: RecordDefinition])[] {
  return Object.entries(definitions)
    .flatMap(([name, one]) => (one.kind === 'record' && rootOf(one) === root ? [[name, one] as const] : []))
    .sort(([, a], [, b]) => generationIn(models, a) - generationIn(models, b));
}

function bindRecordCounters(
  definition: RecordDefinition,
  record: RecordStore,
  definitions: WrittenDefinitions,
): CounterStore[] {
  return Object.entries(definitions).flatMap(([name, other]) =>
    other.kind === 'counter' && other.source.kind === 'record' && other.source.of === definition
      ? [bindRecordCounter(name, other, record)]
      : [],
  );
}

function modelsOf(definitions: WrittenDefinitions): Map<string, Model> {
  const models = Object.values(definitions).flatMap(({ source }) =>
    source.kind === 'model' ? [source.model] : [],
  );
  return new Map(models.map((model) => [model.name, model]));
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function bufferOf(name: string, options: BufferOptions, generation = 0): Omit<LaneGroup, keyof typeof empty> {
  const delayMs = options.delayMs ?? defaults.delayMs + generation * parentLeadMs.max;
  return {
    name,
    partitions: options.partitions ?? defaults.partitions,
    delayMs,
    minDelayMs: options.minDelayMs ?? Math.min(generation * parentLeadMs.min, delayMs),
    batchRecordsMax: options.batchRecordsMax ?? defaults.batchRecordsMax,
    dirtyMax: options.dirtyMax ?? defaults.dirtyMax,
    dirtyBytesMax: options.dirtyBytesMax ?? defaults.dirtyBytesMax,
    onFull: options.onFull ?? defaults.onFull,
    onFullWaitMs: options.onFullWaitMs ?? defaults.onFullWaitMs,
    durability: options.durability ?? defaults.durability,
    deadLettersMax: options.deadLettersMax ?? defaults.deadLettersMax,
    parentWaitMs: options.parentWaitMs ?? defaults.parentWaitMs,
  };
}

function readingOf(options: StoreOptions): Pick<Store, 'ttlMs' | 'onRedisAway'> {
  return {
    ttlMs: options.ttlMs ?? defaults.ttlMs,
    onRedisAway: options.onRedisAway ?? defaults.onRedisAway,
  };
}

function bindRecord(name: string, definition: RecordDefinition, group: LaneGroup): RecordStore {
  const { source, options } = definition;
  const codecOptions = { store: name, valueBytesMax: options.valueBytesMax ?? defaults.valueBytesMax };
  const isModel = source.kind === 'model';
  return {
    kind: 'record',
    name,
    ...readingOf(options),
    cacheOnWrite: options.cacheOnWrite ?? false,
    source,
    version: isModel ? source.version : undefined,
    privateFields: new Set(source.private),
    ids: isModel ? modelIdCodec(name, source.model) : (stringIdCodec(name, source.id) as IdCodec<unknown>),
    rows: isModel
      ? modelRowCodec(source.model, withoutOf(source), { ...codecOptions, renamed: source.renamed ?? {} })
      : jsonRowCodec(codecOptions),
    group,
  };
}

function withoutOf({ counters, version }: ModelSource): string[] {
  return version === undefined ? [...counters] : [...counters, version];
}

function bindRecordCounter(name: string, definition: CounterDefinition, record: RecordStore): CounterStore {
  const field = recordCounterField(definition);
  return {
    kind: 'counter',
    name,
    ...readingOf(definition.options),
    source: definition.source,
    ids: record.ids,
    record,
    initial: initialOf(field),
    isBigInt: field?.type !== 'Int',
    group: record.group,
  };
}

function bindLoneCounters(definitions: WrittenDefinitions): LaneGroup[] {
  return Object.entries(definitions).flatMap(([name, definition]) => {
    if (definition.kind !== 'counter' || definition.source.kind === 'record') return [];
    const { source } = definition;
    const group: Mutable<LaneGroup> = { ...bufferOf(name, definition.options), ...empty };
    const field = source.kind === 'model' ? source.model.fields[source.field] : undefined;
    const counter: CounterStore = {
      kind: 'counter',
      name,
      ...readingOf(definition.options),
      source,
      ids:
        source.kind === 'model'
          ? modelIdCodec(name, source.model)
          : (stringIdCodec(name, 'id') as IdCodec<unknown>),
      initial: initialOf(field),
      isBigInt: field?.type !== 'Int',
      group,
    };
    group.counters = [counter];
    group.tenant = tenantOption(definition.options, counter.ids);
    return [group];
  });
}
