/**
 * Stores whose flushes somebody has paused: writes are accepted up to the bound, and wait. A store stands for
 * its group: counters of its rows share its lanes.
 */
import type { RedisClient } from '../connection/redis.js';
import { pausedKey } from '../keys.js';

export class Pauses {
  readonly #redis: RedisClient;
  readonly #key: string;

  constructor(redis: RedisClient, prefix: string) {
    this.#redis = redis;
    this.#key = pausedKey(prefix);
  }

  /** Workers leave the store's lanes alone within about two seconds. False: it was paused before. */
  async pause(group: string): Promise<boolean> {
    return (await this.#redis.sadd(this.#key, group)) === 1;
  }

  /** Workers find its lanes within some seconds. False: it was not paused. */
  async resume(group: string): Promise<boolean> {
    return (await this.#redis.srem(this.#key, group)) === 1;
  }

  async groups(): Promise<Set<string>> {
    return new Set(await this.#redis.smembers(this.#key));
  }
}
