/** The code blocks of pages: what they say of themselves, and what they are as modules. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../../dev/docs/pages.js';

/**
 * ```ts            is compiled, and run when it imports and connects
 * ```ts no-run     is compiled
 * ```ts sketch     is neither: a signature, or another library's code
 * ```ts file=PATH  is a file of the project that its page builds
 */
export interface Block {
  readonly page: string;
  /** Of its first line of code. */
  readonly line: number;
  readonly language: string;
  /** What stands behind the language. */
  readonly says: string;
  readonly text: string;
}

export function blocksOf(page: string): Block[] {
  const text = readFileSync(path.join(root, page), 'utf8');
  return [...text.matchAll(/^```(\w+) ?([^\n]*)\n(.*?)^```$/gms)].map(
    ([, language = '', says = '', code = ''], index, all) => ({
      page,
      line: text.slice(0, all[index]?.index).split('\n').length + 1,
      language,
      says,
      text: code,
    }),
  );
}

export function isCompiled({ language, says }: Block): boolean {
  return language === 'ts' && says !== 'sketch' && !says.startsWith('file=');
}

export function isRun(block: Block): boolean {
  const { says, text } = block;
  return isCompiled(block) && says === '' && text.startsWith('import ') && /\bconnect\(/.test(text);
}

const entryPoints: Readonly<Record<string, string>> = {
  forebay: 'index',
  'forebay/prisma': 'prisma-extension',
};

/** With imports of this source instead of the package's. */
export function withImportsOfSource(text: string): string {
  return text
    .replace(/'(forebay(?:\/(\w+))?)'/g, (_, name: string, part: string) => {
      return `'${root}src/${entryPoints[name] ?? part}.ts'`;
    })
    .replaceAll("'./stores.js'", `'${root}examples/platform/stores.ts'`)
    .replaceAll("'./generated/models.js'", `'${root}examples/platform/generated/models.ts'`);
}

const prelude = path.join(root, 'test/support/page-prelude.ts');
const preludeNames = [
  ...new Set(
    [
      ...readFileSync(prelude, 'utf8').matchAll(
        /^export (?:declare )?(?:const|function) (\w+)|^export (?:type )?\{ ([^}]+) \}/gm,
      ),
    ].flatMap(([, name, list]) => (name ? [name] : (list ?? '').split(', '))),
  ),
];

/** A block as a module of its own, with what it takes for granted. */
export function moduleOf({ text }: Block): string {
  const isUsed = (name: string): boolean => new RegExp(`(?<![.'\\w])${name}\\b(?!:)`).test(text);
  const isDefined = (name: string): boolean =>
    new RegExp(`(const|let|function|class|interface|type) ${name}\\b`).test(text) ||
    new RegExp(`^import [^;]*\\b${name}\\b[^;]* from`, 'm').test(text);
  const given = preludeNames.filter((name) => isUsed(name) && !isDefined(name));
  const types = given.filter((name) => name === 'PrismaClient');
  const values = given.filter((name) => name !== 'PrismaClient');
  return [
    ...(values.length > 0 ? [`import { ${values.join(', ')} } from '${prelude}';`] : []),
    ...(types.length > 0 ? [`import type { ${types.join(', ')} } from '${prelude}';`] : []),
    withImportsOfSource(text),
    'export {};',
  ].join('\n');
}
