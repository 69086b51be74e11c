/** A Lua script as its header describes it, and as its body uses it; read with expressions, not with a parser. */
import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import type { LuaFamily } from '../../src/connection/lua-commands.js';

type Table = 'KEYS' | 'ARGV';

/** What a header or a body says of KEYS or of ARGV. */
export interface Inputs {
  /** Names by index, 1-based as in Lua. */
  readonly named: ReadonlyMap<number, string>;
  /** From which index on there is any number of them. */
  readonly openFrom: number | undefined;
}

export interface LuaScript {
  readonly header: string;
  readonly body: string;
  readonly documented: Record<Table, Inputs>;
  readonly used: Record<Table, Inputs>;
  /** Indexes that the body reads anywhere, bound to a name or not. */
  readonly indexes: Record<Table, readonly number[]>;
  /** Fields of the lane's `meta` that the body names. */
  readonly metaFields: readonly string[];
}

/** The script's own file, which has the header, and the parts behind it. */
export function readLuaScript({ folder, files = {} }: LuaFamily, name: string): LuaScript {
  const own = `lua/${name}.lua`;
  const made = files[name] ?? [own];
  const texts = made.slice(made.indexOf(own)).map((file) => readFileSync(new URL(file, folder), 'utf8'));
  const lines = texts.join('').split('\n');
  const end = lines.findIndex((line) => !line.startsWith('--'));
  const header = lines.slice(0, end).join('\n');
  const body = lines
    .slice(end)
    .filter((line) => !line.trim().startsWith('--'))
    .join('\n');
  const both = <T>(read: (table: Table) => T): Record<Table, T> => ({
    KEYS: read('KEYS'),
    ARGV: read('ARGV'),
  });
  return {
    header,
    body,
    documented: both((table) => documentedInputs(header, table)),
    used: both((table) => ({ named: boundNames(body, table), openFrom: openStart(body, table) })),
    indexes: both((table) =>
      matches(body, new RegExp(`${table}\\[(\\d+)\\]`, 'g')).map(([, index]) => Number(index)),
    ),
    metaFields: metaFields(body),
  };
}

/** What stands in front of other scripts: the names that its header tells of, and those that it defines. */
export function readLuaPrelude(file: URL): { documented: string[]; defined: string[]; text: string } {
  const text = readFileSync(file, 'utf8');
  const documented = matches(text, /^-- (\w+) {2,}\S/gm).map(([, name]) => name as string);
  const constants = matches(text, /^local ([A-Z, ]+) =/gm).flatMap(([, names]) =>
    (names as string).split(', '),
  );
  const functions = matches(text, /^local function (\w+)\(/gm).map(([, name]) => name as string);
  return { documented, defined: [...constants, ...functions], text };
}

/** Lines such as `-- KEYS[1]  dirty   hash: …` and `-- ARGV[4+] writes  three for each …`. */
function documentedInputs(header: string, table: Table): Inputs {
  const lines = matches(header, new RegExp(`^-- ${table}\\[(\\d+)(\\+?)\\] +(\\w+) +\\S`, 'gm'));
  const open = lines.find(([, , plus]) => plus === '+');
  const fixed = lines.filter(([, , plus]) => plus === '');
  return {
    named: new Map(fixed.map(([, index, , name]) => [Number(index), name as string])),
    openFrom: open && Number(open[1]),
  };
}

/** Lines such as `local dirty, max = KEYS[1], tonumber(ARGV[1])`. */
function boundNames(body: string, table: Table): Map<number, string> {
  const bound = new Map<number, string>();
  for (const [, names, values] of matches(body, /^local ([\w, ]+) = (.*)$/gm)) {
    const items = (values as string).split(', ');
    for (const [i, name] of (names as string).split(', ').entries()) {
      const index = new RegExp(`^(?:tonumber\\()?${table}\\[(\\d+)\\]\\)?$`).exec(items[i] ?? '')?.[1];
      if (index !== undefined) bound.set(Number(index), name);
    }
  }
  return bound;
}

/** The lowest index that a loop over `i` reads, from `for i = 4, #KEYS` or `#ARGV`, and what stands between the brackets. */
function openStart(body: string, table: Table): number | undefined {
  const start = /^for i = (\d+), #(?:KEYS|ARGV)(?:, \d+)? do$/m.exec(body)?.[1];
  const indexes = matches(body, new RegExp(`${table}\\[([^\\]]*[a-z][^\\]]*)\\]`, 'g')).map(
    ([, index]) => index,
  );
  if (start === undefined || indexes.length === 0) return undefined;
  const variables: Record<string, number> = { i: Number(start) };
  // Of a call with nothing for the loop: there are no fewer.
  for (const [, name] of matches(body, /^local (\w+) = #KEYS - \d+$/gm)) variables[name as string] = 0;
  for (const [, name, expression] of matches(body, /local (\w+) = ([-+*\d\s()i]+)$/gm)) {
    variables[name as string] = evaluate(expression as string, variables);
  }
  return Math.min(...indexes.map((index) => evaluate(index as string, variables)));
}

function evaluate(expression: string, variables: Record<string, number>): number {
  return runInNewContext(expression, { ...variables }) as number;
}

/** The texts that are given to a hash command on `meta`, at the places where it takes fields. */
function metaFields(body: string): string[] {
  const fields = matches(body, /redis\.call\('(H\w+)', meta, (.*)$/gm).flatMap(([, command, args]) => {
    const texts = matches(args as string, /(?<=^|, )'(\w+)'/g).map(([, field]) => field as string);
    return command === 'HSET' || command === 'HINCRBY'
      ? texts.filter((text) => /^[a-z]+$/.test(text))
      : texts;
  });
  return [...new Set(fields)];
}

function matches(text: string, pattern: RegExp): RegExpMatchArray[] {
  return [...text.matchAll(pattern)];
}
