/** `connect`: what an app holds: its stores, typed, and the few things that concern all of them. */
import { Lanes } from '../buffer/lane.js';
import { checkPartitions } from '../buffer/partitions.js';
import { WriteBuffer } from '../buffer/write-buffer.js';
import { type CacheOptions, createLoading } from '../cache/cache.js';
import type { CacheService } from '../cache/cache-service.js';
import type { Loading } from '../cache/reading/loading.js';
import { WaitingRoom } from '../cache/reading/waiting-room.js';
import type { ClientContext } from '../client/context.js';
import { DeadLetters } from '../client/dead-letters.js';
import { PersistedWatch } from '../client/receipts/persisted.js';
import type { ComputedClient } from '../client/stores/computed-client.js';
import { CounterClient } from '../client/stores/counter-client.js';
import { RecordClient } from '../client/stores/record-client.js';
import { type CachedValues, createValues } from '../client/values/values.js';
import { DurableRoute } from '../client/writing/durable-route.js';
import { WriteQueue } from '../client/writing/write-queue.js';
import { type Config, type RedisSettings, readConfig } from '../config.js';
import { breakerOf } from '../connection/breaker.js';
import { ConnectionMetrics } from '../connection/connection-metrics.js';
import { createHealth, type RedisHealth } from '../connection/health.js';
import { closeConnections, openConnections, type RedisClient } from '../connection/redis.js';
import { checkServer } from '../connection/server-check.js';
import type { Database } from '../database/database.js';
import type { ComputedDefinition } from '../definitions/computed.js';
import type { CounterDefinition } from '../definitions/counter.js';
import type { RecordDefinition } from '../definitions/record.js';
import type { Definitions, Stores } from '../definitions/stores.js';
import { ForebayError } from '../errors.js';
import type { Emit } from '../events.js';
import { createLogger, logEvents } from '../logger.js';
import { DeadLetterQueue } from '../queues/dead-letter-queue.js';
import { WriteBehindQueue } from '../queues/write-behind-queue.js';
import { bindPatterns, type Patterns } from './bound-patterns.js';
import { openReading, type Reading } from './open-reading.js';

/** What `connect` needs. */
export interface ConnectOptions {
  /** The app's Prisma client: loads what the cache misses. Stays the app's: `close` leaves it open. */
  readonly prisma: Database;
  /** Default: the environment, see `readConfig`. */
  readonly config?: Pick<Config, 'prefix' | 'redis' | 'queueRedis'>;
  /** How values are cached. Default: see its options. */
  readonly cache?: CacheOptions;
  /** Told of everything that happens. Default: warnings and errors are logged as JSON to standard output. */
  readonly onEvent?: Emit;
}

/** A definition's store as an app holds it. */
export type StoreClient<D> =
  D extends RecordDefinition<infer Row, infer Input, infer Id, unknown>
    ? RecordClient<Row, Input, Id>
    : D extends CounterDefinition<infer Id, infer Value>
      ? CounterClient<Id, Value>
      : D extends ComputedDefinition<infer Value>
        ? ComputedClient<Value>
        : never;

/** The stores of definitions as an app holds them, by name. */
export type StoreClients<D extends Definitions> = { readonly [Name in keyof D]: StoreClient<D[Name]> };

/** What is accepted and not in the database yet, over all stores and processes. */
export interface Backlog {
  /** Records that wait for a batch. */
  readonly dirty: number;
  /** Records in batches that are on their way to the database. */
  readonly sealed: number;
  /** Records that the database refused, kept until they are replayed, superseded or discarded. */
  readonly dead: number;
  /** Age of the oldest dirty or sealed one, in ms; 0 when there is none. */
  readonly oldestDirtyAgeMs: number;
  /** Records that workers have persisted so far. */
  readonly persisted: number;
  /** Batches that workers have persisted so far. */
  readonly batches: number;
}

/** What an app holds once it is connected: its stores, reads and writes of cached values, and what concerns all of them. */
export interface Forebay<D extends Definitions> extends CachedValues {
  /** A client for each store, by its name in the definitions. */
  readonly stores: StoreClients<D>;
  /** Single operations on cached values. */
  readonly cache: CacheService;
  /** The functions of `forebay/patterns`, which work with this client. Their positional times are in seconds. */
  readonly patterns: Patterns;
  /**
   * Resolves when everything accepted before it, from any process, is in the database.
   * @param options - `timeoutMs`: how long it waits, in ms; default 30,000
   * @throws ForebayError FLUSH_TIMEOUT; the writes are kept. CLOSED, REDIS_UNAVAILABLE
   */
  flush(options?: { timeoutMs?: number }): Promise<void>;
  /** What is accepted and not in the database yet, over all stores and processes. @throws ForebayError REDIS_UNAVAILABLE */
  backlog(): Promise<Backlog>;
  /** What the database refused. */
  readonly deadLetters: DeadLetters;
  /** How Redis is doing. */
  readonly redis: RedisHealth;
  /** Waits for what is under way, for some seconds at most, then disconnects. Accepted writes need no client to reach the database. */
  close(): Promise<void>;
}

const flushTimeoutMs = 30_000;
/** For commands under way when an app closes. */
const closeDeadlineMs = 5_000;

/**
 * Connects an app to Redis.
 * @throws ForebayError INVALID_CONFIG, REDIS_UNAVAILABLE, PARTITIONS_CHANGED
 */
export async function connect<D extends Definitions>(
  stores: Stores<D>,
  options: ConnectOptions,
): Promise<Forebay<D>> {
  const { prefix, redis: settings, queueRedis } = options.config ?? readConfig();
  const emit = options.onEvent ?? logEvents(createLogger({ name: 'forebay', level: 'warn' }));
  const metrics = new ConnectionMetrics();
  const connections = await openConnections(connectionsOf(settings, queueRedis), emit, metrics);
  const { reads } = connections;
  const writing = createWriting(stores, {
    connections,
    connectDurable: async () =>
      (await openConnections({ durable: [settings, 'writes'] }, emit, metrics)).durable,
    prefix,
    database: options.prisma,
    loading: createLoading(options.cache ?? {}),
    emit,
  });
  const { context, queue, deadLetterQueue, watch, durable } = writing;
  const { lanes, buffer, writes, breaker, loading } = context;
  const clients = createWrittenClients(stores, context);
  let reading: Reading;
  try {
    await checkServer(reads, emit);
    await checkPartitions(reads, stores, prefix, buffer);
    reading = await openReading(stores, {
      context,
      connections,
      settings,
      clients,
      cache: options.cache ?? {},
    });
  } catch (error) {
    await closeConnections(connections, closeDeadlineMs);
    throw error;
  }
  const { cache } = reading;
  const values = createValues(cache);
  let isClosed = false;
  return {
    stores: Object.freeze({ ...clients, ...reading.clients }) as StoreClients<D>,
    cache: cache.service,
    ...values,
    patterns: bindPatterns({ cache: cache.service, ...values }),
    async flush({ timeoutMs = flushTimeoutMs } = {}) {
      if (isClosed) throw new ForebayError('CLOSED', 'This client is closed.');
      await writes.idle();
      await watch.settled(lanes.all, timeoutMs);
    },
    backlog: () => readBacklog(lanes, buffer),
    deadLetters: new DeadLetters({ lanes, buffer, queue: deadLetterQueue, wakeUps: queue, emit }),
    redis: createHealth(reads, metrics),
    async close() {
      if (isClosed) return;
      isClosed = true;
      loading.close();
      await reading.close();
      await writes.idle();
      watch.close();
      breaker.stop();
      await Promise.all([queue.close(), deadLetterQueue.close(), durable.close(closeDeadlineMs)]);
      await closeConnections(connections, closeDeadlineMs);
    },
  };
}

function connectionsOf(settings: RedisSettings, queueRedis: RedisSettings) {
  return {
    cache: [settings, 'cache'],
    reads: [settings, 'reads'],
    writes: [settings, 'writes'],
    queue: [queueRedis, 'queue'],
    subscriber: [settings, 'subscriber'],
  } as const;
}

/** What carries an app's writes. */
interface Writing {
  readonly context: ClientContext;
  readonly queue: WriteBehindQueue;
  readonly deadLetterQueue: DeadLetterQueue;
  readonly watch: PersistedWatch;
  readonly durable: DurableRoute;
}

interface WritingOptions {
  readonly connections: Readonly<Record<'reads' | 'writes' | 'queue' | 'subscriber', RedisClient>>;
  readonly connectDurable: () => Promise<RedisClient>;
  readonly prefix: string;
  readonly database: Database;
  readonly loading: Loading;
  readonly emit: Emit;
}

function createWriting(
  stores: Stores,
  { connections, connectDurable, prefix, database, loading, emit }: WritingOptions,
): Writing {
  const { reads, writes: redis, subscriber } = connections;
  const lanes = new Lanes(stores, prefix);
  const buffer = new WriteBuffer(reads, prefix);
  const queue = new WriteBehindQueue(connections.queue, prefix, emit);
  const deadLetterQueue = new DeadLetterQueue(connections.queue, prefix, emit);
  const watch = new PersistedWatch({ subscriber, buffer, queue, prefix, emit });
  const route = { redis, buffer: new WriteBuffer(redis, prefix) };
  const durable = new DurableRoute(connectDurable, prefix);
  const breaker = breakerOf(reads, 'reads', emit);
  const writes = new WriteQueue({ route, durable, queue, watch, emit });
  const receipts = { watch, buffer };
  const waitingRoom = new WaitingRoom({ subscriber, prefix, emit });
  const reading = { redis: reads, buffer, breaker, database, loading, waitingRoom };
  const context = { ...reading, prefix, lanes, writes, receipts, emit };
  return { context, queue, deadLetterQueue, watch, durable };
}

function createWrittenClients(stores: Stores, context: ClientContext): Record<string, unknown> {
  const clients = [...stores.byName].map(([name, store]) => [
    name,
    store.kind === 'record' ? new RecordClient(context, store) : new CounterClient(context, store),
  ]);
  return Object.fromEntries(clients);
}

async function readBacklog(lanes: Lanes, buffer: WriteBuffer): Promise<Backlog> {
  const states = await Promise.all(lanes.all.map((lane) => buffer.inspect(lane)));
  const sum = (pick: (state: (typeof states)[number]) => number): number =>
    states.reduce((total, state) => total + pick(state), 0);
  return {
    dirty: sum((state) => state.dirty),
    sealed: sum((state) => state.sealed),
    dead: sum((state) => state.dead),
    oldestDirtyAgeMs: Math.max(0, ...states.map((state) => state.ageMs)),
    persisted: sum((state) => state.persisted),
    batches: sum((state) => state.batches),
  };
}
