/** Texts by key, each with a life by the test's clock: what the cache has in Redis. */
import type { TestClock } from '../clock.js';

interface Held {
  readonly content: string;
  readonly endsAtMs: number;
}

export class MemoryEntries {
  readonly #held = new Map<string, Held>();
  readonly #clock: TestClock;
  readonly #onChange: (key: string) => void;

  /** @param onChange told of each key that is written or dropped */
  constructor(clock: TestClock, onChange: (key: string) => void = () => undefined) {
    this.#clock = clock;
    this.#onChange = onChange;
  }

  get(key: string): string | null {
    return this.#alive(key)?.content ?? null;
  }

  set(key: string, content: string, ttlMs: number): void {
    this.#write(key, { content, endsAtMs: this.#clock.now() + ttlMs });
  }

  /** Lives on as before. */
  replace(key: string, content: string): void {
    const endsAtMs = this.#alive(key)?.endsAtMs ?? Number.POSITIVE_INFINITY;
    this.#write(key, { content, endsAtMs });
  }

  /** Gives it another life. */
  touch(key: string, ttlMs: number): void {
    const content = this.get(key);
    if (content !== null) this.set(key, content, ttlMs);
  }

  /** False: there was none. */
  delete(key: string): boolean {
    const isThere = this.#alive(key) !== undefined;
    this.#held.delete(key);
    if (isThere) this.#onChange(key);
    return isThere;
  }

  /** Life that is left, in ms; -2 of none, as Redis says it. */
  leftMs(key: string): number {
    const held = this.#alive(key);
    return held === undefined ? -2 : held.endsAtMs - this.#clock.now();
  }

  keys(): string[] {
    return [...this.#held.keys()].filter((key) => this.#alive(key) !== undefined);
  }

  #write(key: string, held: Held): void {
    this.#held.set(key, held);
    this.#onChange(key);
  }

  #alive(key: string): Held | undefined {
    const held = this.#held.get(key);
    return held !== undefined && held.endsAtMs > this.#clock.now() ? held : undefined;
  }
}
