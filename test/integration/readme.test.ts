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
    const program = path.join(folder, 'example.mts');
    await writeFile(program, await exampleProgram());
    await environment.startWorker(stores);
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', program], {
      cwd: root,
      env: { ...process.env, ...environment.env },
    });
    expect(JSON.parse(stdout)).toMatchObject({ id: 'p1', name: 'Harbour' });
    const row = await environment.prisma.project.findUnique({ where: { id: 'p1' } });
    expect(row).toMatchObject({ name: 'Harbour', views: 1n });
  });
});

/** The example with its imports pointing here, a Prisma client, and what it read printed. */
async function exampleProgram(): Promise<string> {
  const readme = await readFile(path.join(root, 'README.md'), 'utf8');
  const example = /```ts\n(.*?connect\(.*?)```/s.exec(readme)?.[1] ?? '';
  const body = example
    .replace("'forebay'", `'${root}src/index.ts'`)
    .replace("'./generated/models.js'", `'${root}src/domain/generated/models.ts'`)
    .replace('await app.stores.projects.get', 'const found = await app.stores.projects.get');
  return [
    `import { createPrisma } from '${root}src/domain/prisma.ts';`,
    "const prisma = createPrisma(process.env.DATABASE_URL ?? '', { name: 'example', connections: 2 });",
    body,
    'process.stdout.write(JSON.stringify(found));',
    'await app.close();',
    'await prisma.$disconnect();',
  ].join('\n');
}
