/**
 * Reads of a store: entries from Redis, those of one turn in one command; what is missing, by leased loads.
 */
import { LeasedLoads } from '../../cache/reading/leased-loads.js';
import type { Missed } from '../../cache/reading/load-task.js';
import type { Loaded } from '../../cache/reading/port.js';
import { isAway, toReadError } from '../../connection/redis.js';
import { isForebayError } from '../../errors.js';
import type { ClientContext } from '../context.js';
import type { StorePort } from './store-port.js';

interface Found<Value> {
  readonly value: Value | null;
}

export class StoreReads<Value> {
  readonly #context: ClientContext;
  readonly #port: StorePort<Value, unknown, Loaded<Value | null>>;
  readonly #loads: LeasedLoads<Value | null>;

  constructor(context: ClientContext, port: StorePort<Value, unknown, Loaded<Value | null>>) {
    const { storeLoading, waitingRoom } = context.reading;
    this.#context = context;
    this.#port = port;
    this.#loads = new LeasedLoads({ loading: storeLoading, waitingRoom });
  }

  async get(idKey: string): Promise<Value | null> {
    const found = await this.#look(idKey);
    if ('value' in found) return found.value;
    const [loaded] = this.#loads.read([found], this.#port) as [Promise<Value | null>];
    return loaded;
  }

  /** Values in the order of `idKeys`, null where there is none. */
  async getMany(idKeys: readonly string[]): Promise<(Value | null)[]> {
    const keys = [...new Set(idKeys)];
    const found = await Promise.all(keys.map((key) => this.#look(key)));
    const loads = this.#loads.read(found.filter(isMissed), this.#port).values();
    const values = await Promise.all(found.map((one) => (isMissed(one) ? loads.next().value : one.value)));
    const byKey = new Map(keys.map((key, i) => [key, values[i]]));
    return idKeys.map((key) => byKey.get(key) ?? null);
  }

  /** The entry as it stands in Redis. @throws ForebayError REDIS_UNAVAILABLE, REDIS_REFUSED */
  async contentOf(idKey: string): Promise<string | null> {
    const startedAt = performance.now();
    try {
      const content = await this.#context.entries.get(this.#port.nameOf(idKey));
      this.#context.reading.statistics.took(performance.now() - startedAt);
      return content;
    } catch (error) {
      this.#port.countsOf().errors += 1;
      throw toReadError(error);
    }
  }

  async #look(idKey: string): Promise<Found<Value> | Missed> {
    const counts = this.#port.countsOf();
    try {
      const standing = await this.#port.open(idKey, await this.contentOf(idKey));
      if (standing.kind === 'value') {
        counts.hits += 1;
        return standing;
      }
      counts.misses += 1;
      return { key: idKey, lease: standing.lease };
    } catch (error) {
      if (!isForebayError(error) || !isAway(error)) throw error;
      counts.misses += 1;
      return { key: idKey, away: { error } };
    }
  }
}

function isMissed<Value>(found: Found<Value> | Missed): found is Missed {
  return 'key' in found;
}
