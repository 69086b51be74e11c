/** The cache's Lua scripts as commands of a client. */

import { defineLuaCommands, type LuaFamily } from '../../connection/lua-commands.js';
import type { RedisClient } from '../../connection/redis.js';

/** Script name → number of its keys. */
export const scripts = {
  claim: 1,
  fill: 1,
  release: 1,
  'set-if-absent': 1,
  increment: 1,
  expire: 1,
  'tag-version': 1,
  'invalidate-tag': 1,
  'count-reads': 2,
} as const;

export type ScriptName = keyof typeof scripts;

/** What `withCacheScripts` adds to a client. */
export interface CacheScriptCommands {
  cache_claim(...args: (string | number)[]): Promise<ClaimReply>;
  cache_fill(...args: (string | number)[]): Promise<number>;
  cache_release(...args: (string | number)[]): Promise<number>;
  'cache_set-if-absent'(...args: (string | number)[]): Promise<number>;
  cache_expire(...args: (string | number)[]): Promise<number>;
  cache_increment(...args: (string | number)[]): Promise<string>;
  'cache_tag-version'(...args: (string | number)[]): Promise<string>;
  'cache_invalidate-tag'(...args: (string | number)[]): Promise<string>;
  'cache_count-reads'(...args: (string | number)[]): Promise<number>;
}

export type ClaimReply =
  | readonly ['lease', content: string]
  | readonly ['wait', content: string, ms: number]
  | readonly ['value', content: string];

export const cacheScripts: LuaFamily = {
  name: 'cache',
  folder: new URL('./', import.meta.url),
  scripts,
};

export function withCacheScripts(redis: RedisClient): RedisClient & CacheScriptCommands {
  defineLuaCommands(redis, cacheScripts);
  return redis as RedisClient & CacheScriptCommands;
}
