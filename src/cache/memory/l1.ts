/**
 * The values of this process's memory, in front of Redis: bounded, and coherent by what the invalidation feed
 * tells. While the feed is lost nothing is read here, and nothing is kept.
 */
import { LRUCache } from 'lru-cache';
import type { TagVersions, ValueHead } from '../entry/value-entry.js';

export interface L1Value {
  /** Frozen, or parsed anew by each reader: see `isFrozen`. */
  readonly value: unknown;
  readonly isFrozen: boolean;
  readonly tags: TagVersions;
  /** By this process's clock, in ms since 1970. */
  readonly expiresAtMs: number;
  readonly head: ValueHead;
  /** Where values are refreshed ahead: the hotter, the sooner. */
  reads: number;
}

/** How much this process keeps in memory; what is read least goes first. */
export interface L1Options {
  /** Default 10,000. */
  readonly entriesMax?: number;
  /** Of payloads, about. Default 64 MiB. */
  readonly bytesMax?: number;
}

/**
 * A read of Redis that is under way: an invalidation that overtakes its reply makes it void
 * (https://redis.io/docs/latest/develop/reference/client-side-caching/, "Avoiding race conditions").
 */
export interface Reservation {
  readonly key: string;
  isValid: boolean;
  readers: number;
}

const entriesMax = 10_000;
const bytesMax = 64 * 1_048_576;
/** What an entry costs besides its payload, about. */
const entryBytes = 200;

export class L1 {
  readonly #values: LRUCache<string, L1Value>;
  readonly #reservations = new Map<string, Reservation>();
  #isOpen = false;

  constructor(options: L1Options = {}) {
    this.#values = new LRUCache({
      max: options.entriesMax ?? entriesMax,
      maxSize: options.bytesMax ?? bytesMax,
    });
  }

  get size(): number {
    return this.#values.size;
  }

  read(key: string): L1Value | undefined {
    if (!this.#isOpen) return undefined;
    const found = this.#values.get(key);
    return found !== undefined && found.expiresAtMs > Date.now() ? found : undefined;
  }

  /**
   * Before a read of Redis whose reply is to be kept. Must be dropped in the end. Undefined while bypassed.
   */
  reserve(key: string): Reservation | undefined {
    if (!this.#isOpen) return undefined;
    let reservation = this.#reservations.get(key);
    if (reservation === undefined) {
      reservation = { key, isValid: true, readers: 0 };
      this.#reservations.set(key, reservation);
    }
    reservation.readers += 1;
    return reservation;
  }

  /** Keeps what the read brought, unless the key was invalidated since it was reserved. */
  settle(reservation: Reservation, value: L1Value, payloadBytes: number): void {
    if (reservation.isValid) this.#values.set(reservation.key, value, { size: payloadBytes + entryBytes });
  }

  drop(reservation: Reservation): void {
    reservation.readers -= 1;
    if (reservation.readers === 0 && this.#reservations.get(reservation.key) === reservation) {
      this.#reservations.delete(reservation.key);
    }
  }

  invalidate(key: string): void {
    this.#values.delete(key);
    const reservation = this.#reservations.get(key);
    if (reservation === undefined) return;
    reservation.isValid = false;
    this.#reservations.delete(key);
  }

  clear(): void {
    this.#values.clear();
    for (const reservation of this.#reservations.values()) reservation.isValid = false;
    this.#reservations.clear();
  }

  /** The feed tells of every change from now on. */
  open(): void {
    this.#isOpen = true;
  }

  /** The feed is lost. */
  close(): void {
    this.#isOpen = false;
    this.clear();
  }
}
