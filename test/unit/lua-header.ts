/** What is checked of the header of every Lua script. */
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type LuaScript, readLuaScript } from './lua-script.js';

const tables = ['KEYS', 'ARGV'] as const;

/** @param folder with `lua/`; `scripts`: name → number of keys, as the code defines the commands */
export function checkHeaders(folder: URL, scripts: Readonly<Record<string, number | undefined>>): void {
  const names = Object.keys(scripts);

  it('the list of scripts is the list of files', () => {
    const files = readdirSync(new URL('lua/', folder)).sort();
    expect(names.map((name) => `${name}.lua`).sort()).toEqual(files);
  });

  describe.each(names)('the header of %s', (name) => {
    const { header, documented, used, indexes } = readLuaScript(
      new URL(`lua/${name}.lua`, folder),
    ) as LuaScript;

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
      expect([...new Set(indexes[table])].sort()).toEqual([...documented[table].named.keys()]);
    });

    it.each(tables)('says from where on there is any number of %s', (table) => {
      const { named, openFrom } = documented[table];
      expect(openFrom).toBe(used[table].openFrom);
      if (openFrom !== undefined) expect(openFrom).toBe(named.size + 1);
    });

    it('has as many keys as scripts.ts says', () => {
      const { named, openFrom } = documented.KEYS;
      expect(scripts[name]).toBe(openFrom === undefined ? named.size : undefined);
    });
  });
}
