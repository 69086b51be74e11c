/** `connect`: what an app holds: its stores, typed, and the few things that concern all of them. */
import { type Backlog, readBacklog } from '../buffer/backlog.js';
import { dropEntries } from '../buffer/drop-entries.js';
import type { Lane } from '../buffer/lane.js';
import { followLanes } from '../buffer/lane-follower.js';
import { openLanes } from '../buffer/layouts.js';
import { WriteBuffer } from '../buffer/write-buffer.js';
import { type CacheOptions, createCache, createReadingParts } from '../cache/cache.js';
import type { CacheService } from '../cache/cache-service.js';
import { WaitingRoom } from '../cache/reading/waiting-room.js';
import { BatchedGet } from '../cache/redis/batched-get.js';
import { Hottest } from '../cache/redis/hottest.js';
import { RedisTier } from '../cache/redis/redis-tier.js';
import { ServerClock } from '../cache/redis/server-clock.js';
import type { ClientContext } from '../client/context.js';
import { DeadLetters } from '../client/dead-letters.js';
import { PendingValues } from '../client/reading/pending-values.js';
import { RefreshRequests } from '../client/reading/refresh-requests.js';
import { PersistedWatch } from '../client/receipts/persisted.js';
import type { Receipt } from '../client/receipts/receipt.js';
import { ComputedClient } from '../client/stores/computed-client.js';
import { CounterClient } from '../client/stores/counter-client.js';
import { RecordClient } from '../client/stores/record-client.js';
import { type CachedValues, createValues } from '../client/values/values.js';
import { DurableRoute } from '../client/writing/durable-route.js';
import { type StoredClient, Together, type TogetherWrite } from '../client/writing/together.js';
import { tracedWrites } from '../client/writing/traced-writes.js';
import type { WriteOptions } from '../client/writing/write-options.js';
import { WriteQueue } from '../client/writing/write-queue.js';
import { type Config, readConfig } from '../config.js';
import { breakerOf } from '../connection/breaker.js';
import { ConnectionMetrics } from '../connection/connection-metrics.js';
import { getMany, keysTogether } from '../connection/get-many.js';
import { createHealth, type RedisHealth } from '../connection/health.js';
import { openConnections, toReadError } from '../connection/redis.js';
import { checkServer } from '../connection/server-check.js';
import type { Database } from '../database/database.js';
import { readLedgers } from '../database/ledger.js';
import { createLoaders } from '../database/load.js';
import type { ComputedDefinition } from '../definitions/computed.js';
import type { CounterDefinition } from '../definitions/counter.js';
import type { RecordDefinition } from '../definitions/record.js';
import type { Definitions, Stores } from '../definitions/stores.js';
import { closedError } from '../errors.js';
import { logEvents } from '../event-log.js';
import type { Emit } from '../events.js';
import { checkFunction, checkObject } from '../given.js';
import { Listeners } from '../listeners.js';
import { Resources } from '../resources.js';
import type { Trace } from '../trace.js';
import type { Health } from '../vitals/health.js';
import { createWarningLog } from '../warning-log.js';
import { openQueues } from './app-queues.js';
import { vitalsOf } from './app-vitals.js';
import { bindPatterns, type Patterns } from './bound-patterns.js';
import { checkParts } from './check-parts.js';
import { openL1 } from './open-l1.js';
import { closeSamples, sampleReads } from './read-samples.js';

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
  /** Spans of writes: `openTelemetry()` of `forebay/tracing`. Default: none. */
  readonly trace?: Trace;
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

/**
 * What an app holds once it is connected: its stores, reads and writes of cached values, and what concerns
 * all of them.
 */
export interface Forebay<D extends Definitions> extends CachedValues {
  /** A client for each store, by its name in the definitions. */
  readonly stores: StoreClients<D>;
  /**
   * Writes that belong together: of one row of the store `root`, of rows that belong to it (`partitionBy`),
   * and of their counters; at most 1,000, of each record one. All are accepted, or none is; all are committed
   * in one transaction, with what else is pending of them; what the database refuses of them becomes one dead
   * letter.
   * @throws ForebayError as `put`, `patch` and `add` of the stores; ACROSS_AGGREGATES; CONFLICT, when a
   * record is not at the version that its write has; UNKNOWN_STORE
   */
  writeTogether<Root extends keyof D & string>(
    root: Root,
    writes: readonly TogetherWrite<D, Root>[],
    options?: WriteOptions,
  ): Promise<Receipt>;
  /** Single operations on cached values. */
  readonly cache: CacheService;
  /**
   * The functions of `forebay/patterns`, which work with this client. Their positional times are in seconds.
   */
  readonly patterns: Patterns;
  /**
   * Resolves when everything accepted before it, from any process, is in the database.
   * @param options - `timeoutMs`: how long it waits, in ms; default 30,000
   * @throws ForebayError FLUSH_TIMEOUT; the writes are kept. CLOSED, REDIS_UNAVAILABLE
   */
  flush(options?: { timeoutMs?: number }): Promise<void>;
  /**
   * What is accepted and not in the database yet, over all stores and processes. @throws ForebayError
   * REDIS_UNAVAILABLE, REDIS_REFUSED, CLOSED
   */
  backlog(): Promise<Backlog>;
  /** What the database refused. */
  readonly deadLetters: DeadLetters;
  /** How Redis is doing. */
  readonly redis: RedisHealth;
  /** Whether the app is ready: Redis, the queues and the database answer. */
  readonly health: Health;
  /** Tells another listener, too, of everything that happens from now on; returns what ends that. */
  listen(listener: Emit): () => void;
  /**
   * Waits for what is under way, for some seconds at most, then disconnects. Accepted writes need no client
   * to reach the database. Whatever is asked of the client from now on is refused with CLOSED.
   */
  close(): Promise<void>;
}

const flushTimeoutMs = 30_000;
/** For all that is under way when an app closes. */
const closeDeadlineMs = 6_000;
/** For counts of reads that were not sent yet: only a sample of the last seconds. */
const samplesDeadlineMs = 1_000;

/**
 * Connects an app to Redis.
 * @throws ForebayError INVALID_CONFIG, INVALID_VALUE, REDIS_UNAVAILABLE
 */
export async function connect<D extends Definitions>(
  stores: Stores<D>,
  options: ConnectOptions,
): Promise<Forebay<D>> {
  checkParts(stores, options);
  const listeners = new Listeners(options.onEvent ?? logWarnings());
  const { emit } = listeners;
  const resources = new Resources(emit);
  return resources.construct(() => open(stores, { ...options, listeners, emit }, resources), closeDeadlineMs);
}

function logWarnings(): Emit {
  return logEvents(createWarningLog((line) => process.stdout.write(line)));
}

type OpenOptions = ConnectOptions & { readonly listeners: Listeners; readonly emit: Emit };

/**
 * All parts of an app, in order of need: what is to be closed is registered as it is made, and closed in
 * reverse.
 */
async function open<D extends Definitions>(
  stores: Stores<D>,
  options: OpenOptions,
  resources: Resources,
): Promise<Forebay<D>> {
  const base = await openBase(stores, options, resources);
  const writing = createWriting(base, resources);
  const { cache, clients } = await openReading(base, writing, resources);
  const values = createValues(cache);
  const { lanes, routes, buffer, breaker, queues, emit } = base;
  const letters = { queue: queues.deadLetters, wakeUps: queues.wakeUps };
  const vitals = vitalsOf(base.connections, base.database);
  return {
    stores: Object.freeze({ ...writing.clients, ...clients }) as StoreClients<D>,
    writeTogether: (root, writes, writeOptions) =>
      writing.together.write(root, writes as never, writeOptions),
    cache: cache.service,
    ...values,
    patterns: bindPatterns({ cache: cache.service, ...values }),
    async flush(options = {}) {
      checkObject('The options of a flush', options);
      const { timeoutMs = flushTimeoutMs } = options;
      if (resources.areClosed) throw closedError();
      await writing.writes.idle();
      await orReadError(routes.refresh());
      await orReadError(writing.watch.settled(lanes.all, timeoutMs));
    },
    backlog: () =>
      orReadError(
        breaker.run(async () => {
          await routes.refresh();
          return readBacklog(lanes, buffer);
        }),
      ),
    deadLetters: new DeadLetters({ lanes, routes, buffer, breaker, ...letters, emit }),
    redis: createHealth(base.connections.reads, base.metrics),
    health: vitals,
    listen(listener) {
      checkFunction('A listener', listener);
      return options.listeners.add(listener);
    },
    close() {
      vitals.enter('stopping');
      return resources.close(closeDeadlineMs);
    },
  };
}

type Base = Awaited<ReturnType<typeof openBase>>;

/** What everything else stands on: connections, a server that is as it should be, queues, lanes. */
async function openBase(
  stores: Stores,
  { prisma: database, config = readConfig(), cache: cacheOptions = {}, emit, trace }: OpenOptions,
  resources: Resources,
) {
  const { prefix, redis: settings, queueRedis } = config;
  const metrics = new ConnectionMetrics();
  const connections = await resources.connect(
    {
      cache: [settings, 'cache'],
      reads: [settings, 'reads'],
      writes: [settings, 'writes'],
      queue: [queueRedis, 'queue'],
      subscriber: [settings, 'subscriber'],
    },
    metrics,
  );
  const { reads, writes, subscriber, queue } = connections;
  const buffer = new WriteBuffer(reads, prefix);
  await checkServer(reads, emit);
  const lanes = await openLanes(stores, prefix, buffer, emit);
  const routes = followLanes(reads, prefix, { lanes, buffer });
  const queues = await openQueues(stores, { queue, writes, lanes, prefix, emit }, resources);
  const breaker = resources.own('breaker of reads', breakerOf(reads, 'reads', emit), (it) => it.stop());
  const entries = new BatchedGet((keys) => breaker.run(() => getMany(reads, keys)), keysTogether(reads));
  const reading = createReadingParts(new WaitingRoom({ subscriber, prefix, emit }), cacheOptions);
  const shared = { stores, prefix, settings, database, cacheOptions, emit, trace };
  return { ...shared, metrics, connections, lanes, routes, buffer, queues, breaker, entries, reading };
}

type Writing = ReturnType<typeof createWriting>;

/** The way of writes, and the clients of the stores that are written. */
function createWriting(base: Base, resources: Resources) {
  const { stores, prefix, settings, database, emit, metrics, connections, lanes, routes, buffer } = base;
  const { subscriber, reads, writes: redis } = connections;
  const queue = base.queues.wakeUps;
  const ledgerOf = async (lane: Lane) => (await readLedgers(database, prefix, [lane])).get(lane);
  const watch = resources.own(
    'receipts',
    new PersistedWatch({ subscriber, buffer, queue, ledgerOf, prefix, emit }),
    (it) => it.close(),
  );
  const connectDurable = async () =>
    (await openConnections({ durable: [settings, 'writes'] }, emit, { metrics })).durable;
  const durable = resources.own('durable route', new DurableRoute(connectDurable, prefix), (it, ms) =>
    it.close(ms),
  );
  const route = { redis, buffer: new WriteBuffer(redis, prefix) };
  const writes = resources.own(
    'writes',
    new WriteQueue({ route, durable, queue, watch, lanes, routes, emit }),
    (it) => it.close(),
  );
  const receipts = { watch, buffer, emit };
  const traced = tracedWrites(writes, base.trace);
  const loaders = createLoaders(database);
  const dropAll = (lanes: readonly Lane[]) => dropEntries(reads, prefix, lanes);
  const context: ClientContext = {
    ...base,
    redis: reads,
    writes: traced,
    receipts,
    loaders,
    dropEntries: dropAll,
  };
  const clients = [...stores.byName].map(([name, store]): [string, StoredClient] => [
    name,
    store.kind === 'record' ? new RecordClient(context, store) : new CounterClient(context, store),
  ]);
  const byName = Object.fromEntries(clients);
  return { watch, writes, together: new Together(stores, context, byName), clients: byName };
}

/** The cache, and the clients of the stores that are computed. */
async function openReading(base: Base, writing: Writing, resources: Resources) {
  const { stores, prefix, database, cacheOptions, emit, connections, reading } = base;
  const redis = connections.cache;
  const breaker = resources.own('breaker of the cache', breakerOf(redis, 'cache', emit), (it) => it.stop());
  const l1 = await openL1(base, resources);
  const pending = new PendingValues(stores.definitions, writing.clients);
  const pendingOf = (keys: readonly string[]) => pending.of(keys);
  const writerOf = (key: string) => pending.writerOf(key);
  const place = { redis, prefix, breaker };
  const tier = new RedisTier(place);
  const clock = new ServerClock(() => tier.time());
  const parts = { tier, clock, prefix, l1, shared: reading, pendingOf, writerOf, emit };
  const cache = await createCache(resources, parts, cacheOptions);
  const hottest = new Hottest(place);
  const requests = new RefreshRequests({ queue: base.queues.refresh, emit });
  const samples = sampleReads(stores, hottest, emit);
  resources.own('samples of reads', [...samples.values()], closeSamples, samplesDeadlineMs);
  const clients = [...stores.computed].map(([name, store]) => {
    const sample = samples.get(name);
    return [name, new ComputedClient({ cache, prisma: database, requests, hottest, sample }, store)] as const;
  });
  // Closed first: what waits for a load ends at once.
  resources.own('loads', reading, ({ loading, storeLoading }) => {
    loading.close();
    storeLoading.close();
  });
  return { cache, clients: Object.fromEntries(clients) };
}

async function orReadError<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw toReadError(error);
  }
}
