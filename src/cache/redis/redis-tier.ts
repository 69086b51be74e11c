/**
 * Typed calls for the steps of the protocol in README.md, each on one entry or tag; calls of one turn share a
 * round trip.
 */
import { randomBytes } from 'node:crypto';
import type { Breaker } from '../../connection/breaker.js';
import { getMany, keysTogether } from '../../connection/get-many.js';
import type { RedisClient } from '../../connection/redis.js';
import { scanKeys } from '../../connection/scan.js';
import { cacheEntryKey, filledChannel, tagKey } from '../../keys.js';
import { parseEntryContent, type TagVersions, type ValueEntry } from '../entry/value-entry.js';
import { BatchedGet } from './batched-get.js';
import { type CacheScriptCommands, withCacheScripts } from './scripts.js';

export type Claim =
  /** The caller may fill the entry. */
  | { readonly kind: 'lease'; readonly token: string }
  /** Somebody else may, for `waitMs` at most. */
  | { readonly kind: 'wait'; readonly waitMs: number }
  /** Somebody has filled it meanwhile. */
  | { readonly kind: 'value'; readonly entry: ValueEntry };

/**
 * What a claim finds too old: the value with this id, none, or whatever stands there. `write`: whatever
 * stands there is about to be written, so the lease covers nothing.
 */
export type Seen = { readonly id: string } | 'nothing' | 'anything' | 'write';

const seenMarks = { nothing: '', anything: '*', write: '!' };

/** Longer than the longest life of a value: a version that ends earlier costs a load. */
const tagTtlMs = 30 * 86_400_000;

export interface RedisTierDependencies {
  readonly redis: RedisClient;
  readonly prefix: string;
  readonly breaker: Breaker;
}

/** Where values are kept: Redis, or a test's memory. */
export type Tier = Pick<RedisTier, keyof RedisTier>;

export class RedisTier {
  readonly #redis: RedisClient & CacheScriptCommands;
  readonly #breaker: Breaker;
  readonly #prefix: string;
  readonly #channel: string;
  readonly #batch: BatchedGet;
  /** Whether many values are read with one command. */
  readonly readsTogether: boolean;
  /** Tokens and ids: random for the process, counted within it. */
  readonly #process = randomBytes(9).toString('base64url');
  #count = 0;

  constructor({ redis, prefix, breaker }: RedisTierDependencies) {
    this.#redis = withCacheScripts(redis);
    this.#breaker = breaker;
    this.#prefix = prefix;
    this.#channel = filledChannel(prefix);
    this.#batch = new BatchedGet((entryKeys) => this.#mget(entryKeys), keysTogether(redis));
    this.readsTogether = keysTogether(redis) > 1;
  }

  /** For tokens of leases and ids of values. */
  newId(): string {
    this.#count += 1;
    return `${this.#process}${this.#count.toString(36)}`;
  }

  /** The entry as it stands in Redis. */
  get(key: string): Promise<string | null> {
    return this.#batch.get(cacheEntryKey(this.#prefix, key));
  }

  getMany(keys: readonly string[]): Promise<(string | null)[]> {
    return keys.length === 0
      ? Promise.resolve([])
      : this.#mget(keys.map((key) => cacheEntryKey(this.#prefix, key)));
  }

  #mget(entryKeys: string[]): Promise<(string | null)[]> {
    return this.#breaker.run(() => getMany(this.#redis, entryKeys));
  }

  /** `token`: of a lease that the caller has, to hold it for `leaseMs` from now on. */
  async claim(key: string, seen: Seen, leaseMs: number, token = this.newId()): Promise<Claim> {
    const [kind, content, waitMs] = await this.#breaker.run(() =>
      this.#redis.cache_claim(
        cacheEntryKey(this.#prefix, key),
        token,
        leaseMs,
        typeof seen === 'string' ? seenMarks[seen] : seen.id,
      ),
    );
    const { value } = parseEntryContent(content);
    if (kind === 'lease') return { kind, token };
    if (kind === 'value' && value) return { kind, entry: value };
    return { kind: 'wait', waitMs: waitMs ?? 0 };
  }

  /** False: the lease is gone, and nothing was filled. */
  async fill(key: string, token: string, content: string, ttlMs: number): Promise<boolean> {
    const entry = cacheEntryKey(this.#prefix, key);
    return (
      (await this.#breaker.run(() =>
        this.#redis.cache_fill(entry, token, content, ttlMs, this.#channel, key),
      )) === 1
    );
  }

  /** Gives a lease back; the value that it covers stands again, or is dropped with it. */
  async release(key: string, token: string, { isRestored }: { isRestored: boolean }): Promise<void> {
    const entry = cacheEntryKey(this.#prefix, key);
    await this.#breaker.run(() =>
      this.#redis.cache_release(entry, token, this.#channel, key, isRestored ? 1 : 0),
    );
  }

  /** Replaces whatever stands there, also a lease. */
  async set(key: string, content: string, ttlMs: number): Promise<void> {
    await this.#breaker.run(() => this.#redis.set(cacheEntryKey(this.#prefix, key), content, 'PX', ttlMs));
  }

  /** Sets an entry without a value; a lease over nothing is replaced. False: there is a value. */
  async setIfAbsent(key: string, content: string, ttlMs: number): Promise<boolean> {
    const entry = cacheEntryKey(this.#prefix, key);
    return (await this.#breaker.run(() => this.#redis['cache_set-if-absent'](entry, content, ttlMs))) === 1;
  }

  /**
   * The sum; of no value, a counter is made that lives for `ttlMs`. `other`: there is a value that is no
   * plain integer; `overflow`: nothing was added.
   */
  async increment(key: string, delta: number, ttlMs: number): Promise<number | 'other' | 'overflow'> {
    const sum = await this.#breaker.run(() =>
      this.#redis.cache_increment(cacheEntryKey(this.#prefix, key), delta, ttlMs),
    );
    return sum === 'other' || sum === 'overflow' ? sum : Number(sum);
  }

  /** Life that is left, in ms; Infinity when it does not expire; undefined when there is no value. */
  async ttlMs(key: string): Promise<number | undefined> {
    const entryKey = cacheEntryKey(this.#prefix, key);
    const [content, leftMs] = await Promise.all([
      this.#breaker.run(() => this.#redis.get(entryKey)),
      this.#breaker.run(() => this.#redis.pttl(entryKey)),
    ]);
    if (parseEntryContent(content).value === undefined || leftMs === -2) return undefined;
    return leftMs === -1 ? Number.POSITIVE_INFINITY : leftMs;
  }

  /** Gives a value another life. False: there is none. */
  async expire(key: string, ttlMs: number): Promise<boolean> {
    const entryKey = cacheEntryKey(this.#prefix, key);
    return (await this.#breaker.run(() => this.#redis.cache_expire(entryKey, ttlMs))) === 1;
  }

  /** Returns how many there were. */
  async delete(keys: readonly string[]): Promise<number> {
    const counts = await Promise.all(
      keys.map((key) => this.#breaker.run(() => this.#redis.unlink(cacheEntryKey(this.#prefix, key)))),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** Of a tag without a version, one is made. */
  async tagVersions(tags: readonly string[]): Promise<TagVersions> {
    const versions = tags.map((tag) =>
      this.#breaker.run(() => this.#redis['cache_tag-version'](tagKey(this.#prefix, tag), tagTtlMs)),
    );
    return toVersions(tags, await Promise.all(versions));
  }

  /** Undefined for a tag without a version. */
  async knownTagVersions(tags: readonly string[]): Promise<ReadonlyMap<string, string | null>> {
    return toVersions(tags, await Promise.all(tags.map((tag) => this.#batch.get(tagKey(this.#prefix, tag)))));
  }

  async invalidateTag(tag: string): Promise<void> {
    await this.#breaker.run(() => this.#redis['cache_invalidate-tag'](tagKey(this.#prefix, tag), tagTtlMs));
  }

  /** Keys in Redis that match a glob pattern, in groups as they are found; some may come twice. */
  async *scan(match: string): AsyncGenerator<string[], void, undefined> {
    const groups = scanKeys(this.#redis, match);
    for (;;) {
      const next = await this.#breaker.run(() => groups.next());
      if (next.done) return;
      yield next.value;
    }
  }

  /** The server's time, in ms since 1970. */
  async time(): Promise<number> {
    const [seconds, micros] = await this.#breaker.run(() => this.#redis.time());
    return Number(seconds) * 1_000 + Number(micros) / 1_000;
  }
}

function toVersions<V>(tags: readonly string[], versions: readonly V[]): ReadonlyMap<string, V> {
  return new Map(tags.map((tag, i) => [tag, versions[i] as V]));
}
