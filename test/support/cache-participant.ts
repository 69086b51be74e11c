/** One who reads and changes a cached value in the tests of random order: in this process, or in one of its own. */
import type { Forebay } from '../../src/app/connect.js';
import type { Definitions } from '../../src/definitions/stores.js';

export const ways = ['cacheAside', 'cacheAsideStale', 'batchCacheAside', 'refreshAhead'] as const;
export type Way = (typeof ways)[number];
export const changes = ['delete', 'pattern', 'tag', 'set', 'writeThrough'] as const;
export type Change = (typeof changes)[number];

/** What is read and changed. */
export interface Subject {
  readonly key: string;
  readonly tag: string;
  readonly loadTimeoutMs: number;
}

export interface Participant {
  /** Without, it sees every accepted change, by whomever; with, those of others some ms later. */
  readonly hasMemory: boolean;
  readonly isRunning: boolean;
  read(subject: Subject, way: Way, load: () => Promise<number>): Promise<number | null>;
  /** @param commit changes the row: before the cache, or as the write of `writeThrough` */
  change(subject: Subject, change: Change, version: number, commit: () => Promise<unknown>): Promise<void>;
  /** Resolves when every read that has begun is over, loads or waits. */
  reachLoads(): Promise<void>;
}

/** So short that values go stale, or are due, all the time. */
const staleAfter = 0.005;
const dueAfter = 0.0001;

export class AppParticipant implements Participant {
  readonly hasMemory: boolean;
  readonly isRunning = true;
  readonly #app: Forebay<Definitions>;

  constructor(app: Forebay<Definitions>, { hasMemory }: { hasMemory: boolean }) {
    this.#app = app;
    this.hasMemory = hasMemory;
  }

  async read(subject: Subject, way: Way, load: () => Promise<number>): Promise<number | null> {
    const { patterns } = this.#app;
    const { key, tag, loadTimeoutMs } = subject;
    const options = { tags: [tag], loadTimeoutMs };
    if (way === 'cacheAside') return patterns.cacheAside(key, load, 60, options);
    if (way === 'cacheAsideStale') return patterns.cacheAsideStale(key, load, staleAfter, 60, options);
    if (way === 'refreshAhead') return patterns.refreshAhead(key, load, 60, dueAfter, options);
    const [value = null] = await patterns.batchCacheAside([key], async () => [await load()], 60, options);
    return value;
  }

  async change(subject: Subject, change: Change, version: number, commit: () => Promise<unknown>) {
    const { cache, patterns } = this.#app;
    const { key, tag } = subject;
    const options = { tags: [tag] };
    if (change !== 'writeThrough') await commit();
    if (change === 'delete') await cache.delete(key);
    else if (change === 'pattern') await cache.invalidatePattern(`${key}*`);
    else if (change === 'tag') await cache.invalidateTag(tag);
    else if (change === 'set') await cache.set(key, version, 60, options);
    else await patterns.writeThrough(key, version, commit, 60, options);
  }

  /** Redis answers in order: after some round trips, those that a read makes before its load are over too. */
  async reachLoads(): Promise<void> {
    for (let i = 0; i < 6; ) {
      const isAnswered = await this.#app.cache.get('nothing').then(
        () => true,
        () => false, // it was paused, and its connection has timed out
      );
      i = isAnswered ? i + 1 : 0;
      if (!isAnswered) await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}
