/** Watches a replay: samples progress and backlog at intervals, and keeps the greatest values. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ReplayProgress } from './replay.js';

/** What forebay tells of its backlog. */
export interface Backlog {
  readonly dirty: number;
  readonly sealed: number;
  readonly oldestDirtyAgeMs: number;
  /** Records written to the database, and batches, since the beginning. */
  readonly persisted: number;
  readonly batches: number;
}

export interface Sample {
  /** Since the replay began. */
  readonly ms: number;
  readonly commits: number;
  readonly accepted: number;
  readonly persisted: number;
  readonly backlog: number;
  readonly oldestDirtyAgeMs: number;
  /** Over the last two seconds. */
  readonly acceptedPerSecond: number;
  readonly persistedPerSecond: number;
}

export interface WatchOptions {
  readonly progress: ReplayProgress;
  readonly readBacklog: () => Promise<Backlog>;
  readonly onSample: (sample: Sample) => void;
  /** Default 200. */
  readonly intervalMs?: number;
}

const rateWindowMs = 2_000;

export class Watch {
  readonly #options: WatchOptions;
  readonly #startedAt = performance.now();
  readonly #stopping = new AbortController();
  readonly #loop: Promise<void>;
  #recent: Sample[] = [];
  #failure: unknown;
  #backlogMax = 0;
  #oldestDirtyAgeMsMax = 0;

  /** Starts at once. */
  constructor(options: WatchOptions) {
    this.#options = options;
    this.#loop = this.#run().catch((error: unknown) => {
      this.#failure = error;
    });
  }

  /** @throws what ended the sampling before `stop` */
  greatest(): { backlogMax: number; oldestDirtyAgeMsMax: number } {
    if (this.#failure !== undefined) throw this.#failure;
    return { backlogMax: this.#backlogMax, oldestDirtyAgeMsMax: this.#oldestDirtyAgeMsMax };
  }

  /** Resolves when nothing is sampled any more. A failure is told by `greatest`. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { intervalMs = 200, onSample } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      onSample(await this.#sample());
      // The wait is cut short by stop(), which is no failure.
      await sleep(intervalMs, undefined, { signal }).catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
    }
  }

  async #sample(): Promise<Sample> {
    const found = await this.#options.readBacklog();
    const ms = performance.now() - this.#startedAt;
    const { commits, accepted } = this.#options.progress;
    const backlog = found.dirty + found.sealed;
    this.#backlogMax = Math.max(this.#backlogMax, backlog);
    this.#oldestDirtyAgeMsMax = Math.max(this.#oldestDirtyAgeMsMax, found.oldestDirtyAgeMs);
    const { persisted, oldestDirtyAgeMs } = found;
    const rates = ratesSince(this.#recent[0], { ms, accepted, persisted });
    const sample = { ms, commits, accepted, persisted, backlog, oldestDirtyAgeMs, ...rates };
    this.#recent = [...this.#recent.filter((one) => one.ms > ms - rateWindowMs), sample];
    return sample;
  }
}

type Totals = Pick<Sample, 'ms' | 'accepted' | 'persisted'>;

export function ratesSince(before: Totals = { ms: 0, accepted: 0, persisted: 0 }, now: Totals) {
  const seconds = Math.max((now.ms - before.ms) / 1_000, 0.001);
  return {
    acceptedPerSecond: (now.accepted - before.accepted) / seconds,
    persistedPerSecond: (now.persisted - before.persisted) / seconds,
  };
}
