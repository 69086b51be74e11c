/**
 * A circuit breaker for a worker's way to the database: while the database is away, the lanes in hand wait,
 * and nothing but one probe at a time reaches for it. A failure alone opens nothing, for a deadlock fails
 * too: what a probe finds decides. Work that is silent for long is no failure, but also reason for a probe: a
 * query to a server that froze never ends.
 */
import { inTime } from '../../connection/deadline.js';
import { failureReason } from '../../database/database.js';
import type { Emit } from '../../events.js';
import { pause } from '../../pause.js';
import { jittered } from '../role/retry.js';

/** A database that takes longer for the cheapest of queries is away. */
const probeMaxMs = 2_000;
const probeWaitFirstMs = 50;
const probeWaitMaxMs = 1_000;
/** Work that takes longer is reason for a probe. */
const silenceMaxMs = 5_000;
/** Work waits no longer: another worker's way to the database may be open. */
const holdMaxMs = 5_000;

export interface DatabaseBreakerDependencies {
  /** A cheap query: resolves when the database answers. */
  readonly probe: () => Promise<unknown>;
  readonly emit: Emit;
  /** Runs work when a connection is free. */
  readonly limit: <T>(work: () => Promise<T>) => Promise<T>;
  /** Aborted when the worker is to stop: nothing waits and nothing probes any longer. */
  readonly signal: AbortSignal;
}

/** Thrown for work that was not done, for the database is away; there is nothing wrong with the work. */
export class DatabaseAway extends Error {
  override readonly name = 'DatabaseAway';
}

interface Outage {
  readonly since: number;
  readonly over: AbortController;
}

const silence = `a batch takes longer than ${silenceMaxMs} ms, and the database does not answer`;

type Outcome<T> = { readonly result: T } | 'away';

export class DatabaseBreaker {
  readonly #dependencies: DatabaseBreakerDependencies;
  #outage: Outage | undefined;
  #check: Promise<boolean> | undefined;

  constructor(dependencies: DatabaseBreakerDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Runs `work` when the database is there and a connection is free; and again when it failed because the
   * database went away.
   * @throws what the work throws while the database answers; DatabaseAway when it stays away for 5 s, or the
   * worker is to stop meanwhile
   */
  async run<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      await this.#untilClosed();
      const outcome = await this.#dependencies.limit(() => this.#try(work));
      if (outcome !== 'away') return outcome.result;
    }
  }

  async #untilClosed(): Promise<void> {
    const outage = this.#outage;
    if (!outage) return;
    const over = outage.over.signal;
    await pause(holdMaxMs, this.#dependencies.signal, over);
    if (!over.aborted) throw new DatabaseAway('The database is away.');
  }

  /** Within its connection's turn also the probe, so that a connection is free for it. */
  async #try<T>(work: () => Promise<T>): Promise<Outcome<T>> {
    if (this.#outage) return 'away';
    const watch = setInterval(() => void this.#isAway(new Error(silence)), silenceMaxMs);
    try {
      return { result: await work() };
    } catch (error) {
      if (failureReason(error) === 'unavailable' && (await this.#isAway(error))) return 'away';
      throw error;
    } finally {
      clearInterval(watch);
    }
  }

  /** Work that fails at the same time shares a probe. */
  #isAway(error: unknown): Promise<boolean> {
    this.#check ??= this.#openUnlessAnswered(error).finally(() => {
      this.#check = undefined;
    });
    return this.#check;
  }

  async #openUnlessAnswered(error: unknown): Promise<boolean> {
    if (this.#outage) return true;
    if (await this.#answers()) return false;
    const outage = { since: performance.now(), over: new AbortController() };
    this.#outage = outage;
    this.#dependencies.emit({ type: 'database.away', error });
    void this.#probeUntilBack(outage);
    return true;
  }

  async #probeUntilBack(outage: Outage): Promise<void> {
    const { signal } = this.#dependencies;
    let waitMs = probeWaitFirstMs;
    do {
      await pause(jittered(waitMs), signal);
      if (signal.aborted) return;
      waitMs = Math.min(2 * waitMs, probeWaitMaxMs);
    } while (!(await this.#answers()));
    this.#outage = undefined;
    outage.over.abort();
    this.#dependencies.emit({ type: 'database.back', ms: Math.round(performance.now() - outage.since) });
  }

  async #answers(): Promise<boolean> {
    try {
      await inTime(this.#dependencies.probe(), probeMaxMs);
      return true;
    } catch {
      return false;
    }
  }
}
