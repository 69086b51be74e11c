/** The pages: what they link to, what they tell to run, and their place on the site. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { chartFolder, charts } from '../../dev/docs/charts.js';
import { diagramBlocks, diagramFolder } from '../../dev/docs/diagrams.js';
import { isFile, linksOf, targetOf } from '../../dev/docs/links.js';
import { anchorOf, pageFiles, placeOf, readPage, root } from '../../dev/docs/pages.js';
import { sidebar } from '../../docs/.vitepress/sidebar.js';
import { commands } from '../../src/cli/commands.js';

const pages = pageFiles();
const readable = ['README.md', ...pages];

describe.each(readable)('%s', (page) => {
  const text = readPage(page);

  it('links to what is there', () => {
    expect(deadLinks(page, text)).toEqual([]);
  });

  it('tells only of commands and scripts that there are', () => {
    expect(unknownCommands(text)).toEqual([]);
  });
});

describe('what is not there', () => {
  it('is found, in links and in commands', () => {
    const text =
      '[a](nowhere.md) [b](start.md#nowhere) [c](start.md#2-write) ![d](nowhere.svg) `[e](code.md)`';
    expect(deadLinks('docs/x.md', text)).toEqual(['nowhere.md', 'start.md#nowhere', 'nowhere.svg']);
    const commands =
      'npm run nothing, npx forebay dance\nnpx forebay check --strict\nnpx forebay check --strickt';
    expect(unknownCommands(commands)).toEqual([
      'npm run nothing',
      'npx forebay dance',
      'npx forebay check --strickt',
    ]);
  });
});

describe('the site', () => {
  it('has each page once in its sidebar', () => {
    const links = sidebar.flatMap(({ items }) => items.map(({ link }) => link));
    const placed = pages
      .map((page) => `/${placeOf(page).replace(/(index)?\.md$/, '')}`)
      .filter((link) => link !== '/' && !link.startsWith('/examples/'));
    expect(links.sort()).toEqual([...placed, '/examples/'].sort());
  });

  it('has a picture for each diagram, and no other: npm run docs:diagrams draws them', () => {
    expect(readdirSync(diagramFolder).sort()).toEqual([...diagramBlocks().keys()].sort());
  });

  it.each([...charts()])('has %s as bench/results say: npm run docs:charts draws it', (name, picture) => {
    const file = path.join(chartFolder, name);
    expect(existsSync(file) ? readFileSync(file, 'utf8') : '').toBe(picture);
  });
});

describe('the README', () => {
  it('fits on one screen', () => {
    expect(readPage('README.md').split('\n').length).toBeLessThan(80);
  });

  it('has no figure that is not in bench/results', () => {
    const [, section = ''] = /^## How fast\n(.*?)^## /ms.exec(readPage('README.md')) ?? [];
    const figures =
      section.match(
        /\d[\d,]*\.?\d*(?= (writes|values)\/s)|(?<= |at )\d+,\d+|[\d.]+(?= ms(?! to compute))/g,
      ) ?? [];
    const known = ['write-behind', 'read', 'refresh'].flatMap(figuresOf);
    expect(figures.length).toBeGreaterThan(6);
    expect(figures.filter((figure) => !known.includes(figure))).toEqual([]);
  });
});

function deadLinks(page: string, text: string): string[] {
  return linksOf(text).filter((href) => {
    const target = targetOf(page, href);
    return target !== undefined && !(isFile(target.file) && hasAnchor(target.file, target.anchor));
  });
}

/** As pages write them: 35,729, and 0.39 or 201 of ms. */
function figuresOf(bench: string): string[] {
  const text = readFileSync(path.join(root, `bench/results/${bench}.json`), 'utf8');
  const { runs } = JSON.parse(text) as { runs: readonly Readonly<Record<string, unknown>>[] };
  const numbers = runs.flatMap((run) => Object.values(run).filter((one) => typeof one === 'number'));
  return numbers.map((one) =>
    one.toLocaleString('en-US', { maximumFractionDigits: one < 100 && !Number.isInteger(one) ? 2 : 0 }),
  );
}

function hasAnchor(file: string, anchor: string): boolean {
  if (anchor === '' || !file.endsWith('.md')) return true;
  const headings = [...readPage(file).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading as string);
  return headings
    .map((heading) => anchorOf(heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')))
    .includes(anchor);
}

const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
  scripts: Readonly<Record<string, string>>;
};

/** Scripts of `npm run`, commands of `forebay`, and their flags. */
function unknownCommands(text: string): string[] {
  const missing = [...text.matchAll(/\bnpm run ([\w:-]+)/g)].filter(
    ([, script]) => !((script as string) in scripts) && !(script as string).startsWith('forebay:'),
  );
  const wrong = [...text.matchAll(/\bnpx forebay ([a-z][\w-]*)([^`#\n|]*)/g)].filter(([, name, rest]) => {
    const command = commands.find((one) => one.name === name);
    const flags = [...(rest as string).matchAll(/--([\w-]+)/g)].map(([, flag]) => flag as string);
    const known = ['help', ...(command?.flags ?? []).map((flag) => flag.name)];
    return command === undefined || flags.some((flag) => !known.includes(flag));
  });
  return [...missing, ...wrong].map(([found]) => found);
}
