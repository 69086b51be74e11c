/**
 * What an app, a worker or a command has opened, in order of need: each thing is registered as it is made,
 * and all are closed in reverse. Each has a deadline: what does not end by then is told as an event and left
 * behind.
 */
import type { ConnectionMetrics } from './connection/connection-metrics.js';
import { inTime } from './connection/deadline.js';
import {
  type ConnectionPlan,
  closeConnections,
  openConnections,
  type RedisClient,
  toReadError,
} from './connection/redis.js';
import { isOfRedis } from './connection/refusals.js';
import { closedError } from './errors.js';
import type { Emit } from './events.js';

/** @param deadlineMs what it has, at most */
export type Close<T> = (value: T, deadlineMs: number) => unknown;

interface Owned {
  readonly name: string;
  readonly deadlineMs: number;
  close(deadlineMs: number): unknown;
}

/** Of the time that is left for all: what comes after needs some too. */
const shareMax = 0.8;
/** Also when nothing is left. */
const leastMs = 20;
/** What ends by itself at its deadline is not late. */
const slackMs = 50;
/** For what comes when all else is closed. */
const lateDeadlineMs = 1_000;

export class Resources {
  readonly #emit: Emit;
  readonly #owned: Owned[] = [];
  #closing: Promise<void> | undefined;

  constructor(emit: Emit) {
    this.#emit = emit;
  }

  /** Also while they are being closed. */
  get areClosed(): boolean {
    return this.#closing !== undefined;
  }

  /**
   * Registers what was made, and returns it.
   * @param deadlineMs default: most of what is left for all
   * @throws ForebayError CLOSED when all is closed, or closing, already: then the value is closed too
   */
  own<T>(name: string, value: T, close: Close<T>, deadlineMs = Number.POSITIVE_INFINITY): T {
    const owned: Owned = { name, deadlineMs, close: (ms) => close(value, ms) };
    if (this.#closing !== undefined) {
      this.#closing = this.#closing.then(() => this.#closeOne(owned, lateDeadlineMs));
      throw closedError();
    }
    this.#owned.push(owned);
    return value;
  }

  /** Opens all of these connections, or none. @throws ForebayError REDIS_UNAVAILABLE, CLOSED */
  async connect<P extends ConnectionPlan>(
    plan: P,
    metrics?: ConnectionMetrics,
  ): Promise<{ readonly [Name in keyof P]: RedisClient }> {
    const connections = await openConnections(plan, this.#emit, { metrics });
    return this.own('connections', connections, closeConnections);
  }

  /**
   * Runs what makes and registers; what stands already is closed when that fails.
   * @throws what `construct` throws; of a call to Redis that failed, ForebayError REDIS_UNAVAILABLE or
   * REDIS_REFUSED
   */
  async construct<T>(construct: () => Promise<T>, closeDeadlineMs: number): Promise<T> {
    try {
      return await construct();
    } catch (error) {
      await this.close(closeDeadlineMs);
      throw isOfRedis(error) ? toReadError(error) : error;
    }
  }

  /** Closes all, the last first; once, however often it is called. Resolves within about `deadlineMs`. */
  async close(deadlineMs: number): Promise<void> {
    this.#closing ??= this.#closeLast(performance.now() + deadlineMs);
    await this.#closing;
  }

  /** Also when a listener throws, the others are closed. */
  async #closeLast(endsAt: number): Promise<void> {
    const last = this.#owned.pop();
    if (last === undefined) return;
    const shareMs = Math.max(leastMs, (endsAt - performance.now()) * shareMax);
    try {
      await this.#closeOne(last, Math.min(last.deadlineMs, shareMs));
    } finally {
      await this.#closeLast(endsAt);
    }
  }

  async #closeOne({ name, close }: Owned, deadlineMs: number): Promise<void> {
    try {
      await inTime((async () => close(deadlineMs))(), deadlineMs + slackMs);
    } catch (error) {
      this.#emit({ type: 'close.failed', what: name, error });
    }
  }
}

/** Resources for as long as `use` takes. @throws what `use` throws */
export async function withResources<T>(
  emit: Emit,
  closeDeadlineMs: number,
  use: (resources: Resources) => Promise<T>,
): Promise<T> {
  const resources = new Resources(emit);
  try {
    return await use(resources);
  } finally {
    await resources.close(closeDeadlineMs);
  }
}
