/** Record stores: rows by id, of a Prisma model by name, or with a load and persist of one's own. */
import { checkObject } from '../given.js';
import type { IdOf, Model } from './model.js';

/** Options that every kind of store has; each has a default. */
export interface StoreOptions {
  /** Life of an entry in the cache, in ms. Default 900,000 (15 minutes). */
  readonly ttlMs?: number;
  /** What reads do while Redis is away. Default 'reject'. */
  readonly onRedisAway?: OnRedisAway;
}

/** Options of a record store's cache. */
export interface RecordCacheOptions extends StoreOptions {
  /**
   * Whether each write makes an entry in the cache. Default false: a write changes the entry that is there;
   * where nobody has read the row, it takes no memory twice, and the first reader makes the entry. True for
   * rows that are read soon after they were written, and whose first reader is not to wait for the database.
   */
  readonly cacheOnWrite?: boolean;
}

/**
 * - `reject`: they fail, for nobody knows what is accepted and not in the database yet
 * - `load`: they give what the database has, though it may lack what was accepted last
 */
export type OnRedisAway = 'reject' | 'load';

/**
 * - `memory`: accepted by Redis, and as safe as its own persistence makes it
 * - `replicated`: also received by a replica (WAIT)
 * - `fsynced`: also in the append-only file on disk (WAITAOF, Redis 7.2 or newer)
 * - `database`: in the database
 */
export type Durability = 'memory' | 'replicated' | 'fsynced' | 'database';

/** What a write of a further record does when its lane is full: fail with BACKLOG_FULL, or wait for room. */
export type OnFull = 'reject' | 'wait';

/**
 * How writes wait and are flushed. A counter of a record's column takes them from its record store. The type
 * parameter carries the type of the ids.
 */
export interface BufferOptions<Id = never> {
  /**
   * Lanes of the store: how many batches can be under way at once. The first number of a new store, default
   * 4; later `forebay lanes STORE N` changes it.
   */
  readonly partitions?: number;
  /**
   * From one batch of a lane to the next, in ms, at most: as long as the batch took, and once more for each
   * 100 records that it had. So an idle database has a write in milliseconds, and a busy one gets fewer,
   * larger batches, whose writes coalesce.
   * Default 100, and 50 more for each generation of parents among the stores.
   */
  readonly delayMs?: number;
  /**
   * How long a write waits at least, in ms, however idle the database is, and as much longer as the time from
   * batch to batch: for rows that are written again and again, whose writes are to cost the database little.
   * Default 0, and 20 more for each generation of
   * parents among the stores, `delayMs` at most.
   */
  readonly minDelayMs?: number;
  /** Most records in a batch; fewer while the database is slow. Default 1,000. */
  readonly batchRecordsMax?: number;
  /**
   * Most dirty records in a lane; at it, writes of further records are refused. For all lanes together: times
   * `partitions`. Default 100,000.
   */
  readonly dirtyMax?: number;
  /** Most bytes of a lane's dirty records; as for `dirtyMax`. Default 67,108,864 (64 MiB). */
  readonly dirtyBytesMax?: number;
  /**
   * What a write of a further record does when its lane is full, or Redis's memory: fail at once, or wait for
   * room. Default 'reject'.
   */
  readonly onFull?: OnFull;
  /** How long it waits, in ms. Default 5,000. */
  readonly onFullWaitMs?: number;
  /** How safe a write is when it returns. Default 'memory'. */
  readonly durability?: Durability;
  /**
   * Most dead letters of a lane; with as many, a batch with refused records holds up its lane. Default
   * 10,000.
   */
  readonly deadLettersMax?: number;
  /**
   * How long a record may wait for a row that it refers to, in ms; then it becomes a dead letter. Default
   * 60,000.
   */
  readonly parentWaitMs?: number;
  /** Most bytes of a row's JSON. Default 1,048,576 (1 MiB). */
  readonly valueBytesMax?: number;
  /**
   * Whose a record is, by its id: 1 to 200 characters. Where a lane is crowded, a tenant that has had its
   * share of the next batch waits, and delays nobody else; it may fill half of the lane (`dirtyMax`), so it
   * meets BACKLOG_FULL alone. Default: none, and records are flushed in the order of their writes.
   */
  readonly tenant?: (id: Id) => string;
}

/** A transaction of the Prisma client; annotate with your client's own `Prisma.TransactionClient`. */
export interface Transaction {
  /** Runs a statement; returns how many rows it touched. */
  $executeRawUnsafe(sql: string, ...values: unknown[]): Promise<number>;
  /** Runs a query; returns its rows. */
  $queryRawUnsafe<T = unknown>(sql: string, ...values: unknown[]): Promise<T>;
}

/** What a persist of one's own is given: records of one lane, each at most once. */
export interface RecordBatch<Row, Id> {
  /** The lane, `store/number`. */
  readonly lane: string;
  /** The batch's number: it only grows within its lane. */
  readonly number: bigint;
  /** Ids to delete, before anything is put: a row in both is deleted and made anew. */
  readonly deletes: readonly Id[];
  /** Rows to insert, or to replace when they are there; each id at most once. */
  readonly puts: readonly Row[];
}

/** A store of a Prisma model's rows. */
export interface ModelRecordOptions<M, C extends string, V extends string, P = unknown>
  extends RecordCacheOptions,
    BufferOptions<IdOf<M>> {
  /** The Prisma model, as forebay's generator wrote it. */
  readonly model: M;
  /** Fields that counter stores own: left out of the store's rows, and never overwritten by a put. */
  readonly counters?: readonly C[];
  /**
   * A required BigInt field for the version of a row's last write: a row is then only replaced or deleted by
   * a newer write. Left out of the store's rows. Other programs that write the rows must set it to µs since
   * 1970. Default: none.
   */
  readonly version?: V;
  /**
   * What fields were called in an older release of the definition, by what they are called now: `{ title:
   * 'name' }`. Rows of another release that still wait are adapted by it. Default: none.
   */
  readonly renamed?: Readonly<Record<string, string>>;
  /** Fields that are never shown on the board nor logged. Default: none. */
  readonly private?: readonly string[];
  /**
   * The record store whose rows these belong to, by the id's first field, which has the id of such a row:
   * `{ orderId: orders }`. That row, these, and the counters of all of them are an aggregate: they are in one
   * lane, all that is pending of them is committed in one transaction, and refused as a whole; see
   * `writeTogether`. How they wait and are flushed is the other store's to say. Default: none.
   */
  readonly partitionBy?: P;
}

/** The store of the rows that others belong to, by the first field of their ids. */
export type PartitionBy<Id> = { readonly [F in keyof Id & string]?: RecordDefinition };

/** A store with a load and persist of one's own. */
export interface CustomRecordOptions<Row, IdField extends keyof Row & string>
  extends RecordCacheOptions,
    BufferOptions<string> {
  /** The field of a row that is its id; a string. */
  readonly id: IdField;
  /** Loads rows by id, in any order; ids without a row are left out. */
  load(ids: readonly string[]): Promise<readonly Row[]>;
  /**
   * Writes a batch, in the transaction of the ledger: it commits whole or not at all. What `tx` throws it
   * must let throw, for Postgres has undone the transaction by that. Of a batch that fails, parts are tried
   * until the bad records are found.
   */
  persist(batch: RecordBatch<Row, string>, tx: Transaction): Promise<void>;
  /** Fields that are never shown on the board nor logged. Default: none. */
  readonly private?: readonly string[];
}

/**
 * A record store's definition. The type parameters carry the types of its rows, inputs, ids and counters,
 * its Prisma model, and the definition of the store that its rows belong to.
 */
export interface RecordDefinition<
  Row = unknown,
  Input = unknown,
  Id = unknown,
  Counters = unknown,
  M = unknown,
  Root = unknown,
> {
  /** Tells it from other definitions. */
  readonly kind: 'record';
  /** As they were given. */
  readonly options: RecordCacheOptions & BufferOptions;
  /** @internal */
  readonly source: RecordSource;
  /** Carries the types; never set. */
  readonly types?: {
    readonly row: Row;
    readonly input: Input;
    readonly id: Id;
    readonly counters: Counters;
    readonly model: M;
    readonly root: Root;
  };
}

export type RecordSource = ModelSource | CustomRecordSource;

export interface ModelSource {
  readonly kind: 'model';
  readonly model: Model;
  readonly counters: readonly string[];
  readonly version?: string;
  readonly renamed?: Readonly<Record<string, string>>;
  readonly private?: readonly string[];
  readonly partitionBy?: PartitionSource;
}

/** The id's field that has the id of another store's row. */
export interface PartitionSource {
  readonly field: string;
  readonly of: RecordDefinition;
}

export interface CustomRecordSource {
  readonly kind: 'custom';
  readonly id: string;
  readonly private?: readonly string[];
  load(ids: readonly string[]): Promise<readonly object[]>;
  persist(batch: RecordBatch<unknown, string>, tx: Transaction): Promise<void>;
}

/** A store of a Prisma model's rows: `record({ model: Task })`. Loading and persisting are generated. */
export function record<
  Row,
  Input,
  Id,
  const C extends keyof Row & string = never,
  V extends keyof Row & string = never,
  Name extends string = string,
  const P extends PartitionBy<Id> = Record<never, never>,
>(
  options: ModelRecordOptions<Model<Row, Input, Id, Name>, C, V, P>,
): RecordDefinition<
  Omit<Row, C | V>,
  Omit<Input, C | V>,
  Id,
  Pick<Row, C>,
  Model<Row, Input, Id, Name>,
  P[keyof P]
>;
/** A store with a load and persist of one's own; its rows are plain JSON. */
export function record<Row extends object, IdField extends keyof Row & string>(
  options: CustomRecordOptions<Row, IdField>,
): RecordDefinition<Row, Row, string, object>;
export function record(
  options:
    | ModelRecordOptions<Model, string, string, Readonly<Record<string, RecordDefinition>>>
    | (RecordCacheOptions & BufferOptions & Omit<CustomRecordSource, 'kind'>),
): RecordDefinition {
  checkObject('The options of a record', options);
  if ('model' in options) {
    const {
      model,
      counters = [],
      version,
      renamed,
      private: hidden = [],
      partitionBy = {},
      ...rest
    } = options;
    const [root] = Object.entries(partitionBy).map(([field, of]) => ({ field, of }));
    const source: ModelSource = {
      kind: 'model',
      model,
      counters,
      private: hidden,
      ...(version === undefined ? {} : { version }),
      ...(renamed === undefined ? {} : { renamed }),
      ...(root === undefined ? {} : { partitionBy: root }),
    };
    return { kind: 'record', options: rest, source };
  }
  const { id, load, persist, private: hidden = [], ...rest } = options;
  const source: CustomRecordSource = { kind: 'custom', id, private: hidden, load, persist };
  return { kind: 'record', options: rest, source };
}
