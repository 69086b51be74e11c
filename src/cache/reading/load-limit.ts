/**
 * The limit on loads of one process over all keys, so that a Redis that is away does not become a database
 * that is overrun.
 */
import pLimit from 'p-limit';
import { ForebayError } from '../../errors.js';

export interface LoadLimitOptions {
  /** Loads under way at once. */
  readonly loadsMax: number;
  /** Loads that wait for their turn. */
  readonly waitingMax: number;
}

export class LoadLimit {
  readonly #options: LoadLimitOptions;
  readonly #limit: ReturnType<typeof pLimit>;

  constructor(options: LoadLimitOptions) {
    this.#options = options;
    this.#limit = pLimit(options.loadsMax);
  }

  /** @throws ForebayError TOO_MANY_LOADS */
  async run<T>(load: () => Promise<T>): Promise<T> {
    const { loadsMax, waitingMax } = this.#options;
    if (this.#limit.pendingCount >= waitingMax) {
      throw new ForebayError(
        'TOO_MANY_LOADS',
        `${loadsMax} loads are under way and ${waitingMax} wait for their turn. The loaders are too slow for what is read: ` +
          'try again later, serve stale values (grace), or raise loadsMax.',
        { retryable: true, context: { loadsMax, waitingMax } },
      );
    }
    return this.#limit(load);
  }
}
