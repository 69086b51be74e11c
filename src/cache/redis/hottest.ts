/** What is read most of a store, lately, by all processes: decayed counts in Redis. */
import type { Breaker } from '../../connection/breaker.js';
import type { RedisClient } from '../../connection/redis.js';
import { hottestKeys } from '../../keys.js';
import type { RedisTierDependencies } from './redis-tier.js';
import { type CacheScriptCommands, withCacheScripts } from './scripts.js';

/** Of a store. Far more than a run of warming takes, so that one that gets hot has the time to. */
const idsMax = 20_000;
/** Of one call, as Redis serves nobody else meanwhile: for about half a millisecond. */
const idsOfCallMax = 200;
const ttlMs = 30 * 86_400_000;

export class Hottest {
  readonly #redis: RedisClient & CacheScriptCommands;
  readonly #prefix: string;
  readonly #breaker: Breaker;

  constructor({ redis, prefix, breaker }: RedisTierDependencies) {
    this.#breaker = breaker;
    this.#redis = withCacheScripts(redis);
    this.#prefix = prefix;
  }

  /**
   * @param counts reads by id @param halfLifeMs a whole number; it may change: what was counted fades with it
   * from now on @throws what Redis throws; some of them may be added then
   */
  async add(store: string, counts: ReadonlyMap<string, number>, halfLifeMs: number): Promise<void> {
    const { reads, since } = hottestKeys(this.#prefix, store);
    const pairs = [...counts];
    for (let i = 0; i < pairs.length; i += idsOfCallMax) {
      const some = pairs.slice(i, i + idsOfCallMax).flat();
      await this.#breaker.run(() =>
        this.#redis['cache_count-reads'](reads, since, halfLifeMs, idsMax, ttlMs, ...some),
      );
    }
  }

  /** Ids, the hottest first. @throws what Redis throws */
  async top(store: string, max: number): Promise<string[]> {
    // To ZREVRANGE, up to -1 is all.
    if (max < 1) return [];
    const { reads } = hottestKeys(this.#prefix, store);
    return this.#breaker.run(() => this.#redis.zrevrange(reads, 0, max - 1));
  }
}
