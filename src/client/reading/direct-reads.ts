/** Reads of a store while Redis is away, where the store says so: what the database has, one load of a record at a time in a process. */
import type { Loading } from '../../cache/reading/loading.js';
import type { OnRedisAway } from '../../definitions/record.js';
import { isForebayError } from '../../errors.js';

const loadTimeoutMs = 10_000;

export interface DirectReadsDependencies<Value> {
  readonly onRedisAway: OnRedisAway;
  /** Limits the loads, and remembers those that failed just now. */
  readonly loading: Loading;
  /** What a failed load is remembered by. */
  readonly keyOf: (idKey: string) => string;
  /** By id key; what is absent is left out. */
  readonly load: (idKeys: readonly string[]) => Promise<ReadonlyMap<string, Value>>;
}

export class DirectReads<Value> {
  readonly #dependencies: DirectReadsDependencies<Value>;
  /** By id key. */
  readonly #underWay = new Map<string, Promise<ReadonlyMap<string, Value>>>();

  constructor(dependencies: DirectReadsDependencies<Value>) {
    this.#dependencies = dependencies;
  }

  /**
   * Values by id key, in place of a read that failed. Id keys must differ.
   * @throws why it failed, unless Redis is away and the store loads then; else ForebayError DATABASE_UNAVAILABLE, TOO_MANY_LOADS, LOAD_TIMEOUT
   */
  async instead(idKeys: readonly string[], failure: unknown): Promise<ReadonlyMap<string, Value>> {
    const isWanted = this.#dependencies.onRedisAway === 'load';
    if (!isWanted || !isForebayError(failure, 'REDIS_UNAVAILABLE')) throw failure;
    this.#start(idKeys.filter((idKey) => !this.#underWay.has(idKey)));
    const loads = idKeys.map(
      async (idKey) => [idKey, (await this.#underWay.get(idKey))?.get(idKey)] as const,
    );
    const values = await Promise.all(loads);
    return new Map(values.flatMap(([idKey, value]) => (value === undefined ? [] : [[idKey, value]])));
  }

  #start(idKeys: readonly string[]): void {
    if (idKeys.length === 0) return;
    const load = this.#load(idKeys).finally(() => {
      for (const idKey of idKeys) this.#underWay.delete(idKey);
    });
    for (const idKey of idKeys) this.#underWay.set(idKey, load);
  }

  async #load(idKeys: readonly string[]): Promise<ReadonlyMap<string, Value>> {
    const { loading, keyOf, load } = this.#dependencies;
    const keys = idKeys.map(keyOf);
    for (const key of keys) {
      const failure = loading.failureOf(key);
      if (failure) throw failure.error;
    }
    return loading.run(keys, () => load(idKeys), loadTimeoutMs);
  }
}
