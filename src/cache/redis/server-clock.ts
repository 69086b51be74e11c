/** The clock of Redis's server, read now and then, so that all processes agree on what is stale. */

/** Clocks drift by some ms in this time. */
const readEveryMs = 60_000;
const roundTripMaxMs = 250;

export class ServerClock {
  readonly #readTime: () => Promise<number>;
  #offsetMs: number | undefined;
  #readAtMs = Number.NEGATIVE_INFINITY;

  /** @param readTime the server's time, in ms since 1970 */
  constructor(readTime: () => Promise<number>) {
    this.#readTime = readTime;
  }

  /** In ms since 1970. */
  now(): number {
    const localMs = Date.now();
    // Whoever reads Redis learns of its errors by himself; the clock is read again with the next minute.
    if (localMs - this.#readAtMs > readEveryMs) this.read().catch(() => undefined);
    return localMs + (this.#offsetMs ?? 0);
  }

  /** Before the first `now`. */
  async read(): Promise<void> {
    const startedAtMs = Date.now();
    this.#readAtMs = startedAtMs;
    const serverMs = await this.#readTime();
    const endedAtMs = Date.now();
    // A process that paused meanwhile would be wrong by half of the pause.
    if (endedAtMs - startedAtMs <= roundTripMaxMs || this.#offsetMs === undefined)
      this.#offsetMs = serverMs - (startedAtMs + endedAtMs) / 2;
  }
}
