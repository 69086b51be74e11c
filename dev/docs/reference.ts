/** `npm run docs:reference`: writes what is made from the source: docs/options.md, docs/reference and docs/glossary.md. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { analyseEntryPoints, type EntryPoint } from '../api/report.js';
import { glossaryFile, glossaryPageText } from './glossary-page.js';
import { optionsPageText } from './options-page.js';
import { root } from './pages.js';
import { referencePageText } from './reference-page.js';

/** The texts by file, from the root. */
export function referencePages(entries: ReadonlyMap<string, EntryPoint>): ReadonlyMap<string, string> {
  return new Map([
    ['docs/options.md', optionsPageText(entries)],
    ...[...entries].map(
      ([name, entry]) => [`docs/reference/${name}.md`, referencePageText(name, entry)] as const,
    ),
    [glossaryFile, glossaryPageText()],
  ]);
}

if (process.argv[1] === import.meta.filename) {
  mkdirSync(path.join(root, 'docs/reference'), { recursive: true });
  for (const [file, text] of referencePages(analyseEntryPoints())) {
    writeFileSync(path.join(root, file), text);
    console.log(file);
  }
}
