/** docs/errors.md and the table of codes against the code that throws them. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { errorsPage, errorsPageText } from '../../dev/errors-page.js';
import { type ErrorCodeDoc, errorCodes } from '../../src/errors.js';

const source = new URL('../../src/', import.meta.url);

it('docs/errors.md is what `npm run docs:errors` writes', () => {
  expect(readFileSync(errorsPage, 'utf8')).toBe(errorsPageText());
});

it('has each code in a row of its own, with nothing that breaks the table', () => {
  const rows = errorsPageText().match(/^\| `[A-Z_]+` \|.*\|$/gm) ?? [];
  expect(rows.map((row) => row.split('|').length)).toEqual(Object.keys(errorCodes).map(() => 6));
});

describe.each(Object.entries<ErrorCodeDoc>(errorCodes))('%s', (code, { retryable }) => {
  const thrown = throwsOf(code);

  it('comes from somewhere', () => {
    const isNamed = files().some(({ text }) => new RegExp(`(?<=[:(] *|^ *)'${code}'`, 'm').test(text));
    expect(isNamed).toBe(true);
  });

  it.skipIf(thrown.length === 0 || retryable === 'sometimes')('can be repeated as the table says', () => {
    for (const call of thrown) expect(call.includes('retryable: true'), call).toBe(retryable === 'yes');
  });
});

function files(): { name: string; text: string }[] {
  const names = readdirSync(source, { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => name.endsWith('.ts') && name !== 'errors.ts')
    .map((name) => ({ name, text: readFileSync(new URL(name, source), 'utf8') }));
}

/** The text of each `new ForebayError('CODE', …)`, to its closing parenthesis. */
function throwsOf(code: string): string[] {
  return files().flatMap(({ text }) =>
    [...text.matchAll(new RegExp(`new ForebayError\\(\\s*'${code}'`, 'g'))].map(({ index }) =>
      text.slice(index, endOfCall(text, index)),
    ),
  );
}

function endOfCall(text: string, start: number): number {
  let open = 0;
  for (let at = text.indexOf('(', start); at < text.length; at++) {
    if (text[at] === '(') open += 1;
    if (text[at] === ')') open -= 1;
    if (open === 0) return at + 1;
  }
  return text.length;
}
