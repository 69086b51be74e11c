/** Limits on wrong passwords: for each address, and over all of them. What is remembered is bounded. */
import { LRUCache } from 'lru-cache';

const windowMs = 60_000;
const ofAddressMax = 5;
/** Of many addresses together: a person behind one of them waits too, for a minute at most. */
const ofAllMax = 100;
const addressesMax = 1_000;

export class Attempts {
  readonly #now: () => number;
  readonly #byAddress: LRUCache<string, number>;
  #all = { count: 0, since: 0 };

  /** @param now a clock, in ms */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#byAddress = new LRUCache({ max: addressesMax, ttl: windowMs, perf: { now }, ttlResolution: 0 });
  }

  /** How long whoever comes from there has to wait before another try, in ms; 0: not at all. */
  waitMs(address: string): number {
    const all = this.#window();
    if (all.count >= ofAllMax) return all.since + windowMs - this.#now();
    if ((this.#byAddress.get(address) ?? 0) < ofAddressMax) return 0;
    return Math.max(1, this.#byAddress.getRemainingTTL(address));
  }

  /** A wrong password. The time of an address begins with its last one. */
  failed(address: string): void {
    const all = this.#window();
    this.#all = { ...all, count: all.count + 1 };
    this.#byAddress.set(address, (this.#byAddress.get(address) ?? 0) + 1);
  }

  succeeded(address: string): void {
    this.#byAddress.delete(address);
  }

  #window(): { count: number; since: number } {
    const now = this.#now();
    return now - this.#all.since < windowMs ? this.#all : { count: 0, since: now };
  }
}
