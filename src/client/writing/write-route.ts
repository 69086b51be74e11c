/** A connection for writes: sends calls, and waits for it while it is away, for a bounded time. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Lane } from '../../buffer/lane.js';
import type { Write } from '../../buffer/step-replies.js';
import type { WriteBuffer } from '../../buffer/write-buffer.js';
import { isConnected, type WatchedConnection } from '../../connection/connected.js';
import { writeNotSent } from '../../connection/redis.js';
import { isNotSent, isReplyError } from '../../connection/refusals.js';
import type { ForebayError } from '../../errors.js';

/**
 * How long a write waits for a connection that is being made again, or for a server that has fallen silent.
 */
const reconnectWaitMs = 2_000;

export type WriteAnswer = Awaited<ReturnType<WriteBuffer['write']>>;

export interface WriteConnection {
  readonly redis: WatchedConnection;
  readonly buffer: Pick<WriteBuffer, 'write'>;
}

export class WriteRoute {
  readonly #redis: WatchedConnection;
  readonly #buffer: WriteConnection['buffer'];
  /** Since when the connection is lost, or a call has had no answer; in ms since 1970. */
  #awaySince: number | undefined;
  /** Why the connection can't be made again, where that is known. */
  #error: unknown;

  constructor({ redis, buffer }: WriteConnection) {
    this.#redis = redis;
    this.#buffer = buffer;
    redis.on('error', (error: unknown) => {
      this.#error = error;
    });
    redis.on('close', () => {
      this.#awaySince ??= Date.now();
    });
    redis.on('ready', () => this.#answered());
  }

  /** Until when a write that was submitted then waits for the connection. */
  deadlineOf(submittedAt: number): number {
    return Math.max(submittedAt, this.#awaySince ?? 0) + reconnectWaitMs;
  }

  /** What a write is told that was not sent. */
  notSent(): ForebayError {
    return writeNotSent(this.#error);
  }

  /**
   * Undefined: the connection was away until the deadline of a write that was submitted then, and nothing was
   * sent. Tries again only what was certainly not sent.
   * @param knownVersion the last version of the lane that the caller knows of
   */
  async write(
    lane: Lane,
    writes: readonly Write[],
    submittedAt: number,
    knownVersion = 0n,
  ): Promise<WriteAnswer | undefined> {
    while (await this.#isUp(submittedAt)) {
      const sentAt = Date.now();
      try {
        const answer = await this.#buffer.write(lane, writes, knownVersion);
        this.#answered();
        return answer;
      } catch (error) {
        if (isReplyError(error)) this.#answered();
        else this.#awaySince ??= sentAt;
        if (!isNotSent(error)) throw error;
        await nextTurn();
      }
    }
    return undefined;
  }

  #answered(): void {
    this.#awaySince = undefined;
    this.#error = undefined;
  }

  async #isUp(submittedAt: number): Promise<boolean> {
    const leftMs = this.deadlineOf(submittedAt) - Date.now();
    if (this.#redis.status === 'end') throw this.notSent();
    if (leftMs <= 0) return this.#awaySince === undefined && this.#redis.status === 'ready';
    if (this.#redis.status === 'ready') return true;
    return isConnected(this.#redis, this.deadlineOf(submittedAt));
  }
}
