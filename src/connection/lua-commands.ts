/** Lua scripts as commands of an ioredis client: sent as EVALSHA, and as EVAL where unknown. */
import { readFileSync } from 'node:fs';
import type { RedisClient } from './client.js';

export interface LuaFamily {
  /** What the commands' names begin with: `<name>_<script>`. */
  readonly name: string;
  /** Has `lua/<script>.lua`, and a `prelude.lua` that stands in front of each. */
  readonly folder: URL;
  /** Script → number of its keys; undefined where it depends on the call, and is the first argument. */
  readonly scripts: Readonly<Record<string, number | undefined>>;
  /** Script → the files of the folder that it is made of, where that is more than its own. */
  readonly files?: Readonly<Record<string, readonly string[]>>;
}

/** Defines a command for each script of the family. */
export function defineLuaCommands(redis: RedisClient, family: LuaFamily): void {
  for (const [script, numberOfKeys] of Object.entries(family.scripts)) {
    const lua = luaText(family, script);
    redis.defineCommand(
      `${family.name}_${script}`,
      numberOfKeys === undefined ? { lua } : { lua, numberOfKeys },
    );
  }
}

/** A script as it is sent: behind the prelude of all scripts and that of its family. */
export function luaText({ folder, files = {} }: LuaFamily, script: string): string {
  const own = ['prelude.lua', ...(files[script] ?? [`lua/${script}.lua`])];
  return [commonPrelude, ...own.map((file) => new URL(file, folder))]
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');
}

const commonPrelude = new URL('./prelude.lua', import.meta.url);
