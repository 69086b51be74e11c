/** docs/start.md, as somebody follows it: every file and every command of it, in order, in a project of its own with the package as it is published. */
import { type ChildProcess, execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { migrate } from '../../prisma/migrate.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { installPacked } from '../support/packed.js';
import { blocksOf } from '../support/page-blocks.js';
import { userTsconfig } from '../support/user-project.js';

const firstMigration =
  'CREATE TABLE "Project" ("id" TEXT PRIMARY KEY, "name" TEXT NOT NULL, "views" INTEGER NOT NULL DEFAULT 0);';

let folder: string;
let environment: Environment;
let env: NodeJS.ProcessEnv;
let workers: ChildProcess[];

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'forebay-start-'));
  environment = await createEnvironment();
  workers = [];
  const url = new URL(environment.env.DATABASE_URL);
  url.searchParams.set('schema', `${url.searchParams.get('schema')}_start`);
  env = {
    ...process.env,
    ...environment.env,
    DATABASE_URL: url.href,
    LOG_LEVEL: 'error',
    PATH: `${path.join(folder, 'node_modules/.bin')}:${process.env.PATH}`,
    PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
  };
  await add('package.json', '{ "name": "stranger", "type": "module" }');
  await add('src/main.ts', '// what is there already');
  await add('prisma/migrations/1_first/migration.sql', firstMigration);
  await installPacked(folder);
});

afterEach(async () => {
  await endWorkers();
  await environment.close();
  await rm(folder, { recursive: true });
});

it('the first write, a counter, a dashboard that is kept warm: each step does what the page says', async () => {
  const said = new Map<string, string>();
  for (const { language, says, text } of blocksOf('docs/start.md')) {
    if (says.startsWith('file=')) await add(says.slice('file='.length), text);
    if (language !== 'sh') continue;
    for (const line of text.trim().split('\n')) {
      const command = line.replace(/\s+#.*$/, '');
      said.set(command, await run(command));
    }
  }
  expect(said.get('npx tsx src/first-write.ts')).toContain("name: 'Harbour'");
  expect(said.get('npx forebay where project:p1')).toContain('database');
  expect(said.get('npx tsx src/count.ts')).toBe('1000\n{ projects: 1, views: 1000 }\n');
  expect(said.get('npx forebay run warm-dashboards')).not.toBe('');
  await add('tsconfig.json', userTsconfig);
  expect(await node('node_modules/typescript/bin/tsc', '-p', '.')).toBe('');
});

async function add(file: string, text: string): Promise<void> {
  await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
  await writeFile(path.join(folder, file), text);
}

/** A command of the page, in the way that this machine has: what comes from a registry is there, and pm2's processes are the test's own. */
async function run(command: string): Promise<string> {
  const [program, name, ...args] = command.split(' ');
  if (program === 'docker' || `${program} ${name}` === 'npm install') return '';
  expect(program).toBe('npx');
  if (name === 'pm2') return startWorkers('write-behind');
  if (name === 'tsx') return node('--import', 'tsx', ...args);
  if (name === 'prisma' && args[0] === 'generate') return node('node_modules/prisma/build/index.js', ...args);
  if (name === 'prisma') return migrated();
  expect(name).toBe('forebay');
  if (args[0] === 'deploy') return startWorkers('write-behind', 'scheduler');
  return forebay(...args, ...(args[0] === 'init' ? ['--yes'] : []));
}

async function migrated(): Promise<string> {
  await migrate({ databaseUrl: env.DATABASE_URL as string, folder: path.join(folder, 'prisma/migrations') });
  return '';
}

/** What the check finds of the tests' own servers is no matter here. */
async function forebay(...args: string[]): Promise<string> {
  const bin = 'node_modules/forebay/dist/package/cli.js';
  if (args[0] !== 'check') return node(bin, ...args);
  return node(bin, ...args).catch((error: { code?: number; stdout: string }) => {
    expect(error.code).toBe(1);
    return error.stdout;
  });
}

async function node(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder, env });
  return stdout;
}

/** Those of which the page shows something; `init.test.ts` starts all. */
async function startWorkers(...names: readonly string[]): Promise<string> {
  await endWorkers();
  workers = names.map((name) =>
    fork(path.join(folder, 'workers', `${name}.ts`), {
      cwd: folder,
      env,
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    }),
  );
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  return '';
}

async function endWorkers(): Promise<void> {
  const ends = workers.map(async (worker) => {
    worker.kill('SIGTERM');
    await once(worker, 'exit');
  });
  await Promise.all(ends);
  workers = [];
}
