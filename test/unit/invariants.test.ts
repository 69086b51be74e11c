/** Each invariant of the protocol has a name, which stands where it is told, kept and proven. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);

/** The names in brackets in files of these kinds under a folder. */
function namesIn(folder: string, kinds: RegExp): Set<string> {
  const files = readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' });
  const texts = files
    .filter((name) => kinds.test(name))
    .map((name) => readFileSync(new URL(folder + name, root), 'utf8'));
  return new Set(texts.join('\n').match(/\[F[BC]-[A-Z-]+\]/g));
}

const told = namesIn('src/', /README\.md$/);
const kept = namesIn('src/', /\.(ts|lua|sql)$/);
const modelled = namesIn('models/', /\.pml$/);
const tested = namesIn('test/', /\.test\.ts$/);

describe('an invariant', () => {
  it('is told in a README', () => {
    expect(told.size).toBeGreaterThan(15);
    expect([...kept, ...modelled, ...tested].filter((name) => !told.has(name))).toEqual([]);
  });

  it.each([...told])('%s is kept by the code, and proven by a model or a test', (name) => {
    expect(kept).toContain(name);
    expect(new Set([...modelled, ...tested])).toContain(name);
  });
});
