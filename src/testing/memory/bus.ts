/** Messages within a process, in place of Redis's channels: they come after the call that has sent them. */
import type { Subscriber } from '../../connection/redis.js';

type Listener = Parameters<Subscriber['on']>[1];

export class MemoryBus implements Subscriber {
  readonly #listeners: Listener[] = [];

  on(_event: 'message', listener: Listener): void {
    this.#listeners.push(listener);
  }

  /** Everybody hears all channels, and picks his own. */
  subscribe(): Promise<void> {
    return Promise.resolve();
  }

  publish(channel: string, message: string): void {
    queueMicrotask(() => {
      for (const listener of this.#listeners) listener(channel, message);
    });
  }
}
