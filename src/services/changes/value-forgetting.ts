/** Drops computed values: entries beside the lanes, with the leases in their places. */
import type { RedisClient } from '../../connection/redis.js';
import { scanKeys } from '../../connection/scan.js';
import { definedNamespaces } from '../../definitions/cache-key.js';
import type { ComputedStore } from '../../definitions/computed.js';
import { isForebayError } from '../../errors.js';
import type { Emit } from '../../events.js';
import { cacheEntryKey } from '../../keys.js';
import type { Touched } from './touched.js';

/** Ids that no value has tell where a store's keys begin. Some keys take numbers only. */
const anyIds = ['forebay-any-id', '7301994055'] as const;

export interface ValueForgettingDependencies {
  readonly redis: RedisClient;
  readonly prefix: string;
  readonly emit: Emit;
}

export class ValueForgetting {
  readonly #dependencies: ValueForgettingDependencies;

  constructor(dependencies: ValueForgettingDependencies) {
    this.#dependencies = dependencies;
  }

  async forget(values: Touched<ComputedStore>): Promise<void> {
    await Promise.all(
      [...values.entries()].map(([store, ids]) =>
        ids === 'all' ? this.forgetAll(store) : this.#forget(store, ids),
      ),
    );
  }

  /** What a key makes of an id is not known, but how it begins: all that begin so are dropped. */
  async forgetAll(store: ComputedStore): Promise<void> {
    for (const pattern of this.#patternsOf(store)) {
      // Keys of one call may be in several slots of a cluster.
      for await (const keys of scanKeys(this.#dependencies.redis, pattern)) await this.#unlink(keys);
    }
  }

  async #forget(store: ComputedStore, ids: ReadonlySet<string>): Promise<void> {
    let keys: string[];
    try {
      keys = [...ids].flatMap((id) => keysOf(store, id));
    } catch (error) {
      this.#unknown(store, error);
      return this.forgetAll(store);
    }
    await this.#unlink(keys.map((key) => cacheEntryKey(this.#dependencies.prefix, key)));
  }

  async #unlink(keys: readonly string[]): Promise<void> {
    await Promise.all(keys.map((key) => this.#dependencies.redis.unlink(key)));
  }

  /** Where the key takes none of the ids: all that `cacheKeys` makes. */
  #patternsOf(store: ComputedStore): string[] {
    let failure: unknown;
    for (const id of anyIds) {
      try {
        return [this.#patternOf(store.options.key(id), id)];
      } catch (error) {
        if (isForebayError(error, 'INVALID_ID')) return [this.#allOf(`${error.context.of}:`)];
        failure = error;
      }
    }
    this.#unknown(store, failure);
    return [...definedNamespaces()].map((namespace) => this.#allOf(`${namespace}:`));
  }

  /** Of a key that `cacheKeys` makes: `namespace:what:*`. */
  #patternOf(key: string, id: string): string {
    const [start] = /^[^:]*:[^:]*:/.exec(key) ?? [];
    if (start && !start.includes(id)) return this.#allOf(start);
    return escaped(cacheEntryKey(this.#dependencies.prefix, key)).replaceAll(id, '*');
  }

  #allOf(start: string): string {
    return `${escaped(cacheEntryKey(this.#dependencies.prefix, start))}*`;
  }

  #unknown({ name }: ComputedStore, error: unknown): void {
    this.#dependencies.emit({ type: 'changes.ids-unknown', store: name, error });
  }
}

/** None for an id that no value can have. */
function keysOf({ options }: ComputedStore, id: string): string[] {
  try {
    return [options.key(id)];
  } catch (error) {
    if (isForebayError(error)) return [];
    throw error;
  }
}

/** In Redis's patterns. */
const escaped = (text: string): string => text.replace(/[\\*?[\]]/g, String.raw`\$&`);
