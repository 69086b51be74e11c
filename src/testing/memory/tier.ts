/**
 * Cached values in memory: the rules of `src/cache/redis/lua`. The conformance suite holds the two to each
 * other.
 */
import { parseEntryContent, type TagVersions } from '../../cache/entry/value-entry.js';
import type { Claim, Seen, Tier } from '../../cache/redis/redis-tier.js';
import { cacheEntryKey, filledChannel, tagKey } from '../../keys.js';
import type { TestClock } from '../clock.js';
import type { Faults } from '../faults.js';
import type { MemoryBus } from './bus.js';
import type { MemoryEntries } from './entries.js';
import { globToRegExp } from './glob.js';

export interface MemoryTierDependencies {
  readonly entries: MemoryEntries;
  readonly clock: TestClock;
  readonly faults: Faults;
  readonly bus: MemoryBus;
  readonly prefix: string;
}

interface Lease {
  readonly holder: string;
  readonly untilMs: number;
  /** The value under it; '' for none. */
  readonly covered: string;
}

const tagTtlMs = 30 * 86_400_000;

export class MemoryTier implements Tier {
  readonly readsTogether = true;
  readonly #dependencies: MemoryTierDependencies;
  #count = 0;
  #lastTag = 0;

  constructor(dependencies: MemoryTierDependencies) {
    this.#dependencies = dependencies;
  }

  newId(): string {
    this.#count += 1;
    return `t${this.#count.toString(36)}`;
  }

  async get(key: string): Promise<string | null> {
    return this.#entries.get(this.#keyOf(key));
  }

  async getMany(keys: readonly string[]): Promise<(string | null)[]> {
    return keys.map((key) => this.#entries.get(this.#keyOf(key)));
  }

  async claim(key: string, seen: Seen, leaseMs: number, token = this.newId()): Promise<Claim> {
    const { clock } = this.#dependencies;
    const entries = this.#entries;
    const entryKey = this.#keyOf(key);
    const grant = (covered: string): Claim => {
      const content = `?${token};${Math.floor(clock.now() + leaseMs)};|${covered}`;
      if (covered === '') entries.set(entryKey, content, leaseMs);
      else entries.replace(entryKey, content);
      return { kind: 'lease', token };
    };
    const content = entries.get(entryKey);
    if (content === null || seen === 'write') return grant('');
    const lease = leaseIn(content);
    if (lease === undefined) {
      const { value } = parseEntryContent(content);
      if (value === undefined) return grant('');
      const isTooOld = seen === 'anything' || (typeof seen === 'object' && value.id === seen.id);
      return isTooOld ? grant(content) : { kind: 'value', entry: value };
    }
    const leftMs = lease.untilMs - clock.now();
    const isFree = seen === 'anything' || lease.holder === token || leftMs <= 0;
    return isFree ? grant(lease.covered) : { kind: 'wait', waitMs: leftMs };
  }

  async fill(key: string, token: string, content: string, ttlMs: number): Promise<boolean> {
    const entryKey = this.#keyOf(key);
    const isHeld = leaseIn(this.#entries.get(entryKey))?.holder === token;
    if (isHeld) this.#entries.set(entryKey, content, ttlMs);
    this.#wake(key);
    return isHeld;
  }

  async release(key: string, token: string, { isRestored }: { isRestored: boolean }): Promise<void> {
    const entryKey = this.#keyOf(key);
    const lease = leaseIn(this.#entries.get(entryKey));
    this.#wake(key);
    if (lease?.holder !== token) return;
    if (lease.covered === '' || !isRestored) this.#entries.delete(entryKey);
    else this.#entries.replace(entryKey, lease.covered);
  }

  async set(key: string, content: string, ttlMs: number): Promise<void> {
    this.#entries.set(this.#keyOf(key), content, ttlMs);
  }

  async setIfAbsent(key: string, content: string, ttlMs: number): Promise<boolean> {
    const entryKey = this.#keyOf(key);
    const current = this.#entries.get(entryKey);
    if (current !== null && leaseIn(current)?.covered !== '') return false;
    this.#entries.set(entryKey, content, ttlMs);
    return true;
  }

  async increment(key: string, delta: number, ttlMs: number): Promise<number | 'other' | 'overflow'> {
    const entryKey = this.#keyOf(key);
    const current = this.#entries.get(entryKey);
    if (current === null || leaseIn(current)?.covered === '') {
      this.#entries.set(entryKey, String(delta), ttlMs);
      return delta;
    }
    if (!/^(0|-?[1-9]\d*)$/.test(current)) return 'other';
    const sum = Number(current) + delta;
    if (!Number.isSafeInteger(Number(current)) || !Number.isSafeInteger(sum)) return 'overflow';
    this.#entries.replace(entryKey, String(sum));
    return sum;
  }

  async ttlMs(key: string): Promise<number | undefined> {
    const entryKey = this.#keyOf(key);
    const { value } = parseEntryContent(this.#entries.get(entryKey));
    return value === undefined ? undefined : this.#entries.leftMs(entryKey);
  }

  async expire(key: string, ttlMs: number): Promise<boolean> {
    const entryKey = this.#keyOf(key);
    const content = this.#entries.get(entryKey);
    if (content === null || leaseIn(content) !== undefined) return false;
    const freshUntil = Math.floor(this.#dependencies.clock.now() + ttlMs);
    this.#entries.set(entryKey, content.replace(/^(V[^;]*;)\d*;/, `$1${freshUntil};`), ttlMs);
    return true;
  }

  async delete(keys: readonly string[]): Promise<number> {
    return keys.filter((key) => this.#entries.delete(this.#keyOf(key))).length;
  }

  async tagVersions(tags: readonly string[]): Promise<TagVersions> {
    return new Map(tags.map((tag) => [tag, this.#tagVersion(tag)]));
  }

  async knownTagVersions(tags: readonly string[]): Promise<ReadonlyMap<string, string | null>> {
    return new Map(tags.map((tag) => [tag, this.#entries.get(tagKey(this.#dependencies.prefix, tag))]));
  }

  async invalidateTag(tag: string): Promise<void> {
    this.#newTagVersion(tag);
  }

  async *scan(match: string): AsyncGenerator<string[], void, undefined> {
    const pattern = globToRegExp(match);
    yield this.#entries.keys().filter((key) => pattern.test(key));
  }

  async time(): Promise<number> {
    return this.#dependencies.clock.now();
  }

  /** Of a tag without a version, one is made. */
  #tagVersion(tag: string): string {
    const key = tagKey(this.#dependencies.prefix, tag);
    this.#entries.touch(key, tagTtlMs);
    return this.#entries.get(key) ?? this.#newTagVersion(tag);
  }

  #newTagVersion(tag: string): string {
    this.#lastTag = Math.max(this.#lastTag + 1, Math.floor(this.#dependencies.clock.now() * 1_000));
    this.#entries.set(tagKey(this.#dependencies.prefix, tag), String(this.#lastTag), tagTtlMs);
    return String(this.#lastTag);
  }

  #keyOf(key: string): string {
    return cacheEntryKey(this.#dependencies.prefix, key);
  }

  #wake(key: string): void {
    const { bus, prefix } = this.#dependencies;
    bus.publish(filledChannel(prefix), key);
  }

  /** Each call asks for them first. */
  get #entries(): MemoryEntries {
    this.#dependencies.faults.pass('redis');
    return this.#dependencies.entries;
  }
}

function leaseIn(content: string | null): Lease | undefined {
  const found = /^\?([^;]*);(\d+);w?\|([\s\S]*)$/.exec(content ?? '');
  if (found === null) return undefined;
  const [, holder, until, covered] = found as unknown as [string, string, string, string];
  return { holder, untilMs: Number(until), covered };
}
