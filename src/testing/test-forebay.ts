/** `createTestForebay`: the same API as `connect`, in memory: no Redis, no Postgres, no workers. */
import { bindPatterns } from '../app/bound-patterns.js';
import type { Forebay, StoreClients } from '../app/connect.js';
import { readBacklog } from '../buffer/backlog.js';
import { type CacheOptions, createReadingParts } from '../cache/cache.js';
import { WaitingRoom } from '../cache/reading/waiting-room.js';
import { DeadLetters } from '../client/dead-letters.js';
import { createValues } from '../client/values/values.js';
import type { RedisHealth } from '../connection/health.js';
import type { RecordDefinition } from '../definitions/record.js';
import type { Definitions, RecordStore, Stores } from '../definitions/stores.js';
import { closedError, ForebayError } from '../errors.js';
import type { Emit } from '../events.js';
import { Listeners } from '../listeners.js';
import { Resources } from '../resources.js';
import { Vitals } from '../vitals/health.js';
import { TestClock } from './clock.js';
import { type FaultPlace, Faults } from './faults.js';
import { MemoryBus } from './memory/bus.js';
import { openMemoryReading } from './memory/reading.js';
import type { MemoryTables } from './memory/tables.js';
import { openMemoryWriting } from './memory/writing.js';

/** Names of record stores. */
export type RecordNames<D extends Definitions> = {
  [Name in keyof D & string]: D[Name] extends RecordDefinition<infer _R, infer _I, infer _Id, unknown>
    ? Name
    : never;
}[keyof D & string];

/** A row of a record store, as reads give it. */
export type RowOf<Definition> =
  Definition extends RecordDefinition<infer Row, infer _I, infer _Id, unknown> ? Row : never;

/** A row of a record store, as writes take it. */
export type InputOf<Definition> =
  Definition extends RecordDefinition<infer _R, infer Input, infer _Id, unknown> ? Input : never;

/** How a test's app is made. */
export interface TestForebayOptions {
  /** What loaders of computed stores get as `prisma`. Default: undefined. */
  readonly prisma?: unknown;
  /** How values are cached. Default: as of `connect`. */
  readonly cache?: CacheOptions;
  /** Told of everything that happens. Default: nobody. */
  readonly onEvent?: Emit;
}

/** What stands for the database: rows by store. */
export interface TestDatabase<D extends Definitions> {
  /** All rows that are persisted, without their counters. */
  rows<Name extends RecordNames<D>>(store: Name): RowOf<D[Name]>[];
  /** Writes rows as another program would: no entry is dropped. */
  insert<Name extends RecordNames<D>>(store: Name, ...rows: InputOf<D[Name]>[]): void;
}

/** An app in memory: what `connect` gives, and what a test wants besides. */
export interface TestForebay<D extends Definitions> extends Forebay<D> {
  /** By which entries end, values go stale and delays are over. */
  readonly clock: TestClock;
  /** What is persisted. */
  readonly database: TestDatabase<D>;
  /**
   * Has the next calls fail.
   * @param place - `redis`: of writes, reads of the cache and leases; `database`: of loads and flushes
   * @param error - default: what a server that is away is told as
   * @param times - how many calls, one after the other; 0: none any more. Default 1
   */
  failNext(place: FaultPlace, error?: unknown, times?: number): void;
}

const prefix = 'test';
const flushTimeoutMs = 30_000;
const closeDeadlineMs = 1_000;

/**
 * An app in memory, ready in a few ms. Stores with a `load` and `persist` of their own keep their rows in
 * memory too: these are not called.
 */
export async function createTestForebay<D extends Definitions>(
  stores: Stores<D>,
  options: TestForebayOptions = {},
): Promise<TestForebay<D>> {
  const { prisma, cache: cacheOptions = {}, onEvent = () => undefined } = options;
  const listeners = new Listeners(onEvent);
  const { emit } = listeners;
  const [clock, faults, bus] = [new TestClock(), new Faults(), new MemoryBus()];
  const resources = new Resources(emit);
  resources.own('memory', faults, (it) => it.close());
  const reading = createReadingParts(new WaitingRoom({ subscriber: bus, prefix, emit }), cacheOptions);
  const base = { stores, prefix, reading, clock, faults, bus, emit };
  const writing = openMemoryWriting(base, resources);
  const written = writing.clients;
  const { cache, clients } = await openMemoryReading({ ...base, prisma, cacheOptions, written }, resources);
  resources.own('loads', reading, ({ loading, storeLoading }) => {
    loading.close();
    storeLoading.close();
  });
  const values = createValues(cache);
  const { lanes, buffer, worker } = writing;
  const vitals = new Vitals();
  vitals.enter('started');
  return {
    stores: Object.freeze({ ...written, ...clients }) as StoreClients<D>,
    writeTogether: (root, writes, writeOptions) =>
      writing.together.write(root, writes as never, writeOptions),
    cache: cache.service,
    ...values,
    patterns: bindPatterns({ cache: cache.service, ...values }),
    async flush({ timeoutMs = flushTimeoutMs } = {}) {
      if (resources.areClosed) throw closedError();
      await writing.writes.idle();
      await writing.watch.settled(lanes.all, timeoutMs);
    },
    backlog: () => readBacklog(lanes, buffer),
    deadLetters: new DeadLetters({ lanes, buffer, breaker, queue, wakeUps: worker, emit }),
    redis: memoryHealth,
    health: vitals,
    listen: (listener) => listeners.add(listener),
    close() {
      vitals.enter('stopping');
      return resources.close(closeDeadlineMs);
    },
    clock,
    database: databaseOf<D>(stores, writing.tables),
    failNext: (place, error, times) => faults.failNext(place, error, times),
  };
}

/** Memory is never away, and nobody shows its letters. */
const breaker = { run: <T>(call: () => Promise<T>) => call() };
const queue = { hide: async () => undefined };

function databaseOf<D extends Definitions>(stores: Stores<D>, tables: MemoryTables): TestDatabase<D> {
  const storeOf = (name: string): RecordStore => {
    const store = stores.byName.get(name);
    if (store?.kind === 'record') return store;
    throw new ForebayError('UNKNOWN_STORE', `There is no record store "${name}".`);
  };
  return {
    rows: <Name extends RecordNames<D>>(name: Name) => tables.list(storeOf(name)) as RowOf<D[Name]>[],
    insert(name, ...rows) {
      for (const row of rows) tables.insert(storeOf(name), row);
    },
  };
}

/** Memory is always there, and costs no call. */
const memoryHealth: RedisHealth = {
  isRedisAvailable: async () => true,
  testRedisConnection: async () => ({ ok: true, latencyMs: 0 }),
  getRedisInfo: async () => ({
    version: 'memory',
    mode: 'memory',
    role: 'master',
    servers: 1,
    uptimeSeconds: process.uptime(),
    connectedClients: 1,
    commandsPerSecond: 0,
    commandsProcessed: 0,
  }),
  getRedisMemoryStats: async () => ({
    usedBytes: 0,
    peakBytes: 0,
    maxBytes: 0,
    usedShare: undefined,
    fragmentationRatio: 1,
    policy: 'noeviction',
    evictedKeys: 0,
    expiredKeys: 0,
  }),
  getRedisMetrics: () => ({
    connections: 1,
    reconnects: 0,
    errors: 0,
    commands: 0,
    uptimeMs: process.uptime() * 1_000,
  }),
};
