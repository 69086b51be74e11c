/** A clock that a test moves: what lives for a while ends when the test says so. */

export class TestClock {
  readonly #listeners: (() => void)[] = [];
  #aheadMs = 0;

  /** In ms since 1970: the system's clock, and what the test has moved it by. */
  now(): number {
    return Date.now() + this.#aheadMs;
  }

  /** Moves it forward. Writes whose delay is over by then are in the database when it returns. */
  advance(ms: number): void {
    if (!(ms >= 0)) throw new RangeError(`A clock can't be moved by ${ms} ms: give 0 or more.`);
    this.#aheadMs += ms;
    for (const listener of this.#listeners) listener();
  }

  /** @internal */
  onAdvance(listener: () => void): void {
    this.#listeners.push(listener);
  }
}
