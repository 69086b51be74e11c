/**
 * Values in the cache: looked up, and put there. L1 stands before Redis; what is stale is told apart from what is fresh, and
 * from what must not be served at all.
 */
import type { Emit } from '../events.js';
import { tagMark } from '../keys.js';
import { entryTtlMs } from './entry.js';
import { freezeDeep } from './freeze.js';
import type { L1, L1Value, Reservation } from './l1.js';
import type { RedisTier, Seen } from './redis-tier.js';
import { decodePayload, encodePayload, isCompressed, type PayloadOptions } from './serializer.js';
import type { ServerClock } from './server-clock.js';
import type { StatisticsCounter } from './statistics.js';
import { type EntryContent, formatValueEntry, type TagVersions, type ValueEntry } from './value-entry.js';

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
  readonly l1: L1 | undefined;
  readonly emit: Emit;
}

const noTags: TagVersions = new Map();
const nothing: Found = { kind: 'missing', seen: 'nothing' };

export class ValueStore {
  readonly #tier: RedisTier;
  readonly #clock: ServerClock;
  readonly #payload: PayloadOptions;
  readonly #statistics: StatisticsCounter;
  readonly #l1: L1 | undefined;
  readonly #emit: Emit;

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
    return cached.isFrozen
      ? cached
      : { ...cached, value: this.#payload.serializer.parse(cached.value as string) };
  }

  async look(key: string): Promise<Found> {
    const reservation = this.#l1?.reserve(key);
    try {
      return reservation === undefined ? await this.#get(key) : await this.#getAndKeep(key, reservation);
    } catch (error) {
      this.#failed(key, error);
      return { kind: 'unknown', error };
    } finally {
      if (reservation !== undefined) this.#l1?.drop(reservation);
    }
  }

  async #get(key: string): Promise<Found> {
    const startedAt = performance.now();
    const content = await this.#tier.get(key);
    this.#statistics.took(performance.now() - startedAt);
    return this.#toFound(key, content);
  }

  async #getAndKeep(key: string, reservation: Reservation): Promise<Found> {
    const [content, leftMs] = await Promise.all([this.#tier.get(key), this.#tier.pttl(key)]);
    const found = await this.#toFound(key, content);
    const { value, lease } = content;
    if (
      found.kind === 'fresh' &&
      value !== undefined &&
      value.id !== '' &&
      lease === undefined &&
      leftMs > 0
    ) {
      this.#keep(reservation, value, found.value, leftMs);
    }
    return found;
  }

  async #toFound(key: string, { value, lease }: EntryContent): Promise<Found> {
    const found = value === undefined ? nothing : await this.evaluate(key, value);
    return lease === undefined || found.kind !== 'missing' ? found : { ...found, lease };
  }

  /** Frozen, so that no caller changes what the others get; or as text, where freezing does not protect it. */
  #keep(reservation: Reservation, entry: ValueEntry, value: unknown, leftMs: number): void {
    const freshMs = Math.min(leftMs, entry.freshUntilMs - this.#clock.now());
    const isFrozen = freezeDeep(value);
    if (!isFrozen && isCompressed(entry.payload)) return;
    const kept = isFrozen ? value : entry.payload;
    this.#l1?.settle(
      reservation,
      { value: kept, isFrozen, tags: entry.tags, expiresAtMs: Date.now() + freshMs },
      2 * entry.payload.length,
    );
  }

  #hasKnownTags(tags: TagVersions): boolean {
    for (const [tag, version] of tags) if (this.#l1?.read(tagMark + tag)?.value !== version) return false;
    return true;
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

  /** Once the value was changed by this process: its own reads must not wait for the message that tells of it. */
  forget(key: string): void {
    this.#l1?.invalidate(key);
  }

  forgetTag(tag: string): void {
    this.#l1?.invalidate(tagMark + tag);
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
    const entry = { value: version, isFrozen: true, tags: noTags, expiresAtMs: Number.POSITIVE_INFINITY };
    this.#l1?.settle(reservation, entry, version.length);
  }

  #failed(key: string, error: unknown): void {
    this.#statistics.of(key).errors += 1;
    this.#emit({ type: 'cache.failed', key, error });
  }
}
