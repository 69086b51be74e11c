/** An app's cache: its parts, the values in memory, and the feed that keeps those coherent. */
import { type Cache, type CacheOptions, createCache, type WriterOf } from '../cache/cache.js';
import { L1, type L1Options } from '../cache/memory/l1.js';
import type { Loading } from '../cache/reading/loading.js';
import type { PendingOf } from '../cache/reading/refill.js';
import type { WaitingRoom } from '../cache/reading/waiting-room.js';
import type { RedisSettings } from '../config.js';
import { startInvalidationFeed } from '../connection/invalidation-feed.js';
import type { RedisClient } from '../connection/redis.js';
import type { Emit } from '../events.js';
import { cacheEntryKey, cacheKeyOf } from '../keys.js';

export interface OpenCacheOptions {
  readonly redis: RedisClient;
  readonly waitingRoom: WaitingRoom;
  readonly loading: Loading;
  /** Where the feed connects to. */
  readonly settings: RedisSettings;
  readonly prefix: string;
  readonly options: CacheOptions;
  readonly pendingOf: PendingOf;
  readonly writerOf: WriterOf;
  readonly emit: Emit;
}

/** @throws ForebayError REDIS_UNAVAILABLE */
export async function openCache({ settings, options, ...dependencies }: OpenCacheOptions): Promise<Cache> {
  const near =
    options.l1 === false
      ? undefined
      : await connectL1({ ...dependencies, settings, options: options.l1 ?? {} });
  const cache = await createCache({ ...dependencies, l1: near?.l1 }, options);
  return {
    ...cache,
    close() {
      near?.stop();
      cache.close();
    },
  };
}

interface ConnectL1Options {
  readonly redis: RedisClient;
  readonly settings: RedisSettings;
  readonly prefix: string;
  readonly options: L1Options;
  readonly emit: Emit;
}

async function connectL1({
  redis,
  settings,
  prefix,
  options,
  emit,
}: ConnectL1Options): Promise<{ l1: L1; stop: () => void }> {
  const l1 = new L1(options);
  const stop = await startInvalidationFeed({
    redis,
    settings,
    prefix: cacheEntryKey(prefix, ''),
    listener: {
      onInvalidated: (entryKey) => l1.invalidate(cacheKeyOf(prefix, entryKey)),
      onFlushed: () => l1.clear(),
      onReady: () => {
        l1.open();
        emit({ type: 'l1.opened' });
      },
      onLost: () => {
        l1.close();
        emit({ type: 'l1.closed' });
      },
    },
    emit,
  });
  return { l1, stop };
}
