/** The one way in which an app reads cached values, and the one in which it writes them. */
import type { Cache } from '../../cache/cache.js';
import type { Key } from '../../cache/cache-service.js';
import type { Receipt } from '../receipts/receipt.js';
import { type Load, type LoadMissing, type ReadValueOptions, readValue, readValues } from './read.js';
import { type Writer, writeBehind } from './write-behind.js';
import { writeThrough } from './write-through.js';
import type { WriteValueOptions } from './written-entry.js';

/**
 * Reads and writes of cached values. All times are in ms. The patterns of `forebay/patterns` are settings of
 * these.
 */
export interface CachedValues {
  /**
   * The cached value; else the one that `load` gives, called once for all callers of all processes; null when
   * there is none. A value that can't be cached (the serializer refuses it, or it is larger than
   * `valueBytesMax`) is returned all the same, and told once as `value.not-cached`. A Redis that is away is
   * no error: `load` is called.
   * @throws what `load` throws, when there is no value in grace; ForebayError INVALID_KEY, INVALID_VALUE (an
   * option out of its range), LOAD_TIMEOUT, TOO_MANY_LOADS, CLOSED; the signal's reason
   */
  read<T>(key: Key<T>, load: Load<T>, options?: ReadValueOptions): Promise<T | null>;
  /**
   * Values in the order of `keys`, null where there is none: one round trip for all hits, one load for all
   * misses. A key that another batch loads at the same time is loaded once. Without `ttlMs`, the first key's
   * own life counts for all.
   * @throws what `loadMissing` throws; as `read`; INVALID_VALUE for a list that is longer or shorter than its
   * keys
   */
  readMany<T>(
    keys: readonly Key<T>[],
    loadMissing: LoadMissing<T>,
    options?: ReadValueOptions,
  ): Promise<(T | null)[]>;
  /**
   * Writes to the database by calling `write`, then to the cache: both agree when it returns `data`. Readers
   * wait meanwhile, and loads that were under way fill nothing. A write that fails leaves no entry; a process
   * that dies leaves none either, once its lease is over after 10 s.
   * @throws what `write` throws; before anything was written: ForebayError INVALID_KEY, INVALID_VALUE,
   * VALUE_TOO_LARGE, REDIS_UNAVAILABLE
   */
  write<T>(
    key: Key<T>,
    data: T,
    write: (data: T) => Promise<unknown>,
    options?: WriteValueOptions,
  ): Promise<T>;
  /**
   * Accepts a value: it is in the cache when it returns, and workers carry it to the database with a
   * registered `writer` (`app.stores.<its name>`), coalesced with other writes of the key. Readers that miss
   * it in the cache find it pending.
   * @throws as `put` of a record store; ForebayError INVALID_KEY (also for a key that is not the writer's),
   * INVALID_VALUE, VALUE_TOO_LARGE, REDIS_UNAVAILABLE
   */
  write<T>(key: Key<T>, data: T, writer: Writer<T>, options?: WriteValueOptions): Promise<Receipt>;
}

export function createValues(cache: Cache): CachedValues {
  const noOptions = {};
  function write<T>(
    key: Key<T>,
    data: T,
    write: (data: T) => Promise<unknown>,
    options?: WriteValueOptions,
  ): Promise<T>;
  function write<T>(key: Key<T>, data: T, writer: Writer<T>, options?: WriteValueOptions): Promise<Receipt>;
  function write<T>(
    key: Key<T>,
    data: T,
    to: ((data: T) => Promise<unknown>) | Writer<T>,
    options: WriteValueOptions = noOptions,
  ): Promise<T | Receipt> {
    return typeof to === 'function'
      ? writeThrough(cache, key, data, to, options)
      : writeBehind(cache, key, data, to, options);
  }
  return {
    read: (key, load, options = noOptions) => readValue(cache, key, load, options),
    readMany: (keys, loadMissing, options = noOptions) => readValues(cache, keys, loadMissing, options),
    write,
  };
}
