/** The listeners of one stream of events, which may come and go. */
import type { Emit, ForebayEvent } from './events.js';

export class Listeners {
  readonly #all: Set<Emit>;

  constructor(first: Emit) {
    this.#all = new Set([first]);
  }

  /** Tells all of them, in the order in which they came. */
  readonly emit: Emit = (event: ForebayEvent) => {
    for (const listener of this.#all) listener(event);
  };

  /** Returns what ends it. */
  add(listener: Emit): () => void {
    this.#all.add(listener);
    return () => void this.#all.delete(listener);
  }
}
