/** The clock of Redis's server, read now and then, so that all processes agree on what is stale. */

/** Clocks drift by some ms in this time. */
const readEveryMs = 60_000;

export class ServerClock {
  readonly #readTime: () => Promise<number>;
  #offsetMs = 0;
  #readAtMs = Number.NEGATIVE_INFINITY;

  /** @param readTime the server's time, in ms since 1970 */
  constructor(readTime: () => Promise<number>) {
    this.#readTime = readTime;
  }

  /** In ms since 1970. Until the server's clock was read, this machine's. */
  now(): number {
    const localMs = Date.now();
    if (localMs - this.#readAtMs > readEveryMs) this.#read(localMs);
    return localMs + this.#offsetMs;
  }

  #read(startedAtMs: number): void {
    this.#readAtMs = startedAtMs;
    this.#readTime().then(
      (serverMs) => {
        this.#offsetMs = serverMs - (startedAtMs + Date.now()) / 2;
      },
      // The next look comes with the next minute; whoever reads Redis learns of its errors by himself.
      () => undefined,
    );
  }
}
