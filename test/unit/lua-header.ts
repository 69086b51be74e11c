/** What is checked of the header of every Lua script. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { LuaFamily } from '../../src/connection/lua-commands.js';
import { readLuaPrelude, readLuaScript } from './lua-script.js';

const tables = ['KEYS', 'ARGV'] as const;

export function checkHeaders(family: LuaFamily): void {
  const { folder, scripts } = family;
  const names = Object.keys(scripts);

  it('the list of scripts is the list of files', () => {
    const files = readdirSync(new URL('lua/', folder)).sort();
    expect(names.map((name) => `${name}.lua`).sort()).toEqual(files);
  });

  describe.each(names)('the header of %s', (name) => {
    const { header, body, documented, used, indexes } = readLuaScript(family, name);

    it('begins with its name', () => {
      expect(header.split('\n')[0]).toMatch(new RegExp(`^-- ${name}: \\S`));
    });

    it('says what it returns, and why it is atomic', () => {
      expect(header).toMatch(/^-- returns +\S/m);
      expect(header).toMatch(/^-- Atomic because \S/m);
    });

    it.each(tables)('names each of its %s once, without a gap, as the body does', (table) => {
      const { named, openFrom } = documented[table];
      const lines = header.split('\n').filter((line) => line.includes(`${table}[`));
      expect(lines).toHaveLength(named.size + (openFrom === undefined ? 0 : 1));
      expect([...named.keys()]).toEqual(Array.from({ length: named.size }, (_, i) => i + 1));
      expect([...used[table].named].sort(([a], [b]) => a - b)).toEqual([...named]);
    });

    it.each(tables)('documents every index of %s that the body reads', (table) => {
      expect([...new Set(indexes[table])].sort((a, b) => a - b)).toEqual([...documented[table].named.keys()]);
    });

    it.each(tables)('says from where on there is any number of %s', (table) => {
      const { named, openFrom } = documented[table];
      expect(openFrom).toBe(used[table].openFrom);
      if (openFrom !== undefined) expect(openFrom).toBe(named.size + 1);
    });

    it('leaves to the prelude what stands there: the clock, numbers as text, and the rule of versions', () => {
      expect(body).not.toMatch(/'TIME'|%\.0f|math\.max\([^,]* \+ 1,/);
    });

    it('has as many keys as scripts.ts says', () => {
      const { named, openFrom } = documented.KEYS;
      expect(scripts[name]).toBe(openFrom === undefined ? named.size : undefined);
    });
  });
}

/** A prelude's header against what it defines, and that against its use in the scripts behind it. */
export function checkPrelude(file: URL, families: readonly LuaFamily[]): void {
  const behind = families.flatMap(({ folder, scripts, files = {} }) =>
    [
      ...Object.keys(scripts).map((script) => `lua/${script}.lua`),
      ...Object.values(files).flat(),
      'prelude.lua',
    ].map((name) => new URL(name, folder)),
  );
  checkFront(
    file,
    behind.filter(({ href }) => href !== file.href),
  );
}

/** As `checkPrelude`, of what is used in these files. */
export function checkFront(file: URL, users: readonly URL[]): void {
  const name = path.basename(file.pathname, '.lua');
  describe(`the prelude ${file.pathname.split('/').slice(-2).join('/')}`, () => {
    const { documented, defined, text } = readLuaPrelude(file);
    const used = users.map((script) => readFileSync(script, 'utf8'));

    it('tells of each name that it defines, in their order', () => {
      expect(text).toMatch(new RegExp(`^-- ${name}: \\S`));
      expect(documented).toEqual(defined);
    });

    it.each(defined)('defines %s, which a script uses', (definition) => {
      const isUsed = used.some((script) =>
        new RegExp(`\\b${definition}\\b`).test(script.replace(/^ *--.*$|^local function \w+/gm, '')),
      );
      expect(isUsed).toBe(true);
    });
  });
}
