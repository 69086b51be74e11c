/** The benchmarks' command line. */
import { accessSync, constants } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { reasonOf } from '../dev/reason.js';
import type { Bench } from './bench.js';
import { BenchError } from './errors.js';

export interface BenchArguments {
  readonly name: string;
  /** Where the result is written as JSON. */
  readonly json: string | undefined;
  /** Share of the usual amount of work. */
  readonly scale: number;
  /** Recorded requests, for those that replay some. */
  readonly requests: string | undefined;
}

/** `compare`: this revision beside another one. */
export interface Comparison {
  /** As git names it. */
  readonly revision: string;
  readonly names: readonly string[];
  readonly rounds: number;
  readonly scale: number;
}

export function helpText(benches: Readonly<Record<string, Bench>>): string {
  const list = Object.entries(benches).map(([name, { summary }]) => `  ${name.padEnd(17)} ${summary}`);
  return `Usage: npm run bench -- NAME [options]
       npm run bench -- compare REVISION [NAME …]   measures the two in turns (default: write-behind and read)

${list.join('\n')}

Starts a Postgres and a Redis of its own, or uses DATABASE_URL and REDIS_URL: there in a schema and under a prefix of
its own, both removed at the end. Figures are worth something on a quiet machine only.

  --json FILE       also write the result as JSON
  --requests FILE   for replay and warming: recorded requests, an id a line, gzipped or not (default: drawn by Zipf's law)
  --rounds N        for compare: how often (default: 3)
  --scale SHARE     do this share of the usual amount of work, above 0 and up to 100 (default: 1)
  --help            this text

Exit code: 0 when forebay's rows in the database were all as they must be, 1 when one was not or something fails, 2 for
a wrong option, 130 after Ctrl-C.
`;
}

/** @throws BenchError BAD_ARGUMENT */
export function parseBenchArguments(
  args: readonly string[],
  names: readonly string[],
): BenchArguments | Comparison | { readonly help: true } {
  const { values, positionals } = parse(args);
  if (values.help) return { help: true };
  if (positionals[0] === 'compare') return toComparison(positionals.slice(1), names, values);
  const [name, ...more] = positionals;
  if (name === undefined || more.length > 0 || !names.includes(name)) throw wrongName(positionals, names);
  if (values.json !== undefined) checkPath(values.json);
  return { name, json: values.json, scale: toScale(values.scale), requests: values.requests };
}

function toComparison(
  [revision, ...wanted]: readonly string[],
  names: readonly string[],
  { rounds, scale }: { rounds: string; scale: string },
): Comparison {
  if (!revision) throw badArgument('Compare with which revision?');
  const unknown = wanted.filter((name) => !names.includes(name));
  if (unknown.length > 0) throw wrongName(unknown, names);
  if (!/^[1-9]\d?$/.test(rounds)) throw badArgument(`--rounds must be 1 to 99, not "${rounds}"`);
  const all = wanted.length > 0 ? wanted : ['write-behind', 'read'];
  return { revision, names: all, rounds: Number(rounds), scale: toScale(scale) };
}

function parse(args: readonly string[]) {
  try {
    const options = {
      json: { type: 'string' },
      requests: { type: 'string' },
      rounds: { type: 'string', default: '3' },
      scale: { type: 'string', default: '1' },
      help: { type: 'boolean', short: 'h' },
    } as const;
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw badArgument(reasonOf(error).replace(/\.$/, ''), error);
  }
}

function wrongName(given: readonly string[], names: readonly string[]): BenchError {
  const problem = given.length === 0 ? 'Which bench?' : `There is no bench "${given.join(' ')}".`;
  return badArgument(`${problem} The benches are: ${names.join(', ')}`);
}

/** Before the work, so that it is not done in vain. */
function checkPath(path: string): void {
  if (path === '') throw badArgument('--json needs a path');
  try {
    accessSync(dirname(resolve(path)), constants.W_OK);
  } catch (error) {
    throw badArgument(`Can't write --json ${path}: ${reasonOf(error)}`, error);
  }
}

function toScale(text: string): number {
  const scale = Number(text);
  if (text.trim() !== '' && scale > 0 && scale <= 100) return scale;
  throw badArgument(`--scale must be a number above 0 and up to 100, not "${text}"`);
}

function badArgument(reason: string, cause?: unknown): BenchError {
  return new BenchError('BAD_ARGUMENT', `${reason}. See npm run bench -- --help.`, cause);
}
