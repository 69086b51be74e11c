/**
 * A run of warming: a store's values computed page by page, so that a worker that takes the run over goes on
 * with the next page.
 */
import type { ComputedClient } from '../../client/stores/computed-client.js';
import { inTime } from '../../connection/deadline.js';
import type { ComputedStore } from '../../definitions/computed.js';
import { messageOf } from '../../errors.js';
import type { Emit } from '../../events.js';
import { pause } from '../../pause.js';
import type { WarmProgress } from '../../queues/warm-queue.js';

export interface WarmRunDependencies {
  readonly store: ComputedStore & { readonly warm: NonNullable<ComputedStore['warm']> };
  readonly client: ComputedClient<unknown>;
  readonly prisma: unknown;
  readonly emit: Emit;
}

export interface WarmRunCall {
  /** Aborted: the run ends after the page in hand. */
  readonly signal: AbortSignal;
  /** Called after each page. */
  readonly onPage: (progress: WarmProgress) => Promise<void>;
}

/** For a page of ids; its values have the store's own. */
const listTimeoutMs = 30_000;
const errorsMax = 10;
/** Of a page that could not be loaded. */
const triesMax = 3;
/** Longer than a failed load stands for the process's next ones. */
const retryMs = 1_500;

export class WarmRun {
  readonly #dependencies: WarmRunDependencies;

  constructor(dependencies: WarmRunDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Goes on after `done`. Undefined: it was stopped before its end.
   * @throws what the store's list throws; ForebayError REDIS_UNAVAILABLE
   */
  async run(
    done: WarmProgress | undefined,
    { signal, onPage }: WarmRunCall,
  ): Promise<WarmProgress | undefined> {
    const { pageIdsMax, max, loadShare } = this.#dependencies.store.warm;
    let progress = done ?? this.#start();
    const pageOf = await this.#pages(signal);
    while (!signal.aborted) {
      const startedAt = performance.now();
      const limit = Math.min(pageIdsMax, max - seenOf(progress));
      const ids = limit === 0 ? [] : await pageOf(progress.after, limit);
      if (ids.length > 0) {
        const page = await this.#warm(ids.slice(0, limit), signal);
        if (page === undefined) return undefined;
        progress = added(progress, page, performance.now() - startedAt);
      }
      const isLast = ids.length < pageIdsMax;
      if (isLast) progress = { ...progress, max: seenOf(progress) };
      await onPage(progress);
      if (isLast) return progress;
      await pause((performance.now() - startedAt) * (1 / loadShare - 1), signal);
    }
    return undefined;
  }

  #start(): WarmProgress {
    const { name, warm } = this.#dependencies.store;
    return {
      store: name,
      warmed: 0,
      fresh: 0,
      absent: 0,
      failed: 0,
      pages: 0,
      max: warm.max,
      ms: 0,
      errors: [],
    };
  }

  /** What gives the page of ids after one. */
  async #pages(
    signal: AbortSignal,
  ): Promise<(after: string | undefined, limit: number) => Promise<readonly string[]>> {
    const { store, client, prisma } = this.#dependencies;
    const { list, max } = store.warm;
    if (list !== 'hottest') {
      const context = { prisma: prisma as never, signal };
      return (after, limit) => inTime(list({ after, limit }, context), listTimeoutMs);
    }
    const hottest = await client.hottest(max);
    return async (after, limit) => {
      // One that is not among the hottest any more: from the start, past those that are fresh.
      const start = after === undefined ? 0 : hottest.indexOf(after) + 1;
      return hottest.slice(start, start + limit);
    };
  }

  /** Undefined: it was stopped while ids were still to be tried again. */
  async #warm(ids: readonly string[], signal: AbortSignal): Promise<Page | undefined> {
    const { store, client, emit } = this.#dependencies;
    const page = { warmed: 0, fresh: 0, absent: 0 };
    let counts = await client.warm(ids, store.warm.ttlMs);
    for (let tries = 1; ; tries++) {
      page.warmed += counts.computed;
      page.fresh += counts.fresh;
      page.absent += counts.absent;
      const [failure] = counts.failures;
      const failed = counts.failures.length;
      if (failure === undefined) return { ...page, failed, last: ids.at(-1) as string };
      if (tries === triesMax) {
        emit({ type: 'warm.failed', store: store.name, ids: failed, error: failure.error });
        return { ...page, failed, last: ids.at(-1) as string, error: messageOf(failure.error) };
      }
      await pause(retryMs * tries, signal);
      if (signal.aborted) return undefined;
      const again = counts.failures.map(({ id }) => id);
      counts = await client.warm(again, store.warm.ttlMs);
    }
  }
}

/** What came of a page's ids. */
interface Page extends Pick<WarmProgress, 'warmed' | 'fresh' | 'absent' | 'failed'> {
  readonly last: string;
  readonly error?: string;
}

function added(progress: WarmProgress, page: Page, ms: number): WarmProgress {
  const { errors } = progress;
  return {
    ...progress,
    warmed: progress.warmed + page.warmed,
    fresh: progress.fresh + page.fresh,
    absent: progress.absent + page.absent,
    failed: progress.failed + page.failed,
    pages: progress.pages + 1,
    ms: progress.ms + Math.round(ms),
    after: page.last,
    errors: page.error === undefined ? errors : [...errors, page.error].slice(0, errorsMax),
  };
}

/** Ids that pages had so far. */
function seenOf({ warmed, fresh, absent, failed }: WarmProgress): number {
  return warmed + fresh + absent + failed;
}
