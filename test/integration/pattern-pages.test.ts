import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEnvironment } from '../support/environment.js';
import { type PageExample, readExample, root, runExample, typeErrors } from '../support/page-example.js';

const patterns = await readdir(path.join(root, 'docs/patterns'));
const pages = [...patterns.map((page) => `docs/patterns/${page}`), 'docs/warming.md'];

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'forebay-pages-'));
});

afterAll(() => rm(folder, { recursive: true }));

describe('the pages of the patterns, and of warming', () => {
  it.concurrent.each(pages)('%s has an example that does what its comments say', async (page) => {
    const example = await readExample(page);
    expect(Object.keys(example.expected)).not.toEqual([]);
    const environment = await createEnvironment();
    try {
      const own = await mkdtemp(path.join(folder, 'run-'));
      expect(await runExample(example, { folder: own, env: environment.env })).toEqual(example.expected);
    } finally {
      await environment.close();
    }
  });

  it.concurrent('have examples without an error of types', async () => {
    const examples = new Map<string, PageExample>();
    for (const page of pages) examples.set(path.parse(page).name, await readExample(page));
    examples.set('readme-of-all', await readExample('README.md'));
    expect(await typeErrors(examples, folder)).toBe('');
  });
});
