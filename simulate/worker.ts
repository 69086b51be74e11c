/** A worker: the true steps of a flush, of which each is one of the scheduler's. */
import type { Batch } from '../src/buffer/batch.js';
import { applyBatch } from '../src/database/apply.js';
import { BatchSplit } from '../src/services/write-behind/batch-split.js';
import { LedgerWatch } from '../src/services/write-behind/ledger-watch.js';
import { Refused } from './postgres.js';
import type { Random } from './random.js';
import { type Place, prefix, type World } from './world.js';

const nothing = (): undefined => undefined;
const breaker = { run: (work: () => Promise<unknown>) => work() } as never;

export interface FlushEnd {
  /** When the lane needs another job; undefined when it is empty. */
  readonly againInMs: number | undefined;
}

export class Worker {
  readonly #world: World;
  readonly #place: Place;
  readonly #random: Random;
  readonly #watch: LedgerWatch;
  readonly #database;
  readonly #split: BatchSplit;

  constructor(world: World, place: Place, random: Random) {
    this.#world = world;
    this.#place = place;
    this.#random = random;
    const { postgres, lanes } = world;
    const { buffer, client: redis, slot } = place;
    this.#database = postgres.connection((call) => slot.actor.gate(call));
    const shared = { buffer, database: this.#database, breaker, prefix, emit: nothing };
    const { signal } = new AbortController();
    this.#watch = new LedgerWatch({ ...shared, lanes, redis, signal });
    this.#split = new BatchSplit({
      ...shared,
      persisterOf: () => postgres.persister,
      deadLetters: { show: async () => undefined } as never,
    });
  }

  async flush(): Promise<FlushEnd> {
    const { lane } = this.#world;
    for (;;) {
      const reply = await this.#place.buffer.seal(lane, {
        recordsMax: this.#random.of([1, 2, 100]),
        delayMs: 0,
        floor: this.#watch.floorOf(lane),
        compared: this.#watch.comparedOf(lane),
      });
      if (reply.kind === 'uncompared') await this.#watch.compareOnce([lane]);
      if (reply.kind === 'empty') return { againInMs: undefined };
      if (reply.kind === 'wait') return { againInMs: reply.waitMs };
      if (reply.kind === 'batch') await this.#flushBatch(reply.batch);
    }
  }

  async #flushBatch(batch: Batch): Promise<void> {
    const { lane, postgres } = this.#world;
    const { buffer } = this.#place;
    const shared = { database: this.#database, persister: postgres.persister, prefix, emit: nothing };
    try {
      const { outcome } = await applyBatch(batch, shared);
      this.#watch.applied(lane, BigInt(batch.number));
      if (outcome === 'void') return void (await this.#split.run(lane, batch, false));
      if (this.#random.oneIn(3)) await buffer.renew(lane, batch.number);
      await buffer.ack(lane, batch.number);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (this.#random.oneIn(4)) await buffer.postpone(lane, batch.number, { firstMs: 10, maxMs: 100 });
      else await this.#split.run(lane, batch, false);
    }
  }
}
