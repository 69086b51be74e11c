/** The cache of a test's app, and the clients of its computed stores: the true ones, over memory. */
import type { CacheOptions, ReadingParts } from '../../cache/cache.js';
import { type Cache, createCache } from '../../cache/cache.js';
import { L1 } from '../../cache/memory/l1.js';
import { PendingValues } from '../../client/reading/pending-values.js';
import { RefreshRequests } from '../../client/reading/refresh-requests.js';
import { ComputedClient } from '../../client/stores/computed-client.js';
import type { Stores } from '../../definitions/stores.js';
import type { Emit } from '../../events.js';
import { cacheKeyOf } from '../../keys.js';
import type { RefreshJob } from '../../queues/refresh-job.js';
import type { Resources } from '../../resources.js';
import type { TestClock } from '../clock.js';
import type { Faults } from '../faults.js';
import type { MemoryBus } from './bus.js';
import { MemoryEntries } from './entries.js';
import { MemoryTier } from './tier.js';

export interface MemoryReadingOptions {
  readonly stores: Stores;
  readonly prefix: string;
  readonly prisma: unknown;
  readonly cacheOptions: CacheOptions;
  readonly reading: ReadingParts;
  readonly clock: TestClock;
  readonly faults: Faults;
  readonly bus: MemoryBus;
  readonly emit: Emit;
  /** Clients of the stores that are written, by name. */
  readonly written: Readonly<Record<string, unknown>>;
}

type Clients = Record<string, ComputedClient<unknown>>;

export async function openMemoryReading(
  options: MemoryReadingOptions,
  resources: Resources,
): Promise<{ cache: Cache; clients: Clients }> {
  const { stores, prefix, prisma, cacheOptions, reading, clock, faults, bus, emit, written } = options;
  const l1 = openL1(options);
  const entries = new MemoryEntries(clock, (key) => l1?.invalidate(cacheKeyOf(prefix, key)));
  const pending = new PendingValues(stores.definitions, written);
  const cache = await createCache(
    resources,
    {
      tier: new MemoryTier({ entries, clock, faults, bus, prefix }),
      clock: { now: () => clock.now(), read: async () => undefined },
      prefix,
      l1,
      shared: reading,
      pendingOf: (keys) => pending.of(keys),
      writerOf: (key) => pending.writerOf(key),
      emit,
    },
    cacheOptions,
  );
  const clients: Clients = {};
  const requests = new RefreshRequests({ queue: refreshAtOnce(clients, emit), emit });
  for (const [name, store] of stores.computed) {
    const { hottest, sample } = countReads();
    clients[name] = new ComputedClient({ cache, prisma, requests, hottest, sample }, store);
  }
  return { cache, clients };
}

/** What is moved past by the clock is not served from the process's memory either. */
function openL1({ cacheOptions, clock }: MemoryReadingOptions): L1 | undefined {
  if (cacheOptions.l1 === false) return undefined;
  const l1 = new L1(cacheOptions.l1);
  l1.open();
  clock.onAdvance(() => l1.clear());
  return l1;
}

/** In place of a refresh worker: in the background of the read that found the value due. */
function refreshAtOnce(clients: Clients, emit: Emit) {
  return {
    async add({ store, id, seen, ttlMs }: RefreshJob): Promise<void> {
      const [outcome] = (await clients[store]?.computeSuccessors([{ id, seen }], ttlMs)) ?? [];
      if (typeof outcome !== 'object') return;
      emit({ type: 'refresh.failed', store, id, attempt: 1, retryMs: 0, error: outcome.error });
    },
    waiting: async () => 0,
  };
}

/** Of one store; in a test there are few, so all are counted. */
function countReads() {
  const counts = new Map<string, number>();
  const hotter = ([, one]: [string, number], [, other]: [string, number]): number => other - one;
  return {
    sample: { count: (id: string) => void counts.set(id, (counts.get(id) ?? 0) + 1) },
    hottest: {
      top: async (_store: string, max: number) =>
        [...counts]
          .sort(hotter)
          .slice(0, max)
          .map(([id]) => id),
    },
  };
}
