/** A connection for writes: sends calls, and waits for it while it is away, for a bounded time. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Lane } from '../../buffer/lane.js';
import type { Write } from '../../buffer/step-replies.js';
import type { WriteBuffer } from '../../buffer/write-buffer.js';
import { isCluster } from '../../connection/client.js';
import { isConnected, type WatchedConnection } from '../../connection/connected.js';
import { writeNotSent } from '../../connection/redis.js';
import { isNotSent, isReplyError } from '../../connection/refusals.js';
import type { ForebayError } from '../../errors.js';

/**
 * How long a write waits for a connection that is being made again, or for a server that has fallen silent.
 */
const reconnectWaitMs = 2_000;
/** Between two tries of what could not be sent, though the connection seems to be there. */
const retryMs = 20;

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
  /** The same of lanes whose server is away, while others of the cluster are there. */
  readonly #laneAwaySince = new Map<Lane, number>();
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
    redis.on('ready', () => this.#isThere());
  }

  /** Until when a write that was submitted then waits for the connection. */
  deadlineOf(submittedAt: number, lane: Lane): number {
    const awaySince = Math.max(this.#awaySince ?? 0, this.#laneAwaySince.get(lane) ?? 0);
    return Math.max(submittedAt, awaySince) + reconnectWaitMs;
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
    while (await this.#isUp(submittedAt, lane)) {
      const sentAt = Date.now();
      try {
        const answer = await this.#buffer.write(lane, writes, knownVersion);
        this.#answered(lane);
        return answer;
      } catch (error) {
        if (isReplyError(error)) this.#answered(lane);
        else this.#failed(lane, sentAt);
        if (!isNotSent(error)) throw error;
        await wait(retryMs);
      }
    }
    return undefined;
  }

  #isThere(): void {
    this.#awaySince = undefined;
    this.#error = undefined;
  }

  /** In a cluster that is no word on the servers of other lanes. */
  #answered(lane: Lane): void {
    this.#isThere();
    this.#laneAwaySince.delete(lane);
  }

  /** Where the connection was given up with the call, it was away since that was sent. */
  #failed(lane: Lane, sentAt: number): void {
    if (!isCluster(this.#redis)) this.#awaySince = Math.min(this.#awaySince ?? sentAt, sentAt);
    else if (!this.#laneAwaySince.has(lane)) this.#laneAwaySince.set(lane, sentAt);
  }

  async #isUp(submittedAt: number, lane: Lane): Promise<boolean> {
    const deadline = this.deadlineOf(submittedAt, lane);
    const leftMs = deadline - Date.now();
    if (this.#redis.status === 'end') throw this.notSent();
    if (leftMs <= 0) return this.#isKnownToBeUp(lane);
    if (this.#redis.status === 'ready') return true;
    return isConnected(this.#redis, deadline);
  }

  #isKnownToBeUp(lane: Lane): boolean {
    const isAway = this.#awaySince !== undefined || this.#laneAwaySince.has(lane);
    return !isAway && this.#redis.status === 'ready';
  }
}
