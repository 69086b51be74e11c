/** The parts of a process's cache, put together. */
import { defaultSerializer, type Serializer } from '../definitions/serializer.js';
import type { Emit } from '../events.js';
import { checkFunction, checkObject, checkWhole } from '../given.js';
import { timerMaxMs } from '../pause.js';
import type { Resources } from '../resources.js';
import { CacheService } from './cache-service.js';
import { explain } from './explain.js';
import type { L1, L1Options } from './memory/l1.js';
import { LeasedLoads } from './reading/leased-loads.js';
import { LoadLimit } from './reading/load-limit.js';
import { Loading } from './reading/loading.js';
import { ReadThrough } from './reading/read-through.js';
import { Recompute } from './reading/recompute.js';
import { Staleness } from './reading/staleness.js';
import type { PendingOf } from './reading/value-port.js';
import type { WaitingRoom } from './reading/waiting-room.js';
import type { Tier } from './redis/redis-tier.js';
import type { ServerClock } from './redis/server-clock.js';
import { StatisticsCounter, tellStatistics } from './statistics.js';
import { ValueStore } from './value-store.js';

/** How an app caches values. */
export interface CacheOptions {
  /** Values as text and back. Default: JSON, and devalue for what JSON would change. */
  readonly serializer?: Serializer;
  /** Larger payloads are compressed. Default 16,384 bytes. */
  readonly compressAboveBytes?: number;
  /** Most bytes of a value as it is stored. Default 1,048,576. */
  readonly valueBytesMax?: number;
  /**
   * Loads of this process under way at once: of values over all keys, and as many of rows and counters over
   * all stores. Default 64.
   */
  readonly loadsMax?: number;
  /** Values in this process's memory; false: none. Default: 10,000 of 64 MiB. */
  readonly l1?: L1Options | false;
  /** How often `cache.statistics` is told, in ms. Default 60,000. */
  readonly statisticsEveryMs?: number;
  /** Loads that may wait for their turn; more are refused with TOO_MANY_LOADS. Default 10,000. */
  readonly waitingLoadsMax?: number;
}

export interface CacheDependencies {
  readonly tier: Tier;
  readonly clock: Pick<ServerClock, 'now' | 'read'>;
  /** None: every read goes to Redis. */
  readonly l1: L1 | undefined;
  readonly shared: ReadingParts;
  readonly prefix: string;
  readonly pendingOf: PendingOf;
  readonly writerOf: WriterOf;
  readonly emit: Emit;
}

/** What the reads of values, rows and counters of a process share. */
export interface ReadingParts {
  /** Of values; their loaders may read stores, whose loads must not wait for them. */
  readonly loading: Loading;
  /** Of rows and counters. */
  readonly storeLoading: Loading;
  /** Where reads wait for what others load. */
  readonly waitingRoom: WaitingRoom;
  readonly statistics: StatisticsCounter;
}

/** The writer with which a key's values are written behind. */
export type WriterOf = (key: string) => object | undefined;

export interface Cache {
  readonly service: CacheService;
  readonly reads: ReadThrough;
  readonly loads: LeasedLoads<unknown>;
  readonly recompute: Recompute;
  readonly values: ValueStore;
  readonly tier: Tier;
  readonly writerOf: WriterOf;
  readonly statistics: StatisticsCounter;
  readonly emit: Emit;
}

/** [least, most] */
const bounds = {
  compressAboveBytes: [0, Number.MAX_SAFE_INTEGER],
  valueBytesMax: [1, Number.MAX_SAFE_INTEGER],
  loadsMax: [1, 1_000_000],
  waitingLoadsMax: [0, Number.MAX_SAFE_INTEGER],
  statisticsEveryMs: [1, timerMaxMs],
} as const;
/** What the memory's index takes is taken at the start. */
const l1Bounds = { entriesMax: [1, 10_000_000], bytesMax: [1, Number.MAX_SAFE_INTEGER] } as const;

/** @throws ForebayError INVALID_VALUE */
function checkOptions(options: CacheOptions): void {
  checkObject('The option cache', options);
  checkBounds(options, bounds);
  const { l1, serializer } = options;
  if (l1 !== undefined && l1 !== false) {
    checkObject('l1, when it is not false,', l1);
    checkBounds(l1, l1Bounds);
  }
  if (serializer === undefined) return;
  checkFunction('The stringify of a serializer', serializer?.stringify);
  checkFunction('The parse of a serializer', serializer?.parse);
}

function checkBounds<O extends object>(
  options: O,
  of: Readonly<Partial<Record<keyof O, readonly [number, number]>>>,
): void {
  for (const name of Object.keys(of) as (keyof O & string)[]) {
    const given = options[name];
    if (given !== undefined) checkWhole(name, given, of[name] as readonly [number, number]);
  }
}

/** @throws ForebayError INVALID_VALUE for options that can't be used */
export function createReadingParts(waitingRoom: WaitingRoom, options: CacheOptions): ReadingParts {
  checkOptions(options);
  const { loadsMax = 64, waitingLoadsMax = 10_000 } = options;
  const createLoading = () => new Loading(new LoadLimit({ loadsMax, waitingMax: waitingLoadsMax }));
  return {
    loading: createLoading(),
    storeLoading: createLoading(),
    waitingRoom,
    statistics: new StatisticsCounter(),
  };
}

/** @throws what Redis throws: its clock is read first */
export async function createCache(
  resources: Resources,
  dependencies: CacheDependencies,
  options: CacheOptions = {},
): Promise<Cache> {
  const { tier, clock, shared, prefix, pendingOf, writerOf, emit, l1 } = dependencies;
  const { loading, statistics } = shared;
  const values = new ValueStore({
    tier,
    clock,
    payload: {
      serializer: options.serializer ?? defaultSerializer,
      compressAboveBytes: options.compressAboveBytes ?? 16_384,
      valueBytesMax: options.valueBytesMax ?? 1_048_576,
    },
    statistics,
    l1,
    emit,
  });
  const loads = new LeasedLoads<unknown>(shared);
  const parts = { tier, values, statistics, pendingOf, emit };
  const reads = new ReadThrough({ parts, loads, staleness: new Staleness(parts) });
  const service = new CacheService({
    prefix,
    tier,
    values,
    loads,
    statistics,
    explain: (key) => explain(key, { tier, values, loading, clock, pendingOf }),
  });
  await clock.read();
  resources.own(
    'statistics',
    tellStatistics(statistics, emit, options.statisticsEveryMs ?? 60_000),
    (stopTelling) => stopTelling(),
  );
  return {
    service,
    reads,
    loads,
    recompute: new Recompute({ parts, loads, loading }),
    values,
    tier,
    writerOf,
    statistics,
    emit,
  };
}
