import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stores } from '../../examples/platform/stores.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { readExample, runExample } from '../support/page-example.js';

let environment: Environment;
let folder: string;

beforeEach(async () => {
  environment = await createEnvironment();
  folder = await mkdtemp(path.join(tmpdir(), 'forebay-readme-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
  await environment.close();
});

describe('the README', () => {
  it('has an example that runs as it stands, and does what its comments say', async () => {
    const example = readExample('README.md');
    await environment.startWorker(stores);
    const found = await runExample(example, { folder, env: environment.env });
    expect(example.expected).toHaveProperty('project');
    expect(found).toEqual(example.expected);
    const row = await environment.prisma.project.findUnique({ where: { id: 'p1' } });
    expect(row).toMatchObject({ name: 'Harbour', views: 1n });
  });
});
