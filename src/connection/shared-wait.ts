/** Waiting for what Redis confirms of a connection's writes (WAIT, WAITAOF): all that wait at a time share one command. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { messageOf } from '../errors.js';
import type { RedisClient } from './client.js';

/** Redis answers nothing else on the connection meanwhile; so a write behind it is in time for its own time-out. */
const askMaxMs = 1_000;

interface Waiter {
  readonly deadline: number;
  settle(missing?: string): void;
}

export interface SharedWaitOptions {
  readonly redis: RedisClient;
  /** Asks Redis, for `ms` at most, whether all that the connection has written is safe. */
  readonly ask: (ms: number) => Promise<boolean>;
  /** What is missing when it is not. */
  readonly lack: string;
}

export class SharedWait {
  readonly #ask: (ms: number) => Promise<boolean>;
  readonly #lack: string;
  #waiting: Waiter[] = [];
  #isAsking = false;

  constructor({ redis, ask, lack }: SharedWaitOptions) {
    this.#ask = ask;
    this.#lack = lack;
    // The next connection has written nothing yet, of which Redis would confirm all.
    redis.on('close', () => this.#end(this.#waiting, 'the connection to Redis broke'));
  }

  /** Resolves once all that the connection has written so far is safe, else with what is missing. */
  join(waitMs: number): Promise<string | undefined> {
    return new Promise((settle) => {
      this.#waiting.push({ deadline: Date.now() + waitMs, settle });
      if (!this.#isAsking) void this.#askAll();
    });
  }

  async #askAll(): Promise<void> {
    this.#isAsking = true;
    while (this.#waiting.length > 0) {
      // All of a call join in one turn.
      await nextTurn();
      await this.#askFor([...this.#waiting]);
    }
    this.#isAsking = false;
  }

  async #askFor(waiters: readonly Waiter[]): Promise<void> {
    if (waiters.length === 0) return;
    const leftMs = Math.min(...waiters.map(({ deadline }) => deadline)) - Date.now();
    try {
      const isSafe = await this.#ask(Math.max(1, Math.min(leftMs, askMaxMs)));
      if (isSafe) this.#end(waiters);
      const now = Date.now();
      this.#end(
        this.#waiting.filter(({ deadline }) => deadline <= now),
        this.#lack,
      );
    } catch (error) {
      this.#end(waiters, messageOf(error));
    }
  }

  #end(waiters: readonly Waiter[], missing?: string): void {
    const ended = new Set(waiters);
    this.#waiting = this.#waiting.filter((waiter) => !ended.has(waiter));
    for (const waiter of ended) waiter.settle(missing);
  }
}
