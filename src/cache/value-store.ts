/**
 * Values in the cache: looked up, and put there. L1 stands before Redis; what is stale is told apart from what is fresh, and
 * from what must not be served at all.
 */
import type { Emit } from '../events.js';
import { entryTtlMs } from './entry.js';
import type { RedisTier, Seen } from './redis-tier.js';
import { decodePayload, encodePayload, type PayloadOptions } from './serializer.js';
import type { ServerClock } from './server-clock.js';
import type { StatisticsCounter } from './statistics.js';
import { formatValueEntry, type TagVersions, type ValueEntry } from './value-entry.js';

/** What a look at a key found. */
export type Found =
  | { readonly kind: 'fresh'; readonly value: unknown }
  /** `stale`: may be served in grace. Without it there is nothing to serve. */
  | {
      readonly kind: 'missing';
      readonly seen: Seen;
      readonly stale?: ValueEntry;
      /** The token of the lease that stood there. */
      readonly lease?: string;
    }
  /** Redis did not answer. */
  | { readonly kind: 'unknown'; readonly error: unknown };

export interface Life {
  readonly ttlMs: number;
  readonly graceMs: number;
}

export interface ValueStoreDependencies {
  readonly tier: RedisTier;
  readonly clock: ServerClock;
  readonly payload: PayloadOptions;
  readonly statistics: StatisticsCounter;
  readonly emit: Emit;
}

const nothing: Found = { kind: 'missing', seen: 'nothing' };

export class ValueStore {
  readonly #tier: RedisTier;
  readonly #clock: ServerClock;
  readonly #payload: PayloadOptions;
  readonly #statistics: StatisticsCounter;
  readonly #emit: Emit;

  constructor(dependencies: ValueStoreDependencies) {
    this.#tier = dependencies.tier;
    this.#clock = dependencies.clock;
    this.#payload = dependencies.payload;
    this.#statistics = dependencies.statistics;
    this.#emit = dependencies.emit;
  }

  async look(key: string): Promise<Found> {
    const startedAt = performance.now();
    try {
      const { value, lease } = await this.#tier.get(key);
      this.#statistics.took(performance.now() - startedAt);
      const found = value === undefined ? nothing : await this.evaluate(key, value);
      return lease === undefined || found.kind !== 'missing' ? found : { ...found, lease };
    } catch (error) {
      this.#failed(key, error);
      return { kind: 'unknown', error };
    }
  }

  /** Tells whether an entry that was found is fresh. */
  async evaluate(key: string, entry: ValueEntry): Promise<Found> {
    const seen = entry.id === '' ? 'anything' : { id: entry.id };
    try {
      if (entry.tags.size > 0 && !(await this.#areCurrent(entry.tags))) return { kind: 'missing', seen };
    } catch (error) {
      this.#failed(key, error);
      return { kind: 'unknown', error };
    }
    if (entry.freshUntilMs <= this.#clock.now()) return { kind: 'missing', seen, stale: entry };
    try {
      return { kind: 'fresh', value: await this.decode(entry) };
    } catch (error) {
      // Written by another serializer, or damaged: it is loaded anew.
      this.#failed(key, error);
      return { kind: 'missing', seen };
    }
  }

  decode(entry: ValueEntry): unknown | Promise<unknown> {
    return decodePayload(entry.payload, this.#payload.serializer);
  }

  /** The entry's content and life for a value. @throws ForebayError INVALID_VALUE, VALUE_TOO_LARGE */
  async encode(
    key: string,
    value: unknown,
    life: Life,
    tags: TagVersions,
  ): Promise<{ content: string; ttlMs: number }> {
    const payload = await encodePayload(key, value, this.#payload);
    const ttlMs = entryTtlMs(life.ttlMs, false);
    const freshUntilMs = life.graceMs === 0 ? Number.POSITIVE_INFINITY : this.#clock.now() + ttlMs;
    const content =
      Number.isSafeInteger(value) && tags.size === 0 && life.graceMs === 0
        ? payload
        : formatValueEntry({ id: this.#tier.newId(), freshUntilMs, tags, payload });
    return { content, ttlMs: ttlMs + life.graceMs };
  }

  /** A tag whose version is gone may have been invalidated since. */
  async #areCurrent(tags: TagVersions): Promise<boolean> {
    const known = await this.#tier.knownTagVersions([...tags.keys()]);
    for (const [tag, version] of tags) if (known.get(tag) !== version) return false;
    return true;
  }

  #failed(key: string, error: unknown): void {
    this.#statistics.of(key).errors += 1;
    this.#emit({ type: 'cache.failed', key, error });
  }
}
