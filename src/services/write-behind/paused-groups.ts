/** What a worker knows of paused stores; a flush asks again when that is old, so idle lanes cost little. */
import type { Lane } from '../../buffer/lane.js';
import type { Pauses } from '../../buffer/pauses.js';
import type { Emit } from '../../events.js';
import type { Resources } from '../../resources.js';
import { every } from '../role/every.js';

/** Somebody who pauses a store is told that it takes about two seconds. */
const knownMs = 2_000;
/** To tell of changes while nothing is flushed. */
const readEveryMs = 30_000;

export class PausedGroups {
  readonly #pauses: Pauses;
  readonly #emit: Emit;
  #groups: ReadonlySet<string> = new Set();
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;

  constructor(pauses: Pauses, emit: Emit) {
    this.#pauses = pauses;
    this.#emit = emit;
  }

  start(parts: Resources): void {
    every(parts, 'pauses of stores', readEveryMs, () => this.#read());
  }

  /** As of two seconds ago at most, while Redis answers. */
  async has({ group }: Lane): Promise<boolean> {
    if (performance.now() - this.#readAt > knownMs) await this.#read();
    return this.#groups.has(group.name);
  }

  #read(): Promise<void> {
    this.#reading ??= this.#readOnce().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readOnce(): Promise<void> {
    const readAt = performance.now();
    try {
      const groups = await this.#pauses.groups();
      const before = [...this.#groups].sort().join();
      this.#groups = groups;
      this.#readAt = readAt;
      const stores = [...groups].sort();
      if (stores.join() !== before) this.#emit({ type: 'stores.paused', stores });
    } catch (error) {
      // What was known stays true: a Redis that is away lets nobody flush.
      this.#emit({ type: 'redis.error', connection: 'worker', error });
    }
  }
}
