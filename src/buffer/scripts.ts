/** The buffer's Lua scripts as commands of a client. */

import { defineLuaCommands, type LuaFamily } from '../connection/lua-commands.js';
import type { RedisClient } from '../connection/redis.js';
import type { FenceReply } from './step-replies.js';

/** Script name → number of its keys; undefined where it depends on the call, and is the first argument. */
export const scripts = {
  write: undefined,
  claim: undefined,
  'claim-counter': undefined,
  fill: undefined,
  seal: 7,
  ack: 7,
  drop: undefined,
  'drop-foreign': undefined,
  split: undefined,
  replay: 7,
  discard: 3,
  inspect: 7,
  find: 10,
  hurry: 3,
  wake: 3,
  renew: 1,
  postpone: 1,
  raise: 1,
  fence: 3,
  layout: 1,
} as const satisfies Record<string, number | undefined>;

export type ScriptName = keyof typeof scripts;

type Reply = string | number;

export type ClaimKind = 'value' | 'lease' | 'wait' | 'refused' | 'closed' | 'moved';

/** How a record is pending: put, deleted, replaced (deleted and made anew), or not at all. */
export type RecordKind = 'P' | 'D' | 'R' | '';

export type ClaimReply = readonly [kind: ClaimKind, detail?: Reply];

export type CounterClaimReply = readonly [
  kind: ClaimKind,
  detail: Reply,
  dirtyDelta: Reply,
  sealedDelta: Reply,
  dirtyRecord: RecordKind,
  sealedRecord: RecordKind,
];

/** What `withScripts` adds to a client. */
export interface ScriptCommands {
  forebay_write(keyCount: number, ...args: (string | number)[]): Promise<Reply[]>;
  forebay_claim(keyCount: number, ...args: (string | number)[]): Promise<ClaimReply[]>;
  'forebay_claim-counter'(
    keyCount: number,
    ...args: (string | number)[]
  ): Promise<[batch: string, sealed: string, ...CounterClaimReply[]]>;
  forebay_fill(keyCount: number, ...args: (string | number)[]): Promise<number[]>;
  forebay_seal(...args: (string | number)[]): Promise<Reply[]>;
  forebay_ack(...args: (string | number)[]): Promise<number>;
  forebay_drop(keyCount: number, ...args: (string | number)[]): Promise<number>;
  'forebay_drop-foreign'(keyCount: number, ...args: (string | number)[]): Promise<number>;
  forebay_split(keyCount: number, ...args: (string | number)[]): Promise<Reply[]>;
  forebay_replay(...args: (string | number)[]): Promise<number>;
  forebay_discard(...args: (string | number)[]): Promise<number>;
  forebay_inspect(...args: (string | number)[]): Promise<Reply[]>;
  forebay_find(...args: (string | number)[]): Promise<Reply[]>;
  forebay_hurry(...args: (string | number)[]): Promise<string[]>;
  forebay_wake(...args: (string | number)[]): Promise<number>;
  forebay_renew(...args: (string | number)[]): Promise<number>;
  forebay_postpone(...args: (string | number)[]): Promise<[number, number]>;
  forebay_fence(...args: (string | number)[]): Promise<[reply: FenceReply['kind'], version: string]>;
  forebay_layout(...args: (string | number)[]): Promise<[layout: string, now: string]>;
  forebay_raise(...args: (string | number)[]): Promise<string[]>;
}

/** In their order: what is called stands above. */
const writeFiles = [
  'row-text.lua',
  'counter-sum.lua',
  'lua/write.lua',
  ...['places', 'entries', 'letters', 'rows', 'counters', 'writes'].map((part) => `write/${part}.lua`),
];

export const laneScripts: LuaFamily = {
  name: 'forebay',
  folder: new URL('./', import.meta.url),
  scripts,
  files: { write: writeFiles },
};

export function withScripts(redis: RedisClient): RedisClient & ScriptCommands {
  defineLuaCommands(redis, laneScripts);
  return redis as RedisClient & ScriptCommands;
}
