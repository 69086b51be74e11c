/** What libraries that know keys and values only are given of the cache. */
import type { CacheService } from '../cache/cache-service.js';

/** What they need of a client; what `connect` gives has it. */
export interface CacheClient {
  /** Single operations on cached values. */
  readonly cache: CacheService;
}

/** Of values without a life of their own: the longest that forebay allows. */
export const longestTtlSeconds = 10 * 365 * 86_400;

/** The glob pattern of all keys that begin so. */
export function startingWith(start: string): string {
  return `${start.replace(/[\\*?[\]]/g, String.raw`\$&`)}*`;
}

/** Keys that begin so, each once. */
export async function keysStartingWith({ cache }: CacheClient, start: string): Promise<string[]> {
  const found = new Set<string>();
  for await (const key of cache.scanPattern(startingWith(start))) found.add(key);
  return [...found];
}
