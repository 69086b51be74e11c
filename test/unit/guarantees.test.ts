/** docs/guarantees.md against the tests that it names. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

/** Without what is measured. */
const page = read('docs/guarantees.md').replace(/^## When Redis loses power[\s\S]*?(?=^## )/m, '');
const rows = [...page.matchAll(/^\| (.+?) +\| `(\S+)` › (.+?) +\|$/gm)];

it('every row of the tables names a test', () => {
  const lines = page.match(/^\| .*\|$/gm) ?? [];
  const heads = page.match(/^\| --- .*\|$/gm) ?? [];
  expect(rows.length).toBeGreaterThan(10);
  expect(rows).toHaveLength(lines.length - 2 * heads.length);
});

it.each(rows.map(([, promise, file, name]) => [promise as string, file as string, name as string]))(
  '%s',
  (_, file, name) => {
    expect(read(file)).toContain(name);
  },
);
