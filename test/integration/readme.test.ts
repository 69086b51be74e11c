import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stores } from '../../src/domain/stores.js';
import { createEnvironment, type Environment } from '../support/environment.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

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
    const example = await exampleOf('README.md');
    const body = example.replace(
      'await app.stores.projects.get',
      'const found = await app.stores.projects.get',
    );
    await environment.startWorker(stores);
    expect(JSON.parse(await run(body))).toMatchObject({ id: 'p1', name: 'Harbour' });
    const row = await environment.prisma.project.findUnique({ where: { id: 'p1' } });
    expect(row).toMatchObject({ name: 'Harbour', views: 1n });
  });
});

describe('the page of the patterns', () => {
  it('has an example that runs as it stands', async () => {
    const results = 'const found = { profile, first, stale, newest };';
    expect(JSON.parse(await run(`${await exampleOf('docs/patterns.md')}\n${results}`))).toMatchObject({
      profile: { name: 'Ada', seenAt: new Date(0).toISOString() },
      first: { name: 'Ada' },
      stale: { name: 'Ada' },
      newest: { name: 'Countess' },
    });
  });
});

/** Runs a program that leaves what it found in `found`, and returns that as JSON. */
async function run(body: string): Promise<string> {
  const program = path.join(folder, 'example.mts');
  await writeFile(program, programOf(body));
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', program], {
    cwd: root,
    env: { ...process.env, ...environment.env },
  });
  return stdout;
}

/** A page's example, with its imports pointing here. */
async function exampleOf(page: string): Promise<string> {
  const text = await readFile(path.join(root, page), 'utf8');
  const example = /```ts\n(.*?connect\(.*?)```/s.exec(text)?.[1] ?? '';
  return example
    .replace("'forebay'", `'${root}src/index.ts'`)
    .replace("'./generated/models.js'", `'${root}src/domain/generated/models.ts'`);
}

function programOf(body: string): string {
  return [
    `import { createPrisma } from '${root}src/domain/prisma.ts';`,
    "const prisma = createPrisma(process.env.DATABASE_URL ?? '', { name: 'example', connections: 2 });",
    body,
    'process.stdout.write(JSON.stringify(found));',
    'await app.close();',
    'await prisma.$disconnect();',
  ].join('\n');
}
