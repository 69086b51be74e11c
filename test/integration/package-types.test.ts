/** The built package's types, as an app's compiler meets them: through the entry points alone. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { root } from '../support/page-example.js';

/** What an app exports must have names in its own declarations: those of the entry points. */
const app = `
import { allOf, cacheKey, cacheKeys, computed, connect, counter, defineStores, record, writer, type Database, type Model } from 'forebay';
import { getRedisInfo } from 'forebay/health';
import * as patterns from 'forebay/patterns';
import { forebayExtension } from 'forebay/prisma';
import { share, sharedClient } from 'forebay/shared';
import { defineSchedules } from 'forebay/worker';

interface Row { id: string; name: string; views: bigint }
declare const Project: Model<Row, Pick<Row, 'id' | 'name'>, string>;
declare const prisma: Database;

export const Keys = cacheKeys('project', { name: cacheKey<string>(60), all: cacheKey<string[], readonly []>(60) });
export const projects = record({ model: Project, counters: ['views'] });
export const views = counter({ of: projects, field: 'views' });
export const names = computed({ key: Keys.name, load: async (ids) => new Map(ids.map((id) => [id, id])) });
export const saveName = writer<string>({ keys: 'project:name', write: async () => undefined });
export const stores = defineStores({ projects, views, names, saveName });
export const schedules = defineSchedules(stores, { warm: { cron: '* * * * *', run: async ({ app }) => app.stores.names.get('1') } });
export const client = await share(() => connect(stores, { prisma }));
export const reads = [
  client.read(Keys.name('1'), async () => 'a', { ttlMs: 1_000 }),
  patterns.cacheAside(Keys.name('1'), async () => 'a', 60, { graceMs: 1_000 }),
  client.patterns.cacheAside(Keys.name('1'), async () => 'a'),
] as const;
export const list = client.readMany([Keys.name('1')], async (keys) => keys.map(() => 'a'));
export const through = client.write(Keys.name('1'), 'a', async () => 1);
export const behind = client.write(Keys.name('1'), 'a', client.stores.saveName);
export const row = client.stores.projects.get('1');
export const sum = client.stores.views.add('1', 1n);
export const pattern = allOf('project', '1');
export const info = getRedisInfo();
export const shared = sharedClient();
export const extension = forebayExtension(client, { models: { Project } });
// @ts-expect-error of the wrong type
export const wrong = client.read(Keys.name('1'), async () => 1);
// @ts-expect-error for workers
export const hidden = client.stores.names.computeSuccessors;
// @ts-expect-error seconds are the patterns' alone
export const seconds = client.read(Keys.name('1'), async () => 'a', { ttl: 60 });
`;

let folder: string;

beforeAll(async () => {
  // Within the package, so that it finds itself by its name.
  await mkdir(path.join(root, 'dist'), { recursive: true });
  folder = await mkdtemp(path.join(root, 'dist/app-'));
});

afterAll(() => rm(folder, { recursive: true }));

it('an app compiles with them, and so do its own declarations', async () => {
  await writeFile(path.join(folder, 'app.mts'), app);
  const compilerOptions = {
    rootDir: folder,
    outDir: path.join(folder, 'out'),
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    skipLibCheck: false,
    types: ['node'],
    typeRoots: [path.join(root, 'node_modules/@types')],
  };
  const config = { extends: path.join(root, 'tsconfig.json'), compilerOptions, include: ['*.mts'] };
  await writeFile(path.join(folder, 'tsconfig.json'), JSON.stringify(config));
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
  const compiled = promisify(execFile)(process.execPath, [tsc, '-p', folder]).catch(
    (error: { stdout?: string }) => error,
  );
  expect((await compiled).stdout).toBe('');
});
