/** P3: cache and database agree when it returns. */
import type { Cache } from '../cache/cache.js';
import { checkedTtlMs, type Key, type SetOptions } from '../cache/cache-service.js';
import type { TagVersions } from '../cache/entry/value-entry.js';
import { toReadError } from '../connection/redis.js';
import { claimForWrite, drop, fillOrDrop } from './written-entry.js';

/** Longer than a write to the database should take: readers wait so long when the writer's process dies. */
const writeLeaseMs = 10_000;

/**
 * Writes to the database, then to the cache. Readers wait meanwhile, and loads that were under way fill nothing. A write that
 * fails leaves no entry; a process that dies leaves none either once its lease is over.
 * @param write writes `data` to the database
 * @param ttl in seconds; default: the key's own, else 900
 * @throws what `write` throws; ForebayError INVALID_KEY, INVALID_VALUE, VALUE_TOO_LARGE, and REDIS_UNAVAILABLE before anything was written
 */
export async function writeThrough<T>(
  cache: Cache,
  key: Key<T>,
  data: T,
  write: (data: T) => Promise<unknown>,
  ttl?: number,
  { tags = [] }: SetOptions = {},
): Promise<T> {
  // Before the write: what can't be cached is not written either, and an invalidation during it makes the value stale.
  const ttlMs = checkedTtlMs(key, ttl);
  const versions = await tagVersions(cache, tags);
  const entry = await cache.values.encode(key, data, { ttlMs, graceMs: 0 }, versions);
  cache.refill.forget(key);
  const token = await claimForWrite(cache, key, writeLeaseMs);
  try {
    await write(data);
    await fillOrDrop(cache, key, token, entry);
    return data;
  } catch (error) {
    await drop(cache, key, error);
    throw error;
  } finally {
    cache.refill.forget(key);
    cache.values.forget(key);
  }
}

async function tagVersions(cache: Cache, tags: readonly string[]): Promise<TagVersions> {
  try {
    return await cache.tier.tagVersions(tags);
  } catch (error) {
    throw toReadError(error);
  }
}
