/** What a worker knows of paused stores: read now and then, so that a flush need not ask. */
import type { Lane } from '../../buffer/lane.js';
import type { Pauses } from '../../buffer/pauses.js';
import type { Emit } from '../../events.js';
import type { Resources } from '../../resources.js';
import { every } from '../role/every.js';

/** Somebody who pauses a store is told that it takes about two seconds. */
const readEveryMs = 2_000;

export class PausedGroups {
  readonly #pauses: Pauses;
  readonly #emit: Emit;
  #groups: ReadonlySet<string> = new Set();

  constructor(pauses: Pauses, emit: Emit) {
    this.#pauses = pauses;
    this.#emit = emit;
  }

  /** Reads them before anything is flushed. */
  async start(parts: Resources): Promise<void> {
    await this.#read();
    every(parts, 'pauses of stores', readEveryMs, () => this.#read());
  }

  has({ group }: Lane): boolean {
    return this.#groups.has(group.name);
  }

  async #read(): Promise<void> {
    try {
      const groups = await this.#pauses.groups();
      const before = [...this.#groups].sort().join();
      this.#groups = groups;
      const stores = [...groups].sort();
      if (stores.join() !== before) this.#emit({ type: 'stores.paused', stores });
    } catch (error) {
      // What was known stays true: a Redis that is away lets nobody flush.
      this.#emit({ type: 'redis.error', connection: 'worker', error });
    }
  }
}
