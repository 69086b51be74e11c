/** The entry of a value that is being written: reserved before the write, filled or dropped after it. */
import type { Cache } from '../../cache/cache.js';
import { checkedLifeMs, checkTags } from '../../cache/checks.js';
import type { TagVersions } from '../../cache/entry/value-entry.js';
import { toReadError } from '../../connection/redis.js';
import { checkObject } from '../../given.js';

/** How a value that is written is kept in the cache. */
export interface WriteValueOptions {
  /** How long it is fresh, in ms. Default: the key's own, else 900,000. */
  readonly ttlMs?: number;
  /** The value is stale once one of them is invalidated (`app.cache.invalidateTag`). Default: none. */
  readonly tags?: readonly string[];
}

/**
 * What is to stand in the cache after the write. @throws ForebayError INVALID_KEY, INVALID_VALUE,
 * VALUE_TOO_LARGE, REDIS_UNAVAILABLE
 */
export async function encodeForWrite(
  cache: Cache,
  key: string,
  data: unknown,
  options: WriteValueOptions,
): Promise<{ content: string; ttlMs: number }> {
  checkObject('The options of a write', options);
  const { ttlMs, tags = [] } = options;
  const life = { ttlMs: checkedLifeMs(key, ttlMs), graceMs: 0 };
  return cache.values.encode(key, data, life, await tagVersions(cache, tags));
}

async function tagVersions(cache: Cache, tags: readonly string[]): Promise<TagVersions> {
  checkTags(tags);
  try {
    return await cache.tier.tagVersions(tags);
  } catch (error) {
    throw toReadError(error);
  }
}

/**
 * The lease's token. What stood there is gone: whatever becomes of the write, nobody reads it again. @throws
 * ForebayError REDIS_UNAVAILABLE
 */
export async function claimForWrite(cache: Cache, key: string, leaseMs: number): Promise<string> {
  try {
    const claim = await cache.tier.claim(key, 'write', leaseMs);
    return claim.kind === 'lease' ? claim.token : '';
  } catch (error) {
    throw toReadError(error);
  }
}

/** After the write: it stands whether or not the cache has it. */
export async function fillOrDrop(
  cache: Cache,
  key: string,
  token: string,
  entry: { content: string; ttlMs: number },
): Promise<void> {
  try {
    const isFilled = await cache.tier.fill(key, token, entry.content, entry.ttlMs);
    // Another writer's lease, or a reader's that began when ours was over: what it fills may be older than
    // this write.
    if (!isFilled) await cache.tier.delete([key]);
    cache.statistics.of(key).sets += 1;
  } catch (error) {
    // The lease covers nothing, and ends by itself.
    cache.emit({ type: 'cache.failed', key, error });
  }
}

/**
 * After a write that failed, and may have been done all the same: nothing may stand in the cache that was
 * loaded before.
 */
export async function drop(cache: Cache, key: string, cause: unknown): Promise<void> {
  try {
    await cache.tier.delete([key]);
  } catch (error) {
    // The lease covers nothing, and ends by itself.
    cache.emit({ type: 'cache.failed', key, error: new AggregateError([cause, error], 'a write failed') });
  }
}
