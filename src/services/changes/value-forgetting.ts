/** Drops computed values: entries beside the lanes, with the leases in their places. */
import type { RedisClient } from '../../connection/redis.js';
import { scanKeys } from '../../connection/scan.js';
import type { ComputedStore } from '../../definitions/computed.js';
import { isForebayError } from '../../errors.js';
import { cacheEntryKey } from '../../keys.js';
import type { Touched } from './touched.js';

/** An id that no value has: what of a key is not of it is the same for all of the store's. */
const anyId = 'forebay-any-id';

export class ValueForgetting {
  readonly #redis: RedisClient;
  readonly #prefix: string;

  constructor({ redis, prefix }: { readonly redis: RedisClient; readonly prefix: string }) {
    this.#redis = redis;
    this.#prefix = prefix;
  }

  async forget(values: Touched<ComputedStore>): Promise<void> {
    await Promise.all(
      [...values.entries()].map(([store, ids]) =>
        ids === 'all' ? this.forgetAll(store) : this.#forget(store, ids),
      ),
    );
  }

  async forgetAll({ options }: ComputedStore): Promise<void> {
    const pattern = escaped(this.#entryKeyOf(options.key(anyId))).replaceAll(anyId, '*');
    // Keys of one call may be in several slots of a cluster.
    for await (const keys of scanKeys(this.#redis, pattern)) await this.#unlink(keys);
  }

  async #forget({ options }: ComputedStore, ids: ReadonlySet<string>): Promise<void> {
    await this.#unlink([...ids].flatMap((id) => keysOf(() => this.#entryKeyOf(options.key(id)))));
  }

  async #unlink(keys: readonly string[]): Promise<void> {
    await Promise.all(keys.map((key) => this.#redis.unlink(key)));
  }

  #entryKeyOf(key: string): string {
    return cacheEntryKey(this.#prefix, key);
  }
}

/** None for an id that no value can have. */
function keysOf(make: () => string): string[] {
  try {
    return [make()];
  } catch (error) {
    if (isForebayError(error)) return [];
    throw error;
  }
}

/** In Redis's patterns. */
const escaped = (text: string): string => text.replace(/[\\*?[\]]/g, String.raw`\$&`);
