/**
 * Values in the cache: looked up, and put there. L1 stands before Redis; what is stale is told apart from
 * what is fresh, and from what must not be served at all.
 */

import { LRUCache } from 'lru-cache';
import { entryTtlMs } from '../definitions/entry-ttl.js';
import type { Emit } from '../events.js';
import { tagMark } from '../keys.js';
import { freezeDeep } from './entry/freeze.js';
import {
  decodePayload,
  encodePayload,
  isCompressed,
  type PayloadOptions,
  parsePlain,
} from './entry/payload.js';
import {
  formatValueEntry,
  parseEntryContent,
  type TagVersions,
  type ValueEntry,
  type ValueHead,
} from './entry/value-entry.js';
import type { L1, L1Value, Reservation } from './memory/l1.js';
import type { Seen, Tier } from './redis/redis-tier.js';
import type { ServerClock } from './redis/server-clock.js';
import type { StatisticsCounter } from './statistics.js';

/** What a look at a key found. */
export type Found =
  | { readonly kind: 'fresh'; readonly value: unknown; readonly head: ValueHead }
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

export type NotFresh = Exclude<Found, { kind: 'fresh' }>;

export type EncodedValue = { readonly content: string; readonly ttlMs: number } | { readonly error: unknown };

export interface Life {
  readonly ttlMs: number;
  readonly graceMs: number;
  /** What its load took: of values that are refreshed ahead. */
  readonly loadMs?: number;
}

export interface ValueStoreDependencies {
  readonly tier: Tier;
  readonly clock: Pick<ServerClock, 'now'>;
  readonly payload: PayloadOptions;
  readonly statistics: StatisticsCounter;
  readonly l1: L1 | undefined;
  readonly emit: Emit;
}

/** A read whose reply is to be kept in memory. */
interface Keeping {
  readonly reservation: Reservation;
  readonly memoryTtlMs: number;
}

const noTags: TagVersions = new Map();
const notCachedMax = 10_000;
const nothing: Found = { kind: 'missing', seen: 'nothing' };

export class ValueStore {
  readonly #tier: Tier;
  readonly #clock: ValueStoreDependencies['clock'];
  readonly #payload: PayloadOptions;
  readonly #statistics: StatisticsCounter;
  readonly #l1: L1 | undefined;
  readonly #emit: Emit;
  /** Keys whose last value could not be cached. */
  readonly #notCached = new LRUCache<string, true>({ max: notCachedMax });

  constructor(dependencies: ValueStoreDependencies) {
    this.#tier = dependencies.tier;
    this.#clock = dependencies.clock;
    this.#payload = dependencies.payload;
    this.#statistics = dependencies.statistics;
    this.#l1 = dependencies.l1;
    this.#emit = dependencies.emit;
  }

  /** The value in this process's memory, without a promise. */
  hit(key: string): L1Value | undefined {
    const cached = this.#l1?.read(key);
    if (cached === undefined || !this.#hasKnownTags(cached.tags)) return undefined;
    const counts = this.#statistics.of(key);
    counts.hits += 1;
    counts.l1Hits += 1;
    cached.reads += 1;
    return cached.isFrozen
      ? cached
      : { ...cached, value: parsePlain(cached.value as string, this.#payload.serializer) };
  }

  /** Chained rather than awaited, as each wait costs a hit as much as all else here. */
  look(key: string, memoryTtlMs = Number.POSITIVE_INFINITY): Promise<Found> {
    const reservation = this.#l1?.reserve(key);
    const startedAt = performance.now();
    return this.#tier.get(key).then(
      (content) => {
        this.#statistics.took(performance.now() - startedAt);
        return this.#toFound(key, content, reservation && { reservation, memoryTtlMs });
      },
      (error: unknown) => this.#unanswered(key, error, reservation),
    );
  }

  /** What `look` finds of each key, with one command where that can be. */
  async lookMany(keys: readonly string[]): Promise<Found[]> {
    if (!this.#tier.readsTogether) return Promise.all(keys.map((key) => this.look(key)));
    const reservations = keys.map((key) => this.#l1?.reserve(key));
    const startedAt = performance.now();
    try {
      const contents = await this.#tier.getMany(keys);
      this.#statistics.took(performance.now() - startedAt);
      const found = contents.map((content, i) => {
        const reservation = reservations[i];
        return this.#toFound(
          keys[i] as string,
          content,
          reservation && { reservation, memoryTtlMs: Number.POSITIVE_INFINITY },
        );
      });
      return await Promise.all(found);
    } catch (error) {
      return keys.map((key, i) => this.#unanswered(key, error, reservations[i]));
    }
  }

  #unanswered(key: string, error: unknown, reservation: Reservation | undefined): Found {
    if (reservation !== undefined) this.#l1?.drop(reservation);
    return this.#failed(key, error);
  }

  #toFound(key: string, content: string | null, keeping: Keeping | undefined): Found | Promise<Found> {
    const parsed = parseEntryContent(content);
    const found = parsed.value === undefined ? nothing : this.evaluate(key, parsed.value);
    if (keeping === undefined && parsed.lease === undefined) return found;
    return this.#finish(found, keeping === undefined ? parsed : { ...parsed, keeping });
  }

  async #finish(
    looked: Found | Promise<Found>,
    { value, lease, keeping }: { value?: ValueEntry; lease?: string; keeping?: Keeping },
  ): Promise<Found> {
    const found = await looked;
    if (keeping !== undefined) {
      // Also under a lease: whatever becomes of that, the entry changes, which is told.
      const isKept = found.kind === 'fresh' && value !== undefined;
      if (isKept && Number.isFinite(value.freshUntilMs)) this.#keep(keeping, value, found.value);
      this.#l1?.drop(keeping.reservation);
    }
    return lease === undefined || found.kind !== 'missing' ? found : { ...found, lease };
  }

  /**
   * Frozen, so that no caller changes what the others get; or as text, where freezing does not protect it.
   */
  #keep({ reservation, memoryTtlMs }: Keeping, entry: ValueEntry, value: unknown): void {
    const freshMs = Math.min(entry.freshUntilMs - this.#clock.now(), memoryTtlMs);
    const isFrozen = freezeDeep(value);
    if (!isFrozen && isCompressed(entry.payload)) return;
    const kept = isFrozen ? value : entry.payload;
    this.#l1?.settle(
      reservation,
      {
        value: kept,
        isFrozen,
        tags: entry.tags,
        expiresAtMs: Date.now() + freshMs,
        head: headOf(entry),
        reads: 0,
      },
      2 * entry.payload.length,
    );
  }

  #hasKnownTags(tags: TagVersions): boolean {
    for (const [tag, version] of tags) if (this.#l1?.read(tagMark + tag)?.value !== version) return false;
    return true;
  }

  /** Tells whether an entry that was found is fresh: at once, unless it has tags or is compressed. */
  evaluate(key: string, entry: ValueEntry): Found | Promise<Found> {
    return entry.tags.size > 0 ? this.#evaluateTagged(key, entry) : this.#evaluateCurrent(key, entry);
  }

  async #evaluateTagged(key: string, entry: ValueEntry): Promise<Found> {
    try {
      const areCurrent = await this.#areCurrent(entry.tags);
      return areCurrent ? await this.#evaluateCurrent(key, entry) : { kind: 'missing', seen: seenOf(entry) };
    } catch (error) {
      return this.#failed(key, error);
    }
  }

  #evaluateCurrent(key: string, entry: ValueEntry): Found | Promise<Found> {
    if (entry.freshUntilMs <= this.#clock.now())
      return { kind: 'missing', seen: seenOf(entry), stale: entry };
    try {
      const value = this.decode(entry);
      return value instanceof Promise
        ? this.#afterDecoding(key, entry, value)
        : { kind: 'fresh', value, head: entry };
    } catch (error) {
      return this.#unreadable(key, entry, error);
    }
  }

  async #afterDecoding(key: string, entry: ValueEntry, value: Promise<unknown>): Promise<Found> {
    try {
      return { kind: 'fresh', value: await value, head: entry };
    } catch (error) {
      return this.#unreadable(key, entry, error);
    }
  }

  /** Written by another serializer, or damaged: it is loaded anew. */
  #unreadable(key: string, entry: ValueEntry, error: unknown): Found {
    this.#failed(key, error);
    return { kind: 'missing', seen: seenOf(entry) };
  }

  /** Until it goes stale, in ms. */
  freshForMs({ freshUntilMs }: ValueHead): number {
    return freshUntilMs - this.#clock.now();
  }

  isInMemory(key: string): boolean {
    return this.#l1?.read(key) !== undefined;
  }

  /**
   * Once the value was changed by this process: its own reads must not wait for the message that tells of it.
   */
  forget(key: string): void {
    this.#l1?.invalidate(key);
  }

  forgetTag(tag: string): void {
    this.#l1?.invalidate(tagMark + tag);
  }

  decode(entry: ValueEntry): unknown | Promise<unknown> {
    // A plain integer: Redis adds to it, and knows no serializer.
    return entry.id === '' ? Number(entry.payload) : decodePayload(entry.payload, this.#payload.serializer);
  }

  /** The entry's content and life for a value. @throws ForebayError INVALID_VALUE, VALUE_TOO_LARGE */
  async encode(
    key: string,
    value: unknown,
    life: Life,
    tags: TagVersions,
  ): Promise<{ content: string; ttlMs: number }> {
    const ttlMs = entryTtlMs(life.ttlMs, false);
    if (isPlainInteger(value, life, tags)) return { content: String(value), ttlMs };
    const payload = await encodePayload(key, value, this.#payload);
    const freshUntilMs = this.#clock.now() + ttlMs;
    const head = { id: this.#tier.newId(), freshUntilMs, loadMs: life.loadMs ?? 0 };
    const content = formatValueEntry({ ...head, tags, payload });
    return { content, ttlMs: ttlMs + life.graceMs };
  }

  /** As `encode`; a value that can't be cached is told of once for its key. */
  async tryEncode(key: string, value: unknown, life: Life, tags: TagVersions): Promise<EncodedValue> {
    try {
      const entry = await this.encode(key, value, life, tags);
      this.#notCached.delete(key);
      return entry;
    } catch (error) {
      if (!this.#notCached.has(key)) this.#emit({ type: 'value.not-cached', key, error });
      this.#notCached.set(key, true);
      return { error };
    }
  }

  /** A tag whose version is gone may have been invalidated since. */
  async #areCurrent(tags: TagVersions): Promise<boolean> {
    const names = [...tags.keys()];
    const reservations = names.map((tag) => this.#l1?.reserve(tagMark + tag));
    try {
      const known = await this.#tier.knownTagVersions(names);
      for (const reservation of reservations) this.#keepTag(reservation, known);
      return names.every((tag) => known.get(tag) === tags.get(tag));
    } finally {
      for (const reservation of reservations) if (reservation) this.#l1?.drop(reservation);
    }
  }

  #keepTag(reservation: Reservation | undefined, known: ReadonlyMap<string, string | null>): void {
    const version = reservation && known.get(reservation.key.slice(tagMark.length));
    if (!reservation || !version) return;
    const expiresAtMs = Number.POSITIVE_INFINITY;
    const head = { id: '', freshUntilMs: expiresAtMs, loadMs: 0 };
    const entry = { value: version, isFrozen: true, tags: noTags, expiresAtMs, head, reads: 0 };
    this.#l1?.settle(reservation, entry, version.length);
  }

  #failed(key: string, error: unknown): Found {
    this.#statistics.of(key).errors += 1;
    this.#emit({ type: 'cache.failed', key, error });
    return { kind: 'unknown', error };
  }
}

/** What can stand in its entry as digits, and nothing else that a reader has to know. */
function isPlainInteger(value: unknown, { graceMs, loadMs }: Life, tags: TagVersions): boolean {
  const isInteger = Number.isSafeInteger(value) && !Object.is(value, -0);
  return isInteger && tags.size === 0 && graceMs === 0 && loadMs === undefined;
}

export function seenOf({ id }: ValueHead): Seen {
  return id === '' ? 'anything' : { id };
}

/** Without the payload, which the parsed value stands for. */
function headOf({ id, freshUntilMs, loadMs }: ValueEntry): ValueHead {
  return { id, freshUntilMs, loadMs };
}
