/**
 * A circuit breaker for calls to Redis (Nygard, "Release It!"): when Redis is away, a call costs microseconds rather than its time-out.
 * It opens after some failures in a row, probes by itself so that no caller pays for it, and closes when a probe succeeds.
 */
import { ForebayError } from '../errors.js';
import type { Emit } from '../events.js';

const failuresMax = 5;
const waitFirstMs = 50;
const waitMaxMs = 10_000;

export interface BreakerDependencies {
  /** Resolves when Redis answers. */
  readonly probe: () => Promise<unknown>;
  readonly emit: Emit;
}

export class Breaker {
  readonly #probe: () => Promise<unknown>;
  readonly #emit: Emit;
  #failures = 0;
  #waitMs = waitFirstMs;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;
  /** What every call gets while it is open: made once, for a stack trace costs more than all else. */
  #refusal: ForebayError | undefined;

  constructor({ probe, emit }: BreakerDependencies) {
    this.#probe = probe;
    this.#emit = emit;
  }

  get isOpen(): boolean {
    return this.#refusal !== undefined;
  }

  /** @throws what the call throws; ForebayError REDIS_UNAVAILABLE at once while it is open */
  run<T>(call: () => Promise<T>): Promise<T> {
    if (this.#refusal !== undefined) return Promise.reject(this.#refusal);
    return call().then(
      (result) => {
        this.#failures = 0;
        return result;
      },
      (error: unknown) => {
        this.#failed(error);
        throw error;
      },
    );
  }

  /** For good: an open breaker stays open. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #failed(error: unknown): void {
    // A server that refuses a command is there.
    this.#failures = isReply(error) ? 0 : this.#failures + 1;
    if (this.#failures < failuresMax || this.isOpen) return;
    this.#refusal = unavailable(error);
    this.#waitMs = waitFirstMs;
    this.#emit({ type: 'breaker.opened', error });
    this.#probeLater();
  }

  #probeLater(): void {
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => this.#probeNow(), this.#waitMs);
    this.#timer.unref();
    this.#waitMs = Math.min(2 * this.#waitMs, waitMaxMs);
  }

  #probeNow(): void {
    this.#probe().then(
      () => this.#close(),
      (error: unknown) => (isReply(error) ? this.#close() : this.#probeLater()),
    );
  }

  #close(): void {
    this.#refusal = undefined;
    this.#failures = 0;
    this.#emit({ type: 'breaker.closed' });
  }
}

function isReply(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError';
}

function unavailable(cause: unknown): ForebayError {
  return new ForebayError(
    'REDIS_UNAVAILABLE',
    'Redis does not answer; it is tried again now and then. Values are loaded without the cache meanwhile.',
    { retryable: true, cause },
  );
}
