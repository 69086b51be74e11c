/** A loader of one key as a loader of many. */
import type { LoadContext, LoadMany } from '../cache/reading/loading.js';

/** Loads a value; null or undefined: there is none. */
export type Fetch<T> = (context: LoadContext) => Promise<T | null | undefined>;

export function loadOne<T>(key: string, fetch: Fetch<T>): LoadMany<T> {
  return async (_keys, context) => {
    const value = await fetch(context);
    return value === null || value === undefined ? new Map() : new Map([[key, value]]);
  };
}
