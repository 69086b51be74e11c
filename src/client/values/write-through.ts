/** A write through the cache: cache and database agree when it returns. */
import type { Cache } from '../../cache/cache.js';
import type { Key } from '../../cache/cache-service.js';
import { claimForWrite, drop, encodeForWrite, fillOrDrop, type WriteValueOptions } from './written-entry.js';

/** Longer than a write to the database should take: readers wait so long when the writer's process dies. */
const writeLeaseMs = 10_000;

/** See `CachedValues.write`. */
export async function writeThrough<T>(
  cache: Cache,
  key: Key<T>,
  data: T,
  write: (data: T) => Promise<unknown>,
  options: WriteValueOptions,
): Promise<T> {
  // Before the write: what can't be cached is not written either, and an invalidation during it makes the
  // value stale.
  const entry = await encodeForWrite(cache, key, data, options);
  cache.loads.forget(key);
  const token = await claimForWrite(cache, key, writeLeaseMs);
  try {
    await write(data);
    await fillOrDrop(cache, key, token, entry);
    return data;
  } catch (error) {
    await drop(cache, key, error);
    throw error;
  } finally {
    cache.loads.forget(key);
    cache.values.forget(key);
  }
}
