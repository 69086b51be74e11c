/** The patterns of `forebay/patterns`, bound to one client. What each does stands with its function. */
import * as functions from '../patterns.js';

/** The nine patterns, without their option `app`: `app.patterns.cacheAside(key, fetch, ttl)`. */
export type Patterns = typeof functions;

export function bindPatterns(app: functions.PatternClient): Patterns {
  const own = { app };
  const bound = <O extends object>(options: O | undefined): O & typeof own =>
    options === undefined ? (own as O & typeof own) : { ...options, app };
  return {
    cacheAside: (key, fetch, ttl, options) => functions.cacheAside(key, fetch, ttl, bound(options)),
    cacheAsideStale: (key, fetch, ttl, staleTtl, options) =>
      functions.cacheAsideStale(key, fetch, ttl, staleTtl, bound(options)),
    writeThrough: (key, data, write, ttl, options) =>
      functions.writeThrough(key, data, write, ttl, bound(options)),
    writeBehind: (key, data, write, ttl, options) =>
      functions.writeBehind(key, data, write, ttl, bound(options)),
    refreshAhead: (key, fetch, ttl, threshold, options) =>
      functions.refreshAhead(key, fetch, ttl, threshold, bound(options)),
    batchCacheAside: (keys, fetchMissing, ttl, options) =>
      functions.batchCacheAside(keys, fetchMissing, ttl, bound(options)),
    preventStampede: (key, fetch, ttl, options) => functions.preventStampede(key, fetch, ttl, bound(options)),
    multiTierCache: (key, l1Ttl, l2Fetch, options) =>
      functions.multiTierCache(key, l1Ttl, l2Fetch, bound(options)),
    invalidateRelated: (keysAndPatterns, options) =>
      functions.invalidateRelated(keysAndPatterns, bound(options)),
  };
}
