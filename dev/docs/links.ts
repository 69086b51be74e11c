/** Links between pages: what they mean in the repository, and on the site. */
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { pageFiles, placeOf, root } from './pages.js';

/** What a link of a page leads to, from the root of the repository. */
export interface Target {
  readonly file: string;
  /** Without its `#`; empty: the page's head. */
  readonly anchor: string;
}

const isOutside = (href: string): boolean => /^([a-z]+:|\/\/)/i.test(href);

/** Undefined for a link out of the repository. */
export function targetOf(page: string, href: string): Target | undefined {
  if (isOutside(href)) return undefined;
  const [place = '', anchor = ''] = href.split('#');
  const named = place === '' ? page : path.posix.join(path.posix.dirname(page), place);
  const readme = path.posix.join(named, 'README.md');
  return { file: existsSync(path.join(root, readme)) ? readme : named.replace(/\/$/, ''), anchor };
}

/**
 * The link as the site has it: to its page, or to a copy of the file.
 * @throws Error when there is no such file
 */
export function siteLink(page: string, href: string): string {
  const target = targetOf(page, href);
  if (target === undefined || href.startsWith('#')) return href;
  const anchor = target.anchor === '' ? '' : `#${target.anchor}`;
  if (pageFiles().includes(target.file)) {
    return `/${placeOf(target.file).replace(/(^|\/)index\.md$/, '$1')}${anchor}`;
  }
  if (!isFile(target.file)) throw new Error(`${page} links to ${href}, which is no file.`);
  return `/${copyOf(target.file)}`;
}

/** Where the site has the copy of a file that is no page. Browsers show text, and offer to keep what they do not know. */
export function copyOf(file: string): string {
  return /\.(png|svg|json)$/.test(file) ? `files/${file}` : `files/${file}.txt`;
}

export function isFile(file: string): boolean {
  const place = path.join(root, file);
  return existsSync(place) && statSync(place).isFile();
}

/** The links and pictures of a page's text that stand outside of its code. */
export function linksOf(text: string): string[] {
  const prose = text
    .replace(/^(`{3,}).*?^\1/gms, '')
    .replace(/^ {4}.*$/gm, '')
    .replace(/`[^`\n]*`/g, 'code');
  const inText = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, href]) => href as string);
  const inHtml = [...prose.matchAll(/(?:src|srcset|href)="([^"]+)"/g)].map(([, href]) => href as string);
  return [...inText, ...inHtml];
}
