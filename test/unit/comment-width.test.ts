/** Comments stay within the formatter's width, which it does not see to itself. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const source = new URL('../../src/', import.meta.url);
const widthMax = 110;

it('no line of a comment is wider than the code may be', () => {
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(ts|lua)$/.test(name),
  );
  const wide = files.flatMap((name) =>
    readFileSync(new URL(name, source), 'utf8')
      .split('\n')
      .flatMap((line, i) =>
        line.length > widthMax && /^\s*(\/\/|\/\*\*|\*|--)/.test(line) ? [`${name}:${i + 1}`] : [],
      ),
  );
  expect(wide).toEqual([]);
});
