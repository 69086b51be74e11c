/** Counts what a worker flushes, as its events tell, and adds it to the history now and then. */
import { addFlushes, type Flushes } from '../../buffer/flush-history.js';
import type { RedisClient } from '../../connection/redis.js';
import type { Emit } from '../../events.js';
import type { Resources } from '../../resources.js';
import { every } from '../role/every.js';

const addEveryMs = 5_000;

export class FlushTally {
  readonly #emit: Emit;
  readonly #sealedAt = new Map<string, number>();
  #lanes = new Map<string, Flushes>();

  constructor(emit: Emit) {
    this.#emit = emit;
  }

  /** A listener. */
  readonly count: Emit = (event) => {
    if (event.type === 'batch.sealed') this.#sealedAt.set(event.lane, performance.now());
    if (event.type === 'batch.acked') this.#count(event.lane, event.size);
  };

  start(parts: Resources, redis: RedisClient, prefix: string): void {
    every(parts, 'history of flushes', addEveryMs, () => this.#add(redis, prefix));
  }

  #count(lane: string, size: number): void {
    const { rows, batches, ms } = this.#lanes.get(lane) ?? { rows: 0, batches: 0, ms: 0 };
    const took = performance.now() - (this.#sealedAt.get(lane) ?? performance.now());
    this.#lanes.set(lane, { rows: rows + size, batches: batches + 1, ms: ms + took });
  }

  /** What could not be added is missing in the charts, and nowhere else. */
  async #add(redis: RedisClient, prefix: string): Promise<void> {
    if (this.#lanes.size === 0) return;
    const lanes = this.#lanes;
    this.#lanes = new Map();
    await addFlushes(redis, prefix, lanes).catch((error: unknown) =>
      this.#emit({ type: 'redis.error', connection: 'worker', error }),
    );
  }
}
