/** The values in memory, and the feed that keeps them coherent. */
import type { CacheOptions } from '../cache/cache.js';
import { L1 } from '../cache/memory/l1.js';
import { startInvalidationFeed } from '../connection/invalidation-feed.js';
import type { RedisClient } from '../connection/redis.js';
import type { Emit } from '../events.js';
import { cacheEntryKey, cacheKeyOf } from '../keys.js';
import type { RedisSettings } from '../redis-settings.js';
import type { Resources } from '../resources.js';

export interface L1Needs {
  readonly connections: { readonly cache: RedisClient };
  readonly settings: RedisSettings;
  readonly prefix: string;
  readonly cacheOptions: CacheOptions;
  readonly emit: Emit;
}

/** Undefined: no values are to be kept in memory. */
export async function openL1(
  { connections, settings, prefix, cacheOptions, emit }: L1Needs,
  resources: Resources,
): Promise<L1 | undefined> {
  if (cacheOptions.l1 === false) return undefined;
  const l1 = new L1(cacheOptions.l1);
  const stop = await startInvalidationFeed({
    redis: connections.cache,
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
  return resources.own('values in memory', l1, stop);
}
