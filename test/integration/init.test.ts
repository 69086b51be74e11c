/** `forebay init` in the project of a stranger: what it writes runs as it stands, and nothing is overwritten. */
import { type ChildProcess, execFile, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../dev/services/ports.js';
import { migrate } from '../../prisma/migrate.js';
import { type InitOptions, init } from '../../src/cli/init/init.js';
import { workerPeers } from '../../src/peers/peer.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { root } from '../support/page-example.js';
import { builtProgram, nextMessage } from '../support/program.js';
import { userTsconfig } from '../support/user-project.js';

const schema = `
generator client {
  provider = "prisma-client"
  output   = "../src/db/prisma"
}

datasource db {
  provider = "postgresql"
}

model Note {
  id    String @id @default(uuid())
  title String
}

// model Old { id String @id }
model Log {
  at DateTime
  @@ignore
}

model Stray {
  email String @unique
}
`;
const firstMigration = `
CREATE TABLE "Note" ("id" TEXT PRIMARY KEY, "title" TEXT NOT NULL);
CREATE TABLE "Stray" ("email" TEXT NOT NULL UNIQUE);
`;
const workers = ['board', 'refresh', 'scheduler', 'warm', 'write-behind'];

let folder: string;
let said: string[];

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'forebay-init-'));
  said = [];
  await add(
    'package.json',
    '{\n    "name": "stranger",\n    "type": "module",\n    "scripts": { "dev": "vite" }\n}\n',
  );
  await add('prisma/schema.prisma', schema);
  await add('src/main.ts', '');
});

afterEach(() => rm(folder, { recursive: true }));

async function add(file: string, text: string): Promise<void> {
  await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
  await writeFile(path.join(folder, file), text);
}

const read = (file: string): Promise<string> => readFile(path.join(folder, file), 'utf8');

const files = async (): Promise<string[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();

/** Somebody's answers at the terminal; without them nobody is there. */
function run(options: Partial<InitOptions>, answers?: readonly string[]): Promise<number> {
  const left = [...(answers ?? [])];
  const ask = answers && (async () => left.shift() ?? '');
  const defaults = { models: undefined, isAgreed: false, isDryRun: false };
  return init(folder, { ...defaults, ...options }, { say: (line) => void said.push(line), ask });
}

describe('forebay init', () => {
  it('shows what it would write, and writes it once somebody agrees', async () => {
    const before = await files();
    expect(await run({ models: ['Note'], isDryRun: true })).toBe(0);
    expect(await run({ models: ['Note'] })).toBe(1);
    expect(await run({ models: ['Note'] }, ['n'])).toBe(1);
    expect(await files()).toEqual(before);
    expect(said.join('\n')).toContain('new src/forebay/stores.ts\n');
    expect(said.join('\n')).toContain('  +   note: record({ model: Note }),');
    expect(await run({}, ['Note', 'y'])).toBe(0);
    expect(await files()).toEqual(
      [
        ...before,
        'compose.yaml',
        'ecosystem.config.cjs',
        ...['app', 'prisma', 'schedules', 'stores'].map((name) => `src/forebay/${name}.ts`),
        ...workers.map((name) => `workers/${name}.ts`),
      ].sort(),
    );
    expect(await read('package.json')).toContain('\n    "scripts": {\n        "dev": "vite",\n');
    const install = said.join('\n').match(/^ {2}npm install .*$/m)?.[0];
    for (const name of workerPeers) expect(install).toContain(` ${name}@^`);
  });

  it('writes nothing a second time, and overwrites nothing', async () => {
    await add('workers/warm.ts', '// mine');
    await add('docker-compose.yml', 'services: {}');
    await add('ecosystem.config.js', 'export const apps = [];');
    await run({ models: ['Note'], isAgreed: true });
    expect(await read('workers/warm.ts')).toBe('// mine');
    expect(await files()).not.toContain('compose.yaml');
    expect(await files()).toContain('forebay.config.cjs');
    said = [];
    expect(await run({ models: ['Note'], isAgreed: true })).toBe(0);
    expect(said.filter((line) => /^(new|changed) /.test(line))).toEqual([]);
    expect(said).toContain('= workers/warm.ts is there already, and stays as it is.');
  });

  it.each([
    { models: [], says: 'Which models? Say --models Note. There are: Note.' },
    { models: ['Nope', 'Note'], says: 'The schema has no model Nope. There are: Note.' },
    { models: ['Old'], says: 'The schema has no model Old. There are: Note.' },
    { models: ['Log'], says: 'The schema has no model Log. There are: Note.' },
    { models: ['Stray'], says: "Stray has no @id: a store's records need one." },
  ])('says what is wrong with the models $models, and writes nothing', async ({ models, says }) => {
    const before = await files();
    expect(await run({ models, isAgreed: true })).toBe(2);
    expect(said).toEqual([says]);
    expect(await files()).toEqual(before);
  });

  it.each([
    { what: 'package.json', remove: 'package.json' },
    { what: 'Prisma schema', remove: 'prisma' },
  ])('says that there is no $what', async ({ what, remove }) => {
    await rm(path.join(folder, remove), { recursive: true });
    await expect(run({ models: ['Note'], isAgreed: true })).rejects.toThrow(`There is no ${what} here.`);
  });

  it('says that it writes to Postgres alone', async () => {
    await add('prisma/schema.prisma', schema.replace('"postgresql"', '"mysql"'));
    await expect(run({ models: ['Note'], isAgreed: true })).rejects.toThrow(
      'forebay writes to Postgres alone',
    );
  });

  it.each([
    {
      where: 'where prisma.config.ts says',
      config: "export default defineConfig({\n  schema: 'db/main.prisma',\n});",
    },
    {
      where: 'where prisma.config.ts joins it',
      config: "export default defineConfig({\n  schema: path.join('db', 'main.prisma'),\n});",
    },
  ])('finds the schema $where', async ({ config }) => {
    await rm(path.join(folder, 'prisma'), { recursive: true });
    await add('prisma.config.ts', config);
    await add('db/main.prisma', schema);
    expect(await run({ models: ['Note'], isAgreed: true })).toBe(0);
    expect(await read('db/main.prisma')).toContain('output   = "../src/forebay/models.ts"');
  });

  it('adds a file of its own to a schema in many, with the schema of Postgres', async () => {
    await rm(path.join(folder, 'prisma/schema.prisma'));
    await add(
      'prisma/schema/base.prisma',
      schema.replace('provider = "postgresql"', 'provider = "postgresql"\n  schemas = ["app", "audit"]'),
    );
    await add('prisma/schema/more/order.prisma', 'model Order {\n  id Int @id\n}\n');
    await add('prisma/migrations/1_first/migration.sql', firstMigration);
    expect(await run({ models: ['Note', 'Order'], isAgreed: true })).toBe(0);
    expect(await read('prisma/schema/forebay.prisma')).toContain(
      '@@map("forebay_ledger")\n  @@schema("app")',
    );
    const migration = (await files()).find((file) =>
      file.endsWith('_forebay_ledger/migration.sql'),
    ) as string;
    expect(await read(migration)).toContain('CREATE TABLE "app"."forebay_ledger"');
  });
});

describe('what forebay init wrote', () => {
  let environment: Environment;
  let processes: ChildProcess[];

  beforeEach(async () => {
    environment = await createEnvironment();
    processes = [];
    await add('prisma/migrations/1_first/migration.sql', firstMigration);
    await installed();
  });

  afterEach(async () => {
    const ends = processes.map(async (worker) => {
      if (worker.exitCode !== null) return;
      worker.kill('SIGTERM');
      await once(worker, 'exit');
    });
    await Promise.all(ends);
    await environment.close();
  });

  it('runs as it stands: types, all workers, and a write that is in the database', async () => {
    await run({ models: ['Note'], isAgreed: true });
    const env = await databaseOfItsOwn();
    await node(['node_modules/prisma/build/index.js', 'generate'], env);
    await add('tsconfig.json', userTsconfig);
    await node(['node_modules/typescript/bin/tsc', '-p', '.'], env);
    await Promise.all(workers.map((name) => started(`workers/${name}.ts`, env)));
    await add('src/main.ts', program);
    const { stdout } = await node(['--import', 'tsx', 'src/main.ts'], env);
    expect(JSON.parse(stdout)).toEqual({ id: 'n1', title: 'Harbour' });
  });

  it('is run by forebay dev with a Redis of its own: all in one terminal, until Ctrl-C', async () => {
    await run({ models: ['Note'], isAgreed: true });
    const port = await freePort();
    const env = { ...(await databaseOfItsOwn()), REDIS_URL: `redis://127.0.0.1:${port}` };
    await node(['node_modules/prisma/build/index.js', 'generate'], env);
    const cli = path.join(root, 'dist/package/cli.js');
    const dev = spawn(process.execPath, [cli, 'dev'], {
      cwd: folder,
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    processes.push(dev);
    const exit = once(dev, 'exit');
    const lines: string[] = [];
    for await (const line of createInterface({ input: dev.stdout })) {
      lines.push(line);
      if (line.includes('All run')) dev.kill('SIGINT');
    }
    expect(await exit).toEqual([0, null]);
    for (const name of workers) {
      expect(lines.filter((line) => line.startsWith(`forebay-${name} `)).map(textOf)).toEqual(
        expect.arrayContaining([expect.stringMatching(/^ready /), 'stopped']),
      );
    }
    await expect(once(connect(port, '127.0.0.1'), 'connect')).rejects.toThrow('ECONNREFUSED');
  });

  const textOf = (line: string): string => line.replace(/^[^│]*│ /, '');

  /** As npm would install it, with forebay's own packages for the app's. */
  async function installed(): Promise<void> {
    const modules = path.join(folder, 'node_modules');
    await mkdir(path.join(modules, '.bin'), { recursive: true });
    const names = (await readdir(path.join(root, 'node_modules'))).filter((name) => !name.startsWith('.'));
    await Promise.all(
      names.map((name) => symlink(path.join(root, 'node_modules', name), path.join(modules, name))),
    );
    await symlink(root, path.join(modules, 'forebay'));
    await writeFile(
      path.join(modules, '.bin/forebay-prisma-generator'),
      `#!/bin/sh\nexec "${process.execPath}" "${builtProgram('src/prisma-generator/bin.ts')}" "$@"\n`,
      { mode: 0o755 },
    );
  }

  /** Its migrations, applied to a schema of Postgres that nobody else has. */
  async function databaseOfItsOwn(): Promise<NodeJS.ProcessEnv> {
    const url = new URL(environment.env.DATABASE_URL);
    url.searchParams.set('schema', `${url.searchParams.get('schema')}_stranger`);
    await migrate({ databaseUrl: url.href, folder: path.join(folder, 'prisma/migrations') });
    return {
      ...process.env,
      ...environment.env,
      DATABASE_URL: url.href,
      BOARD_PORT: '0',
      PATH: `${path.join(folder, 'node_modules/.bin')}:${process.env.PATH}`,
      PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
      PRISMA_HIDE_UPDATE_MESSAGE: '1',
    };
  }

  function node(args: readonly string[], env: NodeJS.ProcessEnv): Promise<{ stdout: string }> {
    return promisify(execFile)(process.execPath, [...args], { cwd: folder, env });
  }

  async function started(file: string, env: NodeJS.ProcessEnv): Promise<void> {
    const worker = fork(path.join(folder, file), {
      cwd: folder,
      env,
      execArgv: ['--import', 'tsx'],
      silent: true,
    });
    processes.push(worker);
    await nextMessage(worker);
  }
});

const program = `
import { connectApp } from './forebay/app.js';
const app = await connectApp();
await app.stores.note.put({ id: 'n1', title: 'Quay' });
await app.stores.note.patch('n1', { title: 'Harbour' });
await app.flush();
await app.stores.note.evict('n1');
console.log(JSON.stringify(await app.stores.note.get('n1')));
process.exit(0);
`;
