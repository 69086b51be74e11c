/** A write behind: the cache at once, the database through the queue. */
import type { Cache } from '../../cache/cache.js';
import type { Key } from '../../cache/cache-service.js';
import { checkKey } from '../../cache/checks.js';
import { toRow, type WriterRow } from '../../definitions/writer.js';
import { ForebayError } from '../../errors.js';
import { checkObject } from '../../given.js';
import type { Receipt } from '../receipts/receipt.js';
import type { RecordClient } from '../stores/record-client.js';
import { claimForWrite, drop, encodeForWrite, fillOrDrop, type WriteValueOptions } from './written-entry.js';

/** The client of a `writer`: `app.stores.<its name>`. */
export type Writer<T> = Pick<RecordClient<WriterRow<T>, WriterRow<T>, string>, 'put'>;

/** Readers wait so long when the process dies in the middle; then they find what is pending. */
const writeLeaseMs = 10_000;

/** See `CachedValues.write`. */
export async function writeBehind<T>(
  cache: Cache,
  key: Key<T>,
  data: T,
  write: Writer<T>,
  options: WriteValueOptions,
): Promise<Receipt> {
  checkObject('What writes a value, when it is no function,', write);
  checkKey(key);
  if (cache.writerOf(key) !== write) throw wrongWriter(key);
  const entry = await encodeForWrite(cache, key, data, options);
  cache.loads.forget(key);
  // First, so that no load from before fills the entry once the value is accepted.
  const token = await claimForWrite(cache, key, writeLeaseMs);
  try {
    const receipt = await write.put(toRow<T>(key, data));
    await fillOrDrop(cache, key, token, entry);
    return receipt;
  } catch (error) {
    await drop(cache, key, error);
    throw error;
  } finally {
    cache.loads.forget(key);
    cache.values.forget(key);
  }
}

/** Readers look for what is pending with the writer whose keys begin as theirs do. */
function wrongWriter(key: string): ForebayError {
  return new ForebayError(
    'INVALID_KEY',
    `The writer does not write key ${key}. Use one whose option "keys" the key begins with.`,
    { context: { key } },
  );
}
