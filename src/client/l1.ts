/** The values in an app's memory, with the feed that keeps them coherent. */
import { L1, type L1Options } from '../cache/l1.js';
import type { RedisSettings } from '../config.js';
import { startInvalidationFeed } from '../connection/invalidation-feed.js';
import type { Emit } from '../events.js';
import { cacheEntryKey, cacheKeyOf } from '../keys.js';

export interface ConnectL1Options {
  readonly settings: RedisSettings;
  readonly prefix: string;
  readonly options: L1Options;
  readonly emit: Emit;
}

/** @throws ForebayError REDIS_UNAVAILABLE */
export async function connectL1({
  settings,
  prefix,
  options,
  emit,
}: ConnectL1Options): Promise<{ l1: L1; stop: () => void }> {
  const l1 = new L1(options);
  const stop = await startInvalidationFeed({
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
