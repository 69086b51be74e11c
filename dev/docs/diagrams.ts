/**
 * `npm run docs:diagrams`: draws the Mermaid blocks of the pages as pictures in docs/diagrams, by Mermaid in this machine's Chromium. GitHub draws the blocks itself; the site
 * shows the pictures, and needs no script for it.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chromiumPath, openChromium } from '../../test/support/chromium.js';
import { pageFiles, readPage, root } from './pages.js';

const mermaid = 'mermaid@11.6.0';
export const diagramFolder = path.join(root, 'docs/diagrams');

/** A picture's name follows from its block's text: a block that is changed has none until it is drawn. */
export function diagramName(block: string): string {
  return `${createHash('sha256').update(block.trim()).digest('hex').slice(0, 12)}.svg`;
}

/** All blocks of all pages, by their pictures' names. */
export function diagramBlocks(): ReadonlyMap<string, string> {
  const blocks = pageFiles().flatMap((file) => [...readPage(file).matchAll(/^```mermaid\n(.*?)^```$/gms)]);
  return new Map(blocks.map(([, block]) => [diagramName(block as string), block as string]));
}

async function main(): Promise<void> {
  const executable = chromiumPath();
  if (executable === undefined) throw new Error('There is no chromium on the PATH.');
  const blocks = diagramBlocks();
  mkdirSync(diagramFolder, { recursive: true });
  for (const name of readdirSync(diagramFolder)) {
    if (!blocks.has(name)) rmSync(path.join(diagramFolder, name));
  }
  const missing = [...blocks].filter(([name]) => !existsSync(path.join(diagramFolder, name)));
  if (missing.length === 0) return;
  for (const [name, svg] of await drawn(executable, missing)) {
    writeFileSync(path.join(diagramFolder, name), `${svg}\n`);
    console.log(`docs/diagrams/${name}`);
  }
}

async function drawn(
  executable: string,
  blocks: readonly (readonly [string, string])[],
): Promise<[string, string][]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'forebay-diagrams-'));
  const browser = await openChromium(executable);
  try {
    const install = ['install', '--prefix', folder, '--no-save', '--ignore-scripts', '--no-audit', mermaid];
    execFileSync('npm', install, { stdio: 'ignore' });
    const page = await browser.newPage();
    await page.addScriptTag({ path: path.join(folder, 'node_modules/mermaid/dist/mermaid.min.js') });
    const results: [string, string][] = [];
    for (const [name, block] of blocks) {
      const svg = await page.evaluate<string>(drawScript(`d${name.replace('.svg', '')}`, block));
      results.push([name, withBackground(svg)]);
    }
    return results;
  } finally {
    await browser.close();
    rmSync(folder, { recursive: true });
  }
}

/** Without HTML in its labels: a picture that is loaded as an image may have none. */
function drawScript(id: string, block: string): string {
  const config = {
    startOnLoad: false,
    theme: 'neutral',
    fontFamily: 'sans-serif',
    htmlLabels: false,
    flowchart: { htmlLabels: false, useMaxWidth: false },
    sequence: { useMaxWidth: false },
  };
  return `(async () => {
    mermaid.initialize(${JSON.stringify(config)});
    return (await mermaid.render(${JSON.stringify(id)}, ${JSON.stringify(block)})).svg;
  })()`;
}

/** Black lines are to be seen on a dark page too. */
function withBackground(svg: string): string {
  return svg.replace(/<svg ([^>]*?)style="/, '<svg $1style="background: white; padding: 12px; ');
}

if (process.argv[1] === import.meta.filename) await main();
