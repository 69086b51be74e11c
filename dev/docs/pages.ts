/** The pages of the documentation: which files they are, and where they are on the site. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));

/** Pages beside those in docs/, and where the site has them. */
const further: Readonly<Record<string, string>> = {
  'bench/README.md': 'bench.md',
  'src/buffer/README.md': 'protocol/buffer.md',
  'src/cache/README.md': 'protocol/cache.md',
  'CHANGELOG.md': 'changelog.md',
  'CONTRIBUTING.md': 'contributing.md',
};

/** Every page of the site, from the root of the repository. docs/api is for comparing, and not to be read. */
export function pageFiles(): string[] {
  return [
    ...markdownIn('docs').filter((file) => !file.startsWith('docs/api/')),
    ...markdownIn('examples').filter((file) => file.endsWith('README.md')),
    ...Object.keys(further),
  ].sort();
}

/** What is Markdown and no page. */
export function otherMarkdown(): string[] {
  const names = readdirSync(root, { withFileTypes: true }).filter(
    ({ name }) => !name.startsWith('.') && !['node_modules', 'dist'].includes(name),
  );
  const all = names.flatMap((one) =>
    one.isDirectory() ? markdownIn(one.name) : one.name.endsWith('.md') ? [one.name] : [],
  );
  const pages = pageFiles();
  return all.filter((file) => !pages.includes(file));
}

/** Where the site has a page, from the site's root: `docs/patterns/README.md` is `patterns/index.md`. */
export function placeOf(file: string): string {
  return further[file] ?? file.replace(/^docs\//, '').replace(/\bREADME\.md$/, 'index.md');
}

export function readPage(file: string): string {
  return readFileSync(path.join(root, file), 'utf8');
}

/** A heading's anchor, as GitHub makes it. */
export function anchorOf(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-');
}

function markdownIn(folder: string): string[] {
  const names = readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => name.endsWith('.md') && !/(^|[\\/])(node_modules|\.vitepress)[\\/]/.test(name))
    .map((name) => path.posix.join(folder, name.split(path.sep).join('/')));
}
