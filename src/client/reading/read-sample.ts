/**
 * Counts the reads of a store, for what is warmed: all while they are few, else every n-th on average, which
 * then counts for n. What was counted goes to Redis now and then; what could not be sent is dropped, as it is
 * only a sample.
 */
import type { Hottest } from '../../cache/redis/hottest.js';
import type { Emit } from '../../events.js';

export interface ReadSampleOptions {
  readonly store: string;
  readonly halfLifeMs: number;
  readonly hottest: Pick<Hottest, 'add'>;
  readonly emit: Emit;
}

const sendEveryMs = 10_000;
/** Most reads of a period that are counted, about: then every other one is left out. */
const samplesMax = 10_000;

export class ReadSample {
  readonly #options: ReadSampleOptions;
  readonly #timer: NodeJS.Timeout;
  #counts = new Map<string, number>();
  /** Of how many reads one is counted. */
  #interval = 1;
  #untilNext = 1;
  /** Counted in this period, as if at the interval of now. */
  #samples = 0;
  #sending: Promise<void> | undefined;

  constructor(options: ReadSampleOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#endPeriod(), sendEveryMs);
    this.#timer.unref();
  }

  /** On the way of every read: a subtraction, most times. */
  count(id: string): void {
    this.#untilNext -= 1;
    if (this.#untilNext <= 0) this.#take(id);
  }

  /** Sends what was counted. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#sending;
    this.#send();
    await this.#sending;
  }

  #take(id: string): void {
    // By chance, so that reads in a cycle are all met; n on average.
    this.#untilNext = this.#interval === 1 ? 1 : Math.ceil(Math.random() * (2 * this.#interval - 1));
    this.#counts.set(id, (this.#counts.get(id) ?? 0) + this.#interval);
    this.#samples += 1;
    if (this.#samples === samplesMax) {
      this.#samples /= 2;
      this.#interval *= 2;
    }
    if (this.#counts.size >= samplesMax) this.#send();
  }

  #endPeriod(): void {
    this.#interval = Math.max(1, Math.ceil((this.#samples * this.#interval) / samplesMax));
    this.#samples = 0;
    // Drawn for a busier period, the next one could be far off.
    this.#untilNext = Math.min(this.#untilNext, this.#interval);
    this.#send();
  }

  /** One at a time: while Redis is slow, what is counted meanwhile is dropped. */
  #send(): void {
    const counts = this.#counts;
    if (counts.size === 0) return;
    this.#counts = new Map();
    if (this.#sending !== undefined) return;
    this.#sending = this.#sendCounts(counts).finally(() => {
      this.#sending = undefined;
    });
  }

  async #sendCounts(counts: ReadonlyMap<string, number>): Promise<void> {
    const { store, halfLifeMs, hottest, emit } = this.#options;
    try {
      await hottest.add(store, counts, halfLifeMs);
    } catch (error) {
      emit({ type: 'reads.unsent', store, error });
    }
  }
}
