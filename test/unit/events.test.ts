/** The list of events against the code that emits them. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const source = new URL('../../src/', import.meta.url);
const files = (readdirSync(source, { recursive: true }) as string[]).filter((file) => file.endsWith('.ts'));
const textOf = (file: string): string => readFileSync(new URL(file, source), 'utf8');

const typesIn = (text: string): string[] =>
  [...text.matchAll(/\btype: '([a-z][a-z0-9-]*\.[a-z-]+)'/g)].map(([, type]) => type as string);

const declared = new Set(typesIn(textOf('events.ts')));
const emitted = new Set(
  files.filter((file) => file !== 'events.ts').flatMap((file) => typesIn(textOf(file))),
);

it('every event that is declared is emitted, and the other way round', () => {
  expect(declared.size).toBeGreaterThan(10);
  expect([...emitted].sort()).toEqual([...declared].sort());
});

it.each([
  ['sweep.failed', /services\/write-behind\/sweep\.ts$/],
  ['mark.not-renewed', /services\/write-behind\/lane-marks\.ts$/],
  ['ledger.not-compared', /services\/write-behind\/ledger-watch\.ts$/],
])('%s is told by the part that it names, and no other', (type, part) => {
  const emitters = files.filter((file) => file !== 'events.ts' && typesIn(textOf(file)).includes(type));
  expect(emitters).not.toEqual([]);
  for (const file of emitters.filter((name) => name !== 'logger.ts')) expect(file).toMatch(part);
});
