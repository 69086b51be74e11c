/** A command of `forebay`: what it is called with, what its help says, and what it does. */
import type { Config } from '../config.js';
import { toMs } from '../operations/duration.js';
import type { LineOutput } from './progress-bar.js';

export interface Command {
  readonly name: string;
  readonly about: string;
  /** Names of its words in help, e.g. `STORE:ID`; `[WHICH]` may be left out. */
  readonly words: readonly string[];
  readonly flags: readonly Flag[];
  /** More than `about` says, for its own help. */
  readonly details?: string;
  readonly examples: readonly Example[];
  /** What the words or flags do not fit together in; undefined: nothing. */
  problem?(call: Call): string | undefined;
  /** Returns the exit code. @throws what `main` tells */
  run(call: Call, io: Io): Promise<number>;
}

export interface Flag {
  readonly name: string;
  /** What it takes, e.g. `DURATION`; undefined: nothing. */
  readonly value?: string;
  readonly about: string;
}

export interface Example {
  readonly line: string;
  readonly about: string;
}

/** What was given on the command line. */
export interface Call {
  readonly words: readonly string[];
  has(flag: string): boolean;
  /** Of a flag that takes one. */
  valueOf(flag: string): string | undefined;
}

/** Where a command reads and writes. */
export interface Io {
  readonly out: LineOutput;
  readonly err: LineOutput;
  /** @throws ForebayError INVALID_CONFIG */
  config(): Config;
  /** Aborted by Ctrl-C, which ends a command that never asks for it. */
  readonly signal: AbortSignal;
}

/** Thrown for what the command line asks wrongly: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A command that ends well or throws. */
export const done = async (work: Promise<void>): Promise<number> => work.then(() => 0);

export const json: Flag = { name: 'json', about: 'for programs' };

/** Of what a flag was given; undefined: none. */
export function durationProblem(text: string | undefined): string | undefined {
  if (text === undefined || toMs(text) !== undefined) return undefined;
  return `"${text}" is no duration: write 30s, 10min, 1h or 2d.`;
}
