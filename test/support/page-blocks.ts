/** The code blocks of pages: what they say of themselves, and what they are as modules. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../../dev/docs/pages.js';

/**
 * ```ts            is compiled against the built types, and run: by itself when it imports and connects, else with
 *                  an app that is there
 * ```ts no-run     is compiled
 * ```ts signature  is a function of docs/api without the types of its parameters
 * ```… file=PATH   is a file of the project that its page builds
 */
export interface Block {
  readonly page: string;
  /** Of its first line of code. */
  readonly line: number;
  /** '' for a block that says none. */
  readonly language: string;
  /** What stands behind the language. */
  readonly says: string;
  readonly text: string;
}

/** Each fence opens a block, wherever it stands; one that is never closed goes on to the page's end. */
export function blocksOf(page: string, markdown = readFileSync(path.join(root, page), 'utf8')): Block[] {
  const blocks: Block[] = [];
  let open: (Omit<Block, 'text'> & { fence: string; lines: string[] }) | undefined;
  const close = (): void => {
    if (open === undefined) return;
    const { fence: _, lines, ...block } = open;
    blocks.push({ ...block, text: lines.map((line) => `${line}\n`).join('') });
    open = undefined;
  };
  for (const [index, line] of markdown.split('\n').entries()) {
    const [, fence = '', language = '', says = ''] = /^\s*(`{3,}|~{3,}) *([^\s`]*) *(.*)$/.exec(line) ?? [];
    if (open === undefined && fence !== '')
      open = { page, line: index + 2, language, says: says.trim(), fence, lines: [] };
    else if (open !== undefined && fence === open.fence && language === '') close();
    else open?.lines.push(line);
  }
  close();
  return blocks;
}

/** Where a person finds it. */
export const placeOfBlock = ({ page, line, language, says }: Block): string =>
  `${page}:${line} ${[language, says].filter(Boolean).join(' ')}`.trim();

/** Code that no fence encloses: of that nobody knows what it is. */
export function indentedCode(page: string, markdown = readFileSync(path.join(root, page), 'utf8')): string[] {
  const fenced = /^\s*(`{3,}|~{3,}).*?^\s*\1\s*$/gms;
  const lines = markdown.replace(fenced, (block) => block.replace(/[^\n]+/g, '')).split('\n');
  return lines.flatMap((line, index) =>
    /^ {4}\S/.test(line) && lines[index - 1]?.trim() === '' ? [`${page}:${index + 1}`] : [],
  );
}

export const isFileOfProject = ({ says }: Block): boolean => says.startsWith('file=');

export function isCompiled({ language, says }: Block): boolean {
  return ['ts', 'js'].includes(language) && ['', 'no-run'].includes(says);
}

/** As a program of its own, whose comments say what comes out. */
export function isProgram(block: Block): boolean {
  const { language, text } = block;
  return isRun(block) && language === 'ts' && text.startsWith('import ') && /\bconnect\(/.test(text);
}

export const isRun = (block: Block): boolean => isCompiled(block) && block.says === '';

/** What is built of the example platform stands for an app's own modules; forebay finds itself by its name. */
export function withImportsOfPlatform(text: string): string {
  return text
    .replaceAll("'./stores.js'", `'${root}dist/examples/platform/stores.js'`)
    .replaceAll("'./generated/models.js'", `'${root}dist/examples/platform/generated/models.js'`);
}

const prelude = readFileSync(path.join(root, 'test/support/page-prelude.ts'), 'utf8');

/** As a module beside those of the blocks, on what is built. */
export const preludeModule = prelude
  .replaceAll("'../../src/index.js'", "'forebay'")
  .replace(/'\.\.\/\.\.\/src\/(\w+)\.js'/g, "'forebay/$1'")
  .replaceAll("'../../examples/", `'${root}dist/examples/`);

const declared =
  /^export (?:declare )?(?:const|function|class|interface) (\w+)|^export (type )?\{ ([^}]+) \}/gm;
const given = [...prelude.matchAll(declared)].flatMap(([text, name, isType, list]) =>
  (name === undefined ? (list ?? '').split(', ') : [name]).map((one) => ({
    name: one,
    isType: isType !== undefined || /^export interface/.test(text),
  })),
);

/** A block as a module of its own, with what it takes for granted. */
export function moduleOf({ text }: Block): string {
  const isUsed = (name: string): boolean => new RegExp(`(?<![.'\\w])${name}\\b(?!:)`).test(text);
  const isDefined = (name: string): boolean =>
    new RegExp(`(const|let|function|class|interface|type) ${name}\\b`).test(text) ||
    new RegExp(`^import [^;]*\\b${name}\\b[^;]* from`, 'm').test(text);
  const imports = given
    .filter(({ name }) => isUsed(name) && !isDefined(name))
    .map(({ name, isType }) => (isType ? `type ${name}` : name));
  return [
    ...(imports.length > 0 ? [`import { ${imports.join(', ')} } from './prelude.mjs';`] : []),
    withImportsOfPlatform(text),
    'export {};',
  ].join('\n');
}
