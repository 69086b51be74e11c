/** Work on one thing, of one process, one after the other: as a courtesy, not as a lock. */

/**
 * After this long the next one starts too, so that work which waits for other work on the same thing does not
 * wait for ever.
 */
const turnMaxMs = 100;

export class Turns {
  /** The end of the last turn for a key. */
  readonly #last = new Map<string, Promise<void>>();

  async take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key);
    let end = (): void => undefined;
    const turn = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.#last.set(key, turn);
    await before;
    const timer = setTimeout(end, turnMaxMs);
    try {
      return await work();
    } finally {
      clearTimeout(timer);
      end();
      if (this.#last.get(key) === turn) this.#last.delete(key);
    }
  }
}
