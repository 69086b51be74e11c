/** Each Lua script's header against its body, against `scripts`, and against the calls of the write buffer. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { laneScripts, type ScriptName, scripts } from '../../../src/buffer/scripts.js';
import { cacheScripts } from '../../../src/cache/redis/scripts.js';
import { checkFront, checkHeaders, checkPrelude } from '../lua-header.js';
import { type LuaScript, readLuaScript } from '../lua-script.js';

const source = new URL('../../../src/buffer/', import.meta.url);
const names = Object.keys(scripts) as ScriptName[];
const script = (name: string): LuaScript => readLuaScript(laneScripts, name);

checkHeaders(laneScripts);
checkPrelude(new URL('../connection/prelude.lua', source), [laneScripts, cacheScripts]);
checkPrelude(new URL('prelude.lua', source), [laneScripts]);
const writeFiles = (laneScripts.files?.write ?? []).map((name) => new URL(name, source));
for (const front of ['row-text.lua', 'counter-sum.lua']) checkFront(new URL(front, source), writeFiles);

/** The one order of a lane's keys, in every script; before them that of all stores' layouts. */
const keyOrder = [
  'layouts',
  'meta',
  'order',
  'dirty',
  'sealed',
  'dead',
  'waiting',
  'retries',
  'round',
  'foreign',
  'letter',
  'rowLetter',
  'entry',
];

describe.each(names)('the header of %s', (name) => {
  const { header, body, documented, metaFields } = script(name);

  it('has its keys in the one order', () => {
    const keys = [...documented.KEYS.named.values()];
    expect(keys).toEqual(keyOrder.filter((key) => keys.includes(key)));
  });

  it('names the kinds of records, rather than their letters or bytes', () => {
    expect(body).not.toMatch(/string\.byte|'[PDR]'|\[PDR\]|\^%\?/);
  });

  it('names fields of meta that the protocol has, and so does the body', () => {
    const inHeader = /\] meta +hash: (.*)$/m.exec(header)?.[1]?.replace(/\([^)]*\)/g, '') ?? '';
    const named = inHeader
      .split(', ')
      .map((field) => field.trim())
      .filter((field) => /^\w+$/.test(field));
    for (const field of [...named, ...metaFields]) expect(protocolFields()).toContain(field);
  });
});

/** Fields of `meta`, from the table of the protocol's page. */
function protocolFields(): string[] {
  const page = readFileSync(new URL('README.md', source), 'utf8');
  const table = page.slice(page.indexOf('| field of `meta`')).split('\n\n')[0] as string;
  const cells = table
    .split('\n')
    .slice(2)
    .map((row) => row.split('|')[1] as string);
  return cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, field]) => field as string));
}

describe('the protocol', () => {
  it('has no field of meta that no script knows', () => {
    const known = new Set(names.flatMap((name) => script(name).metaFields));
    expect([...known].sort()).toEqual(protocolFields().sort());
  });
});

describe('the write buffer calls', () => {
  const files = ['write-buffer.ts', 'letter-steps.ts'];
  const text = files.map((file) => readFileSync(new URL(file, source), 'utf8')).join('\n');
  const fixed = names.filter((name) => scripts[name] !== undefined);

  it.each(fixed)('%s with the keys of its header, in their order, and all its arguments', (name) => {
    const { KEYS, ARGV } = script(name).documented;
    const args = argumentsOf(text, `forebay_${name}`);
    const keys = args.slice(0, KEYS.named.size).map((arg) => arg.split(/[.#]/).at(-1));
    expect(keys).toEqual([...KEYS.named.values()]);
    expect(args).toHaveLength(KEYS.named.size + ARGV.named.size);
  });

  it.each(names)('%s', (name) => {
    expect(text).toMatch(new RegExp(`\\.forebay_${name}\\(|\\['forebay_${name}'\\]\\(`));
  });
});

function argumentsOf(text: string, method: string): string[] {
  const list = new RegExp(`\\.${method}\\(([^)]*)\\)`).exec(text)?.[1] ?? '';
  return list
    .split(',')
    .map((argument) => argument.trim())
    .filter((argument) => argument !== '');
}
