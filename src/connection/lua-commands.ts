/** Lua scripts as commands of an ioredis client: sent as EVALSHA, and as EVAL where unknown. */
import { readFileSync } from 'node:fs';
import type { RedisClient } from './client.js';

/** Script name → number of its keys; undefined where it depends on the call, and is the first argument. */
export type LuaScripts = Readonly<Record<string, number | undefined>>;

/** Defines `<family>_<name>` for each script, whose text is `<name>.lua` in `folder`. */
export function defineLuaCommands(
  redis: RedisClient,
  family: string,
  folder: URL,
  scripts: LuaScripts,
): void {
  for (const [name, numberOfKeys] of Object.entries(scripts)) {
    const lua = readFileSync(new URL(`${name}.lua`, folder), 'utf8');
    redis.defineCommand(`${family}_${name}`, numberOfKeys === undefined ? { lua } : { lua, numberOfKeys });
  }
}
