/** The buffer's Lua scripts as commands of an ioredis client: sent as EVALSHA, and as EVAL where unknown. */
import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';

/** Script name → number of its keys; undefined where it depends on the call, and is the first argument. */
export const scripts = {
  write: undefined,
  recall: undefined,
  'recall-counter': undefined,
  fill: undefined,
  seal: 4,
  ack: 3,
  inspect: 4,
  hurry: 2,
  wake: 2,
  renew: 1,
  postpone: 1,
} as const satisfies Record<string, number | undefined>;

export type ScriptName = keyof typeof scripts;

type Reply = string | number;

/** What `withScripts` adds to a client. */
export interface ScriptCommands {
  forebay_write(keyCount: number, ...args: (string | number)[]): Promise<Reply[]>;
  forebay_recall(keyCount: number, ...args: (string | number)[]): Promise<string[]>;
  'forebay_recall-counter'(keyCount: number, ...args: (string | number)[]): Promise<Reply[]>;
  forebay_fill(keyCount: number, ...args: (string | number)[]): Promise<number>;
  forebay_seal(...args: (string | number)[]): Promise<Reply[]>;
  forebay_ack(...args: (string | number)[]): Promise<number>;
  forebay_inspect(...args: (string | number)[]): Promise<Reply[]>;
  forebay_hurry(...args: (string | number)[]): Promise<string>;
  forebay_wake(...args: (string | number)[]): Promise<number>;
  forebay_renew(...args: (string | number)[]): Promise<number>;
  forebay_postpone(...args: (string | number)[]): Promise<number>;
}

const commandName = (name: ScriptName): `forebay_${ScriptName}` => `forebay_${name}`;

export function withScripts(redis: Redis): Redis & ScriptCommands {
  for (const [name, numberOfKeys] of Object.entries(scripts) as [ScriptName, number | undefined][]) {
    const lua = readFileSync(new URL(`./lua/${name}.lua`, import.meta.url), 'utf8');
    redis.defineCommand(commandName(name), numberOfKeys === undefined ? { lua } : { lua, numberOfKeys });
  }
  return redis as Redis & ScriptCommands;
}
