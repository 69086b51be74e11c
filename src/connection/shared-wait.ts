/**
 * Waiting for what Redis confirms of a connection's writes (WAIT, WAITAOF): all that wait at a time share one
 * command. Once one has waited in vain, those that come are told at once, until it looks as if waiting made
 * sense again.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { messageOf } from '../errors.js';
import type { RedisClient } from './client.js';

/**
 * Redis answers nothing else on the connection meanwhile; so a write behind it is in time for its own
 * time-out.
 */
const askMaxMs = 1_000;
/** How long after a wait in vain it is looked again whether waiting makes sense; doubled each time. */
const lookFirstMs = 1_000;
const lookMaxMs = 8_000;

interface Waiter {
  readonly deadline: number;
  settle(missing?: string): void;
}

export interface SharedWaitOptions {
  readonly redis: RedisClient;
  /** Asks Redis, for `ms` at most, whether all that the connection has written is safe. */
  readonly ask: (ms: number) => Promise<boolean>;
  /** Whether there is anything to wait for. Default: there always is. */
  readonly look?: () => Promise<boolean>;
  /** What is missing when it is not. */
  readonly lack: string;
}

export class SharedWait {
  readonly #ask: (ms: number) => Promise<boolean>;
  readonly #look: SharedWaitOptions['look'];
  readonly #lack: string;
  /** Waits in vain since the last one that was not. */
  #vain = 0;
  /** When it is looked again, in ms since 1970; undefined while waiting makes sense. */
  #lookAt: number | undefined;
  #waiting: Waiter[] = [];
  #isAsking = false;

  constructor({ redis, ask, look, lack }: SharedWaitOptions) {
    this.#ask = ask;
    this.#look = look;
    this.#lack = lack;
    // The next connection has written nothing yet, of which Redis would confirm all.
    redis.on('close', () => {
      this.#end(this.#waiting, 'the connection to Redis broke');
      this.#succeeded();
    });
  }

  /** Resolves once all that the connection has written so far is safe, else with what is missing. */
  async join(waitMs: number): Promise<string | undefined> {
    if (this.#lookAt !== undefined) {
      void this.#lookAgain(this.#lookAt);
      return this.#lack;
    }
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
      if (isSafe) {
        this.#succeeded();
        return this.#end(waiters);
      }
      const now = Date.now();
      const late = this.#waiting.filter(({ deadline }) => deadline <= now);
      if (late.length > 0 && this.#look) this.#failed();
      this.#end(this.#lookAt === undefined ? late : this.#waiting, this.#lack);
    } catch (error) {
      this.#end(waiters, messageOf(error));
    }
  }

  #failed(): void {
    this.#lookAt = Date.now() + Math.min(lookFirstMs * 2 ** this.#vain, lookMaxMs);
    this.#vain += 1;
  }

  #succeeded(): void {
    this.#vain = 0;
    this.#lookAt = undefined;
  }

  /** In the background, for whoever comes next. */
  async #lookAgain(lookAt: number): Promise<void> {
    if (Date.now() < lookAt) return;
    this.#lookAt = Date.now() + lookFirstMs;
    // A server that can't even be asked is not waited for.
    if (await this.#look?.().catch(() => false)) this.#lookAt = undefined;
  }

  #end(waiters: readonly Waiter[], missing?: string): void {
    const ended = new Set(waiters);
    this.#waiting = this.#waiting.filter((waiter) => !ended.has(waiter));
    for (const waiter of ended) waiter.settle(missing);
  }
}
