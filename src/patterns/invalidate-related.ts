/** P9: keys and patterns in one call. */
import type { Cache } from '../cache/cache.js';

const glob = /[*?[\]\\]/;

/**
 * Deletes keys, and all keys that match patterns (texts with `*`, `?`, `[…]`). Returns how many there were.
 * @throws ForebayError INVALID_KEY, REDIS_UNAVAILABLE
 */
export async function invalidateRelated(cache: Cache, keysAndPatterns: readonly string[]): Promise<number> {
  const patterns = keysAndPatterns.filter((one) => glob.test(one));
  const keys = keysAndPatterns.filter((one) => !glob.test(one));
  const counts = await Promise.all([
    cache.service.mdelete(keys),
    ...patterns.map((pattern) => cache.service.invalidatePattern(pattern)),
  ]);
  return counts.reduce((sum, count) => sum + count, 0);
}
