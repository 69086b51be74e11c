/** P6: one read for all hits, one load for all misses. */
import type { Cache } from '../cache/cache.js';
import { checkKey, type Key } from '../cache/cache-service.js';
import type { LoadContext } from '../cache/reading/loading.js';
import { ForebayError } from '../errors.js';
import { type CacheAsideOptions, readOptions } from './cache-aside.js';

/** The values of the keys that exist, by key; or a value for each key in their order, null where there is none. */
export type FetchMissing<T> = (
  keys: string[],
  context: LoadContext,
) => Promise<ReadonlyMap<string, T> | readonly (T | null | undefined)[]>;

/**
 * Values in the order of `keys`, null where there is none. A key that another batch loads at the same time is loaded once; absent ones are remembered.
 * @param ttl in seconds; default: the first key's own, else 900
 * @throws what `fetchMissing` throws; as `cacheAside`
 */
export async function batchCacheAside<T>(
  cache: Cache,
  keys: readonly Key<T>[],
  fetchMissing: FetchMissing<T>,
  ttl?: number,
  options: CacheAsideOptions = {},
): Promise<(T | null)[]> {
  const [first] = keys;
  if (first === undefined) return [];
  for (const key of keys) checkKey(key);
  const load = async (missing: readonly string[], context: LoadContext) =>
    toMap(missing, await fetchMissing([...missing], context));
  return cache.reads.readMany(keys, load, readOptions(first, ttl, options));
}

function toMap<T>(
  keys: readonly string[],
  values: ReadonlyMap<string, T> | readonly (T | null | undefined)[],
): ReadonlyMap<string, T> {
  if (values instanceof Map) return values;
  const list = values as readonly (T | null | undefined)[];
  if (list.length !== keys.length) {
    throw new ForebayError(
      'INVALID_VALUE',
      `fetchMissing gave ${list.length} values for ${keys.length} keys. Give one for each, in their order, or a Map.`,
    );
  }
  const pairs = keys.map((key, i) => [key, list[i]] as const);
  return new Map(
    pairs.filter((pair): pair is readonly [string, T & {}] => pair[1] !== null && pair[1] !== undefined),
  );
}
