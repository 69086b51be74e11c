/** An app's reads of cached values: the cache, the clients of computed stores, and what these tell workers. */
import type { Cache, CacheOptions } from '../cache/cache.js';
import { Hottest } from '../cache/redis/hottest.js';
import type { ClientContext } from '../client/context.js';
import { PendingValues } from '../client/reading/pending-values.js';
import { ReadSample } from '../client/reading/read-sample.js';
import { RefreshRequests } from '../client/reading/refresh-requests.js';
import { ComputedClient } from '../client/stores/computed-client.js';
import type { RedisSettings } from '../config.js';
import { inTime } from '../connection/deadline.js';
import type { RedisClient } from '../connection/redis.js';
import type { Stores } from '../definitions/stores.js';
import type { Emit } from '../events.js';
import { RefreshQueue } from '../queues/refresh-queue.js';
import { openCache } from './open-cache.js';

/** For counts of reads that were not sent yet. */
const samplesDeadlineMs = 1_000;

export interface Reading {
  readonly cache: Cache;
  /** Of computed stores. */
  readonly clients: Record<string, ComputedClient<unknown>>;
  close(): Promise<void>;
}

export interface ReadingOptions {
  readonly context: ClientContext;
  readonly connections: Readonly<Record<'cache' | 'queue', RedisClient>>;
  readonly settings: RedisSettings;
  /** Of the stores that are written. */
  readonly clients: Record<string, unknown>;
  readonly cache: CacheOptions;
}

/** @throws ForebayError REDIS_UNAVAILABLE */
export async function openReading(
  stores: Stores,
  { context, connections, settings, clients, cache: options }: ReadingOptions,
): Promise<Reading> {
  const { prefix, database, waitingRoom, loading, emit } = context;
  const pending = new PendingValues(stores.definitions, clients);
  const cache = await openCache({
    redis: connections.cache,
    waitingRoom,
    loading,
    settings,
    prefix,
    pendingOf: (keys) => pending.of(keys),
    writerOf: (key) => pending.writerOf(key),
    options,
    emit,
  });
  const queue = new RefreshQueue(connections.queue, prefix, emit);
  const requests = new RefreshRequests({ queue, emit });
  const hottest = new Hottest(connections.cache, prefix);
  const samples = sampleReads(stores, hottest, emit);
  const computed = [...stores.computed].map(([name, store]) => {
    const sample = samples.get(name);
    return [name, new ComputedClient({ cache, prisma: database, requests, hottest, sample }, store)] as const;
  });
  return {
    cache,
    clients: Object.fromEntries(computed),
    async close() {
      await inTime(
        Promise.all([...samples.values()].map((sample) => sample.close())),
        samplesDeadlineMs,
      ).catch(
        () => undefined, // Only a sample of the last seconds is lost.
      );
      cache.close();
      await queue.close();
    },
  };
}

/** Of stores whose hottest values are warmed. */
function sampleReads(stores: Stores, hottest: Hottest, emit: Emit): Map<string, ReadSample> {
  const samples = [...stores.computed.values()].flatMap(({ name, warm }): [string, ReadSample][] =>
    warm?.list === 'hottest'
      ? [[name, new ReadSample({ store: name, halfLifeMs: warm.halfLifeMs, hottest, emit })]]
      : [],
  );
  return new Map(samples);
}
