/** The questions of docs/architecture.md: each is answered by at most two files, which are there. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);
const page = readFileSync(new URL('docs/architecture.md', root), 'utf8');
const rows = [...page.matchAll(/^\| … (.+\?) \| (.+) \|$/gm)].map(
  ([, question, files]) =>
    [
      question as string,
      [...(files as string).matchAll(/`([^`]+)`/g)].map(([, file]) => file as string),
    ] as const,
);

it('are twenty at least', () => {
  expect(rows.length).toBeGreaterThanOrEqual(20);
});

it.each(rows)('what happens when … %s', (_, files) => {
  expect(files.length).toBeGreaterThan(0);
  expect(files.length).toBeLessThanOrEqual(2);
  expect(files.filter((file) => !existsSync(new URL(file, root)))).toEqual([]);
});
