/** What the cache has of a value: everything but the value itself, which may be anybody's. */
import { parseEntryContent, type ValueEntry } from '../cache/entry/value-entry.js';
import type { RedisClient } from '../connection/redis.js';
import { cacheEntryKey, tagKey } from '../keys.js';
import { duration } from './duration.js';

export interface ValueFacts {
  /** As `app.cache.explain` has it. */
  readonly state: 'fresh' | 'stale' | 'invalidated' | 'missing';
  /** The state as a sentence. */
  readonly answer: string;
  /** New with each fill; '' for an integer. */
  readonly id?: string;
  /** Negative since it went stale; undefined: as long as it lives. */
  readonly freshForMs?: number;
  /** Undefined: it does not expire. */
  readonly livesForMs?: number;
  /** Of the entry. */
  readonly bytes?: number;
  /** With the version that the value was made at, and the one of now. */
  readonly tags: readonly {
    readonly tag: string;
    readonly version: string;
    readonly current: string | null;
  }[];
  /** It is being loaded. */
  readonly isLeased: boolean;
}

/** @throws what Redis throws */
export async function valueFacts(
  key: string,
  { redis, prefix }: { readonly redis: RedisClient; readonly prefix: string },
): Promise<ValueFacts> {
  const name = cacheEntryKey(prefix, key);
  const [content, ttlMs, [seconds, us]] = await Promise.all([
    redis.get(name),
    redis.pttl(name),
    redis.time(),
  ]);
  const { value, lease } = parseEntryContent(content);
  const isLeased = lease !== undefined;
  if (value === undefined) {
    const answer = isLeased ? 'Not in the cache; somebody loads it now.' : 'Not in the cache.';
    return { state: 'missing', answer, tags: [], isLeased };
  }
  const tags = await tagsOf(value, redis, prefix);
  const freshForMs = value.freshUntilMs - (Number(seconds) * 1_000 + Number(us) / 1_000);
  const isInvalidated = tags.some(({ version, current }) => version !== current);
  const state = isInvalidated ? 'invalidated' : freshForMs > 0 ? 'fresh' : 'stale';
  return {
    state,
    answer: answers[state](freshForMs),
    id: value.id,
    bytes: Buffer.byteLength(content ?? ''),
    tags,
    isLeased,
    ...(Number.isFinite(freshForMs) && { freshForMs }),
    ...(ttlMs >= 0 && { livesForMs: ttlMs }),
  };
}

const answers = {
  fresh: (ms: number) =>
    `In the cache, and fresh${Number.isFinite(ms) ? ` for another ${duration(ms)}` : ''}.`,
  stale: (ms: number) => `In the cache, and stale for ${duration(-ms)}: the next read has it computed anew.`,
  invalidated: () => 'In the cache, and invalidated by one of its tags: the next read has it computed anew.',
};

async function tagsOf({ tags }: ValueEntry, redis: RedisClient, prefix: string) {
  return Promise.all(
    [...tags].map(async ([tag, version]) => ({
      tag,
      version,
      current: await redis.get(tagKey(prefix, tag)),
    })),
  );
}
