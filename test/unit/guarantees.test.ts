/** docs/guarantees.md against the tests that it names. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

const rows = [...read('docs/guarantees.md').matchAll(/^\| (.+?) +\| `(\S+)` › (.+?) +\|$/gm)];

it('every row of the table names a test', () => {
  const lines = read('docs/guarantees.md').match(/^\| .*\|$/gm) ?? [];
  expect(rows.length).toBeGreaterThan(10);
  expect(rows).toHaveLength(lines.length - 2);
});

it.each(rows.map(([, promise, file, name]) => [promise as string, file as string, name as string]))(
  '%s',
  (_, file, name) => {
    expect(read(file)).toContain(name);
  },
);
