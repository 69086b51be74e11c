/**
 * Next's tags as forebay's, and when each was revalidated last: for tags that an entry does not have
 * itself.
 */
import { createHash } from 'node:crypto';
import { type CacheClient, longestTtlSeconds } from './entries.js';

export interface TagTimes {
  /** When one of them was revalidated last, in ms since 1970; 0: never. */
  latestOf(tags: readonly string[]): Promise<number>;
  /** Makes everything with one of these tags stale. */
  revalidate(tags: readonly string[]): Promise<void>;
}

/** Longer ones are hashed: those of `'use cache'` hold all arguments. */
const plainCharactersMax = 400;

export function nextKey(buildId: string | undefined, kind: 'page' | 'use', key: string): string {
  return `next:${kind}:${buildId ?? ''}:${shortened(key)}`;
}

export function nextTag(tag: string): string {
  return `next:${shortened(tag)}`;
}

export function tagTimes(connected: () => Promise<CacheClient>): TagTimes {
  const timeKey = (tag: string): string => `next:tag:${shortened(tag)}`;
  return {
    async latestOf(tags) {
      if (tags.length === 0) return 0;
      const { cache } = await connected();
      const times = await cache.mget<number>(tags.map(timeKey));
      return Math.max(0, ...times.map((time) => time ?? 0));
    },
    async revalidate(tags) {
      const { cache } = await connected();
      await cache.mset(tags.map((tag) => ({ key: timeKey(tag), value: Date.now(), ttl: longestTtlSeconds })));
      await Promise.all(tags.map((tag) => cache.invalidateTag(nextTag(tag))));
    },
  };
}

function shortened(text: string): string {
  if (text.length <= plainCharactersMax && text.isWellFormed()) return text;
  return createHash('sha256').update(JSON.stringify(text)).digest('base64url');
}
