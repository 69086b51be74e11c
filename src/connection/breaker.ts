/**
 * A circuit breaker for calls to Redis (Nygard, "Release It!"): when Redis is away, a call costs microseconds
 * rather than its time-out. It opens after some failures in a row, or at once when the connection is known to
 * be down; probes by itself so that no caller pays for it, one probe at a time; and closes when a probe
 * succeeds or the connection is back.
 */
import { closedError, type ForebayError } from '../errors.js';
import type { BreakerConnection, Emit } from '../events.js';
import { isCluster } from './client.js';
import type { RedisClient } from './redis.js';
import { isKeptOut, isNotSent, isReplyError, toUnavailable } from './refusals.js';

const failuresDefaultMax = 5;
const waitFirstMs = 50;
const waitMaxMs = 10_000;

export interface BreakerDependencies {
  readonly connection: BreakerConnection;
  /** Resolves when Redis answers. */
  readonly probe: () => Promise<unknown>;
  readonly emit: Emit;
  /** In a row, that open it. Default 5. */
  readonly failuresMax?: number;
}

export class Breaker {
  readonly #connection: BreakerConnection;
  readonly #probe: () => Promise<unknown>;
  readonly #emit: Emit;
  readonly #failuresMax: number;
  #failures = 0;
  #waitMs = waitFirstMs;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;
  /** What every call gets while it is open: made once, for a stack trace costs more than all else. */
  #refusal: ForebayError | undefined;

  constructor({ connection, probe, emit, failuresMax = failuresDefaultMax }: BreakerDependencies) {
    this.#connection = connection;
    this.#probe = probe;
    this.#emit = emit;
    this.#failuresMax = failuresMax;
  }

  get isOpen(): boolean {
    return this.#refusal !== undefined;
  }

  /**
   * @throws what the call throws; at once ForebayError REDIS_UNAVAILABLE while it is open, CLOSED when it was
   * stopped
   */
  run<T>(call: () => Promise<T>): Promise<T> {
    if (this.#refusal !== undefined) return Promise.reject(this.#refusal);
    return call().then(
      (result) => {
        this.#failures = 0;
        return result;
      },
      (error: unknown) => {
        this.#failed(error);
        throw isKeptOut(error) ? unavailable(error) : error;
      },
    );
  }

  /** Closes it at once: the connection is up again. */
  recovered(): void {
    if (!this.isOpen || this.#isStopped) return;
    clearTimeout(this.#timer);
    this.#close();
  }

  /** For good: from now on it refuses whatever comes, as its client is closed. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#refusal = closedError();
  }

  #failed(error: unknown): void {
    this.#failures = isThere(error) ? 0 : this.#failures + 1;
    if (this.isOpen || (this.#failures < this.#failuresMax && !isDown(error))) return;
    const refusal = unavailable(error);
    this.#refusal = refusal;
    this.#waitMs = waitFirstMs;
    this.#emit({ type: 'breaker.opened', connection: this.#connection, error });
    this.#probeLater(refusal);
  }

  #probeLater(refusal: ForebayError): void {
    if (this.#isStopped || this.#refusal !== refusal) return;
    this.#timer = setTimeout(() => this.#probeNow(refusal), this.#waitMs);
    this.#timer.unref();
    this.#waitMs = Math.min(2 * this.#waitMs, waitMaxMs);
  }

  /** A probe counts only for the outage that it was made in, told by its refusal. */
  #probeNow(refusal: ForebayError): void {
    const close = (): void => {
      if (this.#refusal === refusal) this.#close();
    };
    this.#probe().then(close, (error: unknown) => (isThere(error) ? close() : this.#probeLater(refusal)));
  }

  #close(): void {
    this.#refusal = undefined;
    this.#failures = 0;
    this.#emit({ type: 'breaker.closed', connection: this.#connection });
  }
}

/**
 * One for a connection: it asks there whether Redis answers, and closes when the connection is back. In a
 * cluster it opens only when all of it is away: calls to one server that fail are no word on the others.
 */
export function breakerOf(redis: RedisClient, connection: BreakerConnection, emit: Emit): Breaker {
  const failuresMax = isCluster(redis) ? Number.POSITIVE_INFINITY : failuresDefaultMax;
  const breaker = new Breaker({ connection, probe: () => redis.ping(), emit, failuresMax });
  redis.on('ready', () => breaker.recovered());
  return breaker;
}

/** A server that refuses a command is there; one that does not let the connection in is as good as away. */
function isThere(error: unknown): boolean {
  return isReplyError(error) && !isKeptOut(error);
}

/** The connection is known to be down, or could not be made again in some tries. */
function isDown(error: unknown): boolean {
  return (
    isNotSent(error) ||
    isKeptOut(error) ||
    (error instanceof Error && error.name === 'MaxRetriesPerRequestError')
  );
}

function unavailable(cause: unknown): ForebayError {
  return toUnavailable('Redis does not answer; it is asked again now and then', cause);
}
