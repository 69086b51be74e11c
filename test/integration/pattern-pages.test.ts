import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pageFiles, root } from '../../dev/docs/pages.js';
import { createEnvironment } from '../support/environment.js';
import { blocksOf, isCompiled, isRun, moduleOf } from '../support/page-blocks.js';
import { readExample, runExample, typeErrors } from '../support/page-example.js';

const pages = pageFiles();
const running = pages.filter((page) => blocksOf(page).some(isRun));

let folder: string;

beforeAll(async () => {
  // Within the package, so that packages are found.
  await mkdir(path.join(root, 'dist'), { recursive: true });
  folder = await mkdtemp(path.join(root, 'dist/pages-'));
});

afterAll(() => rm(folder, { recursive: true }));

describe('the pages', () => {
  it.concurrent.each(running)('%s has an example that does what its comments say', async (page) => {
    const example = readExample(page);
    expect(Object.keys(example.expected)).not.toEqual([]);
    const environment = await createEnvironment();
    try {
      const own = await mkdtemp(path.join(folder, 'run-'));
      expect(await runExample(example, { folder: own, env: environment.env })).toEqual(example.expected);
    } finally {
      await environment.close();
    }
  });

  it.concurrent('have no block of TypeScript with an error of types', async () => {
    const blocks = ['README.md', ...pages].flatMap(blocksOf).filter(isCompiled);
    const modules = new Map(
      blocks.map((block) => [`${block.page.replace(/\W/g, '-')}-${block.line}`, moduleOf(block)]),
    );
    expect(modules.size).toBe(blocks.length);
    expect(await typeErrors(modules, folder)).toBe('');
  });

  it('run each of the patterns', () => {
    const patterns = pages.filter((page) => page.startsWith('docs/patterns/'));
    expect(patterns.filter((page) => !running.includes(page))).toEqual([]);
  });
});
