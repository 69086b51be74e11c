/** A loader of one key as a loader of many. */
import type { LoadMany } from '../cache/loading.js';
import type { Fetch } from './cache-aside.js';

export function loadOne<T>(key: string, fetch: Fetch<T>): LoadMany<T> {
  return async (_keys, context) => {
    const value = await fetch(context);
    return value === null || value === undefined ? new Map() : new Map([[key, value]]);
  };
}
