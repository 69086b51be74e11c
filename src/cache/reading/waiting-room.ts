/**
 * Those who wait until somebody else has filled an entry: woken by a message, and after half a second in any
 * case.
 */
import type { Subscriber } from '../../connection/redis.js';
import type { Emit } from '../../events.js';
import { filledChannel } from '../../keys.js';

/**
 * A message can be lost (a connection broke, the entry was deleted); the entry is looked at again after this
 * long.
 */
const lookAgainMs = 500;

export interface Waiting {
  /**
   * Resolves when the entry was filled or given back since `enter`, or the last time that this told so: true;
   * or after `maxMs`.
   */
  until(maxMs: number): Promise<boolean>;
  /** Must be called once the wait is over or not needed. */
  leave(): void;
}

interface Guest {
  isWoken: boolean;
  wake: () => void;
}

export class WaitingRoom {
  readonly #subscriber: Subscriber;
  readonly #channel: string;
  readonly #emit: Emit;
  readonly #guests = new Map<string, Set<Guest>>();
  #isSubscribed = false;

  constructor(dependencies: { subscriber: Subscriber; prefix: string; emit: Emit }) {
    this.#subscriber = dependencies.subscriber;
    this.#channel = filledChannel(dependencies.prefix);
    this.#emit = dependencies.emit;
    this.#subscriber.on('message', (channel, key) => {
      if (channel === this.#channel) this.#wake(key);
    });
  }

  /** Before the claim that may ask to wait, so that no message falls in between. */
  enter(key: string): Waiting {
    this.#subscribe();
    const guest: Guest = { isWoken: false, wake: () => undefined };
    const guests = this.#guests.get(key) ?? new Set();
    guests.add(guest);
    this.#guests.set(key, guests);
    return {
      until: (maxMs) => wokenOrAfter(guest, Math.min(maxMs, lookAgainMs)),
      leave: () => {
        guests.delete(guest);
        if (guests.size === 0 && this.#guests.get(key) === guests) this.#guests.delete(key);
      },
    };
  }

  #subscribe(): void {
    if (this.#isSubscribed) return;
    this.#isSubscribed = true;
    // Until it is there, guests look again by themselves.
    this.#subscriber.subscribe(this.#channel).catch((error: unknown) => {
      this.#isSubscribed = false;
      this.#emit({ type: 'redis.error', connection: 'subscriber', error });
    });
  }

  #wake(key: string): void {
    for (const guest of this.#guests.get(key) ?? []) {
      guest.isWoken = true;
      guest.wake();
    }
  }
}

async function wokenOrAfter(guest: Guest, maxMs: number): Promise<boolean> {
  if (!guest.isWoken) {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, maxMs);
      guest.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
  const { isWoken } = guest;
  guest.isWoken = false;
  return isWoken;
}
