/**
 * Runs loaders: under the limit over all keys, with a time-out, and not again at once when they have failed.
 */
import { LRUCache } from 'lru-cache';
import { ForebayError } from '../../errors.js';
import type { LoadLimit } from './load-limit.js';

/** What a loader is told. */
export interface LoadContext {
  /** Aborted when the load has taken too long: its result is not waited for any more. */
  readonly signal: AbortSignal;
}

type Load<T> = (context: LoadContext) => Promise<T>;

/** The values of keys that exist; others are absent. */
export type LoadMany<T> = (keys: readonly string[], context: LoadContext) => Promise<ReadonlyMap<string, T>>;

/** How long a failure stands for the next reads of the key. */
const failureStandsMs = 1_000;
const failuresMax = 10_000;

export class Loading {
  readonly #limit: LoadLimit;
  readonly #failures = new LRUCache<string, { readonly error: unknown }>({
    max: failuresMax,
    ttl: failureStandsMs,
  });

  #isClosed = false;

  constructor(limit: LoadLimit) {
    this.#limit = limit;
  }

  /**
   * From now on no load begins: a read that waits for another's, or was refreshing in the background, ends
   * without one.
   */
  close(): void {
    this.#isClosed = true;
  }

  /** @throws ForebayError CLOSED */
  checkOpen(): void {
    if (this.#isClosed) throw new ForebayError('CLOSED', 'This client is closed.');
  }

  /** Why the key's last load failed, when that was just now. */
  failureOf(key: string): { readonly error: unknown } | undefined {
    return this.#failures.get(key);
  }

  /** @throws what the loader throws; ForebayError LOAD_TIMEOUT, TOO_MANY_LOADS, CLOSED */
  async run<T>(keys: readonly string[], load: Load<T>, timeoutMs: number): Promise<T> {
    try {
      return await this.#limit.run(() => this.#start(keys, load, timeoutMs));
    } catch (error) {
      for (const key of keys) this.#failures.set(key, { error });
      throw error;
    }
  }

  #start<T>(keys: readonly string[], load: Load<T>, timeoutMs: number): Promise<T> {
    this.checkOpen();
    return withTimeout(keys, load, timeoutMs);
  }

  forget(key: string): void {
    this.#failures.delete(key);
  }
}

async function withTimeout<T>(keys: readonly string[], load: Load<T>, timeoutMs: number): Promise<T> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = loadTimeout(keys, timeoutMs);
      controller.abort(error);
      reject(error);
    }, timeoutMs);
  });
  try {
    return await Promise.race([load({ signal: controller.signal }), timeout]);
  } finally {
    clearTimeout(timer);
  }
}

function loadTimeout(keys: readonly string[], timeoutMs: number): ForebayError {
  const what = keys.length === 1 ? keys[0] : `${keys[0]} and ${keys.length - 1} more`;
  return new ForebayError(
    'LOAD_TIMEOUT',
    `The load of ${what} took more than ${timeoutMs} ms. Make it faster, or raise loadTimeoutMs where the read has it.`,
    { retryable: true, context: { keys: keys.slice(0, 10), timeoutMs } },
  );
}
