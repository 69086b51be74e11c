/**
 * The entries of a record store's rows and of their counters, which are dropped when the rows were written by
 * another way than through the store.
 */
import { type RecordStore, withCounters } from '../../definitions/stores.js';
import type { ClientContext } from '../context.js';
import { inPlace } from '../in-place.js';

const unlinkMax = 1_000;

export class RowEntries {
  readonly #context: ClientContext;
  readonly #store: RecordStore;

  constructor(context: ClientContext, store: RecordStore) {
    this.#context = context;
    this.#store = store;
  }

  /** Those of these rows. Where Redis does not, it is told as an event: the rows are written already. */
  async drop(idKeys: Iterable<string>): Promise<void> {
    const ids = [...new Set(idKeys)];
    await this.#orTell(() => inPlace(this.#context, this.#store.group, () => this.#unlink(ids)));
  }

  /** Those of all rows, found by a scan. */
  async dropAll(): Promise<void> {
    const { dropEntries, lanes, routes } = this.#context;
    await this.#orTell(async () => {
      await routes.refresh();
      await dropEntries(lanes.ofStore(this.#store.name));
    });
  }

  async #unlink(idKeys: readonly string[]): Promise<void> {
    const { lanes, redis, breaker } = this.#context;
    const stores = withCounters(this.#store);
    for (const keys of lanes.groupBy(this.#store, idKeys).values()) {
      const entries = keys.flatMap((key) => stores.map((store) => lanes.entryKeyOf(store, key)));
      for (let i = 0; i < entries.length; i += unlinkMax)
        await breaker.run(() => redis.unlink(...entries.slice(i, i + unlinkMax)));
    }
  }

  async #orTell(drop: () => Promise<void>): Promise<void> {
    try {
      await drop();
    } catch (error) {
      this.#context.emit({ type: 'entries.not-dropped', store: this.#store.name, error });
    }
  }
}
