/**
 * docs/start.md, as somebody follows it who has a project with Prisma and rows: every file and every command of the
 * page, in order, with nothing installed but what the page says.
 */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { freePort } from '../../dev/services/ports.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { blocksOf } from '../support/page-blocks.js';
import { hasRegistry, Stranger } from '../support/stranger.js';
import { userTsconfig } from '../support/user-project.js';

/** The project before it. */
const files = {
  'package.json': '{ "name": "shop", "private": true, "type": "module" }',
  'tsconfig.json': userTsconfig,
  'prisma.config.ts': `import { defineConfig, env } from 'prisma/config';
process.loadEnvFile();
export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  datasource: { url: env('DATABASE_URL') },
});
`,
  'prisma/migrations/1_first/migration.sql': `CREATE TABLE "Project" (
  "id" TEXT PRIMARY KEY, "name" TEXT NOT NULL, "views" INTEGER NOT NULL DEFAULT 0
);
INSERT INTO "Project" VALUES ('old', 'Lock', 7);
`,
  'src/main.ts': 'export {};\n',
};
const packages = ['prisma', '@prisma/client', '@prisma/adapter-pg', 'tsx', 'typescript', '@types/node'];

let environment: Environment;
let stranger: Stranger;
let schema: string;
let board: string;
let databaseUrl: string;

beforeEach(async () => {
  environment = await createEnvironment();
  const url = new URL(environment.env.DATABASE_URL);
  schema = `${url.searchParams.get('schema')}_hour`;
  url.searchParams.set('schema', schema);
  databaseUrl = url.href;
  const port = await freePort();
  board = `http://127.0.0.1:${port}/`;
  stranger = await Stranger.make(databaseUrl, {
    FOREBAY_PREFIX: environment.env.FOREBAY_PREFIX,
    BOARD_PORT: `${port}`,
  });
  for (const [file, text] of Object.entries(files)) await stranger.write(file, text);
  await stranger.install(packages);
  await stranger.migrate();
});

afterEach(async () => {
  await stranger.remove();
  await environment.prisma.$executeRawUnsafe(`DROP SCHEMA "${schema}" CASCADE`);
  await environment.close();
});

it('an existing project gets write-behind, a counter, a warmed dashboard and the board, by the page alone', {
  timeout: 600_000,
}, async () => {
  const startedAt = performance.now();
  const said = new Map<string, string>();
  for (const { language, says, text } of blocksOf('docs/start.md')) {
    if (says.startsWith('file=')) await stranger.write(says.slice('file='.length), ofThisMachine(text));
    if (language === 'sh') for (const command of commandsOf(text)) said.set(command, await follow(command));
  }
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  process.stdout.write(
    `The first hour took ${seconds} s, ${hasRegistry ? 'with' : 'without'} npm's downloads.\n`,
  );

  const [install] = [...said.keys()].filter((command) => command.startsWith('npm install ')).slice(1);
  expect(said.get('npx forebay init --models Project')).toContain(`Now:\n  ${install}\n`);
  expect(said.get('npx forebay check')).toMatch(/^Redis at .*^Postgres at/ms);
  expect(said.get('npx tsx --env-file=.env src/first-write.ts')).toContain("name: 'Harbour'");
  expect(said.get('npx forebay where project:p1 --stores src/forebay/stores.ts')).toContain(
    'Its row is there.',
  );
  expect(said.get('npx tsx --env-file=.env src/count.ts')).toBe('1000\n');
  const dashboard = { projects: 2, views: 1_007 };
  expect(JSON.parse(said.get('npx forebay get dashboard:overview:all') ?? '')).toEqual(dashboard);
  expect(said.get('npx tsx --env-file=.env src/dashboard.ts')).toBe('{ projects: 2, views: 1007 }\n');
  expect(said.get('npx forebay deploy')).toContain('done: 6 new, 6 old removed');
  expect(said.get('npx forebay status')).toContain('warm-dashboards');
  expect(await rows()).toEqual([
    { id: 'old', name: 'Lock', views: 7 },
    { id: 'p1', name: 'Harbour', views: 1_000 },
  ]);
  await boardAsksWhoItIs();
  expect(await stranger.run('npx tsc -p .')).toBe('');
});

/** What the page leaves to its reader: addresses; and a schedule that has no tick during the test. */
function ofThisMachine(text: string): string {
  return text
    .replace(/^DATABASE_URL=.*$/m, `DATABASE_URL="${databaseUrl}"`)
    .replace(/^REDIS_URL=.*$/m, `REDIS_URL="${environment.env.REDIS_URL}"`)
    .replace('*/5 * * * *', '0 3 1 1 *');
}

const commandsOf = (text: string): string[] =>
  text
    .trim()
    .split('\n')
    .map((line) => line.replace(/\s+#.*$/, ''));

async function follow(command: string): Promise<string> {
  // Whoever loads the dashboard now, rather than taking it from the cache, counts a third row.
  if (command.endsWith('src/dashboard.ts'))
    await sql(`INSERT INTO "${schema}"."Project" VALUES ('new', 'Sluice', 1)`);
  const said = await stranger.run(command);
  if (command.endsWith('src/dashboard.ts')) await sql(`DELETE FROM "${schema}"."Project" WHERE id = 'new'`);
  if (command === 'npx forebay dev') await boardAsksWhoItIs();
  return said;
}

const sql = (text: string): Promise<unknown> => environment.prisma.$executeRawUnsafe(text);
const rows = (): Promise<unknown> =>
  environment.prisma.$queryRawUnsafe(`SELECT * FROM "${schema}"."Project" ORDER BY id`);

/** Nothing without a login; with the name and the password that the page writes into `.env`, the overview. */
async function boardAsksWhoItIs(): Promise<void> {
  expect((await fetch(board)).status).toBe(401);
  const body = new URLSearchParams({ user: 'ops', password: 'choose-one', next: '/' });
  const login = await fetch(`${board}login`, { method: 'POST', body, redirect: 'manual' });
  const cookie = (login.headers.get('set-cookie') ?? '').replace(/;.*/, '');
  const overview = await (await fetch(board, { headers: { cookie } })).text();
  expect(overview).toContain('<title>Overview');
}
