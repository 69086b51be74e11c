/** What makes pages of the repository pages of the site: links to where the site has things, and Mermaid's blocks as pictures. */
import { cpSync, existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import type { MarkdownRenderer } from 'vitepress';
import { diagramFolder, diagramName } from './diagrams.js';
import { copyOf, isFile, linksOf, siteLink, targetOf } from './links.js';
import { pageFiles, readPage, root } from './pages.js';

interface Env {
  readonly path: string;
  readonly realPath?: string;
}

export function asSitePages(md: MarkdownRenderer): void {
  md.core.ruler.push('site_links', ({ tokens, env }) => {
    const { path: place, realPath = place } = env as Env;
    const page = path.relative(root, realPath);
    const links = tokens.flatMap(({ children }) => children ?? []).filter(({ type }) => type === 'link_open');
    for (const link of links) link.attrSet('href', siteLink(page, link.attrGet('href') ?? ''));
  });
  const fence = md.renderer.rules.fence;
  md.renderer.rules.fence = (tokens, index, options, env: Env, self) => {
    const token = tokens[index];
    if (token?.info.trim() !== 'mermaid') return fence?.(tokens, index, options, env, self) ?? '';
    const picture = path.join(diagramFolder, diagramName(token.content));
    if (!existsSync(picture)) throw new Error(`${env.path} has a new diagram: call npm run docs:diagrams.`);
    const from = path.dirname(env.realPath ?? env.path);
    const relative = path.relative(from, picture).split(path.sep).join('/');
    return `<p><img src="${relative.startsWith('.') ? relative : `./${relative}`}" alt="${alternative(token.content)}"></p>\n`;
  };
}

/** The labels of a diagram, for who can't see it. */
function alternative(block: string): string {
  const [, ...lines] = block.trim().split('\n');
  return lines
    .map((line) => line.trim())
    .join('; ')
    .replace(/[&<>"{}]/g, ' ');
}

/** The files that pages link to and that are no pages. */
export function copyLinkedFiles(outDir: string): void {
  const pages = pageFiles();
  const files = pages.flatMap((page) =>
    linksOf(readPage(page)).flatMap((href) => targetOf(page, href)?.file ?? []),
  );
  for (const file of new Set(files)) {
    if (pages.includes(file) || !isFile(file)) continue;
    const target = path.join(outDir, copyOf(file));
    mkdirSync(path.dirname(target), { recursive: true });
    cpSync(path.join(root, file), target);
  }
}
