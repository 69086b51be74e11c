/**
 * `forebay/next`: what Next.js caches, in forebay: shared by all instances, and revalidated in all of them at
 * once. `nextCacheHandler` for `cacheHandler` (pages, routes and `fetch`), `nextUseCacheHandler` for
 * `cacheHandlers` (`'use cache'`).
 */
import { type CacheClient, longestTtlSeconds } from './neighbours/entries.js';
import { nextKey, nextTag, type TagTimes, tagTimes } from './neighbours/next-tags.js';
import { fromNextText, toNextText } from './neighbours/next-text.js';

export type { CacheService } from './cache/cache-service.js';
export type { CacheClient } from './neighbours/entries.js';

/** Connects once: `() => sharedForebay(() => connect(stores, { prisma }))` of `forebay/shared`. */
export type NextClient = () => Promise<CacheClient>;

/** How entries are kept. */
export interface NextCacheOptions {
  /** What separates one deployment's entries from another's. Default ''. */
  readonly buildId?: string | undefined;
  /** How long an entry may live, in seconds: Next decides when it is stale. Default 2,592,000: 30 days. */
  readonly ttl?: number;
}

/** What Next says of a read or a write. */
export interface NextContext {
  /** Tags of the entry. */
  readonly tags?: readonly string[];
  /** Tags of the page that reads it. */
  readonly softTags?: readonly string[];
}

/** An entry as Next wants it. */
export interface NextEntry {
  /** When it was set, in ms since 1970. */
  readonly lastModified: number;
  /** What was set. */
  readonly value: unknown;
}

/** What Next makes an instance of, for each request. */
export type NextCacheHandler = new (
  context?: unknown,
) => {
  /** The entry; null: there is none, or one of its tags was revalidated. */
  get(key: string, context?: NextContext): Promise<NextEntry | null>;
  /** Null: there is none any more. */
  set(key: string, data: unknown, context?: NextContext): Promise<void>;
  /** Everything with one of these tags is stale, in all instances. */
  revalidateTag(tags: string | readonly string[]): Promise<void>;
  /** What was kept for one request; nothing. */
  resetRequestCache(): void;
};

/** A class for `cacheHandler` of Next's configuration: the default export of the file that it names. */
export function nextCacheHandler(connected: NextClient, options: NextCacheOptions = {}): NextCacheHandler {
  const { ttl = defaultTtlSeconds } = options;
  const keyOf = (key: string): string => nextKey(options.buildId, 'page', key);
  const times = tagTimes(connected);
  return class {
    async get(key: string, { softTags = [] }: NextContext = {}): Promise<NextEntry | null> {
      const { cache } = await connected();
      const text = await cache.get<string>(keyOf(key));
      if (text === null) return null;
      const entry = fromNextText(text) as NextEntry;
      return (await times.latestOf(softTags)) >= entry.lastModified ? null : entry;
    }

    async set(key: string, value: unknown, { tags = [] }: NextContext = {}): Promise<void> {
      const { cache } = await connected();
      if (value === null || value === undefined) return void (await cache.delete(keyOf(key)));
      const entry: NextEntry = { lastModified: Date.now(), value };
      const all = new Set([...tags, ...tagsOfPage(value)].map(nextTag));
      await cache.set(keyOf(key), toNextText(entry), ttl, { tags: [...all] });
    }

    revalidateTag(tags: string | readonly string[]): Promise<void> {
      return times.revalidate(typeof tags === 'string' ? [tags] : tags);
    }

    resetRequestCache(): void {
      // Nothing is kept for a request: what is read often is in the client's memory, and coherent.
    }
  };
}

/**
 * A cached component or function, as Next gives and takes it. Times are in seconds, but the timestamp's ms.
 */
export interface NextUseCacheEntry {
  /** Its bytes. */
  readonly value: ReadableStream<Uint8Array>;
  /** Without those of the page that reads it. */
  readonly tags: string[];
  /** For the browser. */
  readonly stale: number;
  /** When it was made, in ms since 1970. */
  readonly timestamp: number;
  /** How long it may be used. */
  readonly expire: number;
  /** After how long it is made anew. */
  readonly revalidate: number;
}

/** A handler of `cacheHandlers` in Next's configuration. */
export interface NextUseCacheHandler {
  /** Undefined: there is none, or one of its tags was revalidated. */
  get(key: string, softTags: readonly string[]): Promise<NextUseCacheEntry | undefined>;
  /** Waits for the entry first. */
  set(key: string, pending: Promise<NextUseCacheEntry>): Promise<void>;
  /** Tags are always as new as can be. */
  refreshTags(): Promise<void>;
  /** When one of these was last revalidated, in ms since 1970; 0: never. */
  getExpiration(tags: readonly string[]): Promise<number>;
  /** Everything with one of these tags is stale, in all instances. */
  updateTags(tags: readonly string[]): Promise<void>;
}

/** A handler for `'use cache'`: the default export of a file that `cacheHandlers` names. */
export function nextUseCacheHandler(
  connected: NextClient,
  { buildId }: NextCacheOptions = {},
): NextUseCacheHandler {
  const keyOf = (key: string): string => nextKey(buildId, 'use', key);
  const times: TagTimes = tagTimes(connected);
  const settings = new Map<string, Promise<void>>();
  return {
    async get(key, softTags) {
      await settings.get(key);
      const { cache } = await connected();
      const text = await cache.get<string>(keyOf(key));
      if (text === null) return undefined;
      const { bytes, ...entry } = fromNextText(text) as StoredUse;
      if ((await times.latestOf(softTags)) >= entry.timestamp) return undefined;
      return { ...entry, value: new Blob([bytes as Uint8Array<ArrayBuffer>]).stream() };
    },
    set(key, pending) {
      const setting = store(key, pending).finally(() => settings.delete(key));
      settings.set(
        key,
        setting.catch(() => undefined),
      );
      return setting;
    },
    refreshTags: async () => undefined,
    getExpiration: (tags) => times.latestOf(tags),
    updateTags: (tags) => times.revalidate(tags),
  };

  async function store(key: string, pending: Promise<NextUseCacheEntry>): Promise<void> {
    const { value, ...entry } = await pending;
    const bytes = new Uint8Array(await new Response(value).arrayBuffer());
    const { cache } = await connected();
    const stored: StoredUse = { ...entry, bytes };
    const ttl = Math.min(Math.max(entry.expire, 1), longestTtlSeconds);
    await cache.set(keyOf(key), toNextText(stored), ttl, { tags: entry.tags.map(nextTag) });
  }
}

type StoredUse = Omit<NextUseCacheEntry, 'value'> & { readonly bytes: Uint8Array };

const defaultTtlSeconds = 30 * 86_400;
/** In which Next tells of a page's tags. */
const tagsHeader = 'x-next-cache-tags';

function tagsOfPage(value: unknown): string[] {
  const header = (value as { headers?: Record<string, unknown> }).headers?.[tagsHeader];
  return typeof header === 'string' ? header.split(',').filter((tag) => tag !== '') : [];
}
