/** A loader that a test holds back: each load waits until it is let go, and they are counted. */

export interface HeldLoad<T> {
  readonly keys: readonly string[];
  succeed(value: T): void;
  fail(error: Error): void;
}

export class HeldLoader<T> {
  #loads: HeldLoad<T>[] = [];
  #look: () => void = () => undefined;
  /** How many loads have begun. */
  count = 0;

  readonly load = (keys: readonly string[] = []): Promise<T> =>
    new Promise((succeed, fail) => {
      this.count += 1;
      this.#loads.push({ keys, succeed, fail });
      this.#look();
    });

  /** The next load that nobody has taken in hand. */
  async next(): Promise<HeldLoad<T>> {
    for (;;) {
      const load = this.#loads.shift();
      if (load) return load;
      await new Promise<void>((resolve) => {
        this.#look = resolve;
      });
    }
  }
}
