/** Who takes part: something that reads through a cache. All get the same keys, values and Redis. */

export interface Contestant {
  readonly name: string;
  /** Reads through a cache in memory; undefined where there is none. */
  readonly memory?: Reader;
  /** Reads through Redis, without a cache in memory. */
  readonly redis: Reader;
  /** The same in another process, as far as it can tell. */
  readonly otherRedis: Reader;
  close(): Promise<void>;
}

export interface Reader {
  /** The cached value, else the loaded one. */
  read(key: string, load: () => Promise<unknown>): Promise<unknown>;
  /** Several at once, where the library has a way to do it. */
  readMany?(
    keys: readonly string[],
    loadMany: (keys: readonly string[]) => Promise<unknown[]>,
  ): Promise<unknown>;
}

export interface ContestantOptions {
  readonly redisUrl: string;
  /** What its keys in Redis begin with. */
  readonly prefix: string;
  readonly ttlSeconds: number;
}
