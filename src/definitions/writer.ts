/**
 * Registered writers: what `writeBehind` names, as code can't cross to the workers that carry its writes to
 * the database.
 */

import { ForebayError } from '../errors.js';
import { checkFunction, checkObject, quoted } from '../given.js';
import { type BufferOptions, type RecordDefinition, record, type Transaction } from './record.js';
import { defaultSerializer } from './serializer.js';

/** A value that a writer is to write. */
export interface WrittenValue<T> {
  /** The key that it was written under. */
  readonly key: string;
  /** The value, as it was given. */
  readonly data: T;
}

/** A written value as it waits: the data is text, which keeps Dates and the like. */
export interface WriterRow<T> {
  /** The key that it was written under. */
  readonly key: string;
  /** The data as text. */
  readonly text: string;
  /** Carries the type; never set. */
  readonly type?: T;
}

/** What a writer is. */
export interface WriterOptions<T> extends BufferOptions<string> {
  /** What the keys begin with, `namespace:what`: those whose values this writer writes. */
  readonly keys: string;
  /**
   * Writes values, each key at most once and the newest of each, in one transaction: it commits whole or not
   * at all.
   */
  write(values: readonly WrittenValue<T>[], tx: Transaction): Promise<void>;
}

/** A writer's definition, for `defineStores`. */
export interface WriterDefinition<T> extends RecordDefinition<WriterRow<T>, WriterRow<T>, string, object> {
  /** What its keys begin with. */
  readonly writerOf: string;
}

/**
 * What was written is in the database soon after it stops to be pending, so that its entry need not live
 * longer.
 */
const entryTtlMs = 1_000;

/**
 * A writer, to be given to `defineStores`: `writer<Profile>({ keys: 'user:profile', write: async (values, tx)
 * => … })`.
 * @throws ForebayError INVALID_DEFINITION
 */
export function writer<T>(given: WriterOptions<T>): WriterDefinition<T> {
  checkObject('The options of a writer', given);
  const { keys, write, ...options } = given;
  if (typeof keys !== 'string' || !/^[^:]+:[^:]+$/.test(keys)) {
    throw new ForebayError(
      'INVALID_DEFINITION',
      `A writer's keys must be "namespace:what", not ${quoted(keys)}.`,
    );
  }
  checkFunction(`The write of writer ${keys}`, write);
  const definition = record<WriterRow<T>, 'key'>({
    ...options,
    id: 'key',
    ttlMs: entryTtlMs,
    onRedisAway: 'reject',
    load: async () => [],
    persist: ({ puts }, tx) => write(puts.map(toValue), tx),
  });
  return { ...definition, writerOf: keys };
}

export function toRow<T>(key: string, data: T): WriterRow<T> {
  return { key, text: defaultSerializer.stringify(data) };
}

export function toValue<T>({ key, text }: WriterRow<T>): WrittenValue<T> {
  return { key, data: defaultSerializer.parse(text) as T };
}

export function isWriter(definition: object): definition is WriterDefinition<unknown> {
  return 'writerOf' in definition;
}
