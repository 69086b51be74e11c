/** A Prisma schema of a test's own, generated: its client, and forebay's models. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { PrismaPg } from '@prisma/adapter-pg';
import type { Database } from '../../src/database/database.js';
import type { Model } from '../../src/definitions/model.js';
import { builtProgram } from './program.js';

const root = path.resolve(import.meta.dirname, '../..');

export const generatorProvider = `node ${builtProgram('src/prisma-generator/bin.ts')}`;

/** As Prisma's client is for a model. */
export interface Delegate {
  create(args: { data: object }): Promise<Record<string, unknown>>;
  createMany(args: { data: readonly object[] }): Promise<unknown>;
  findMany(args: { where: object }): Promise<Record<string, unknown>[]>;
  findUnique(args: { where: object }): Promise<Record<string, unknown> | null>;
}

export interface GeneratedSchema {
  readonly models: Readonly<Record<string, Model<Record<string, unknown>, Record<string, unknown>, unknown>>>;
  createClient(adapter: PrismaPg): Database & Record<string, Delegate>;
  remove(): void;
}

export async function generateSchema(schema: string): Promise<GeneratedSchema> {
  const folder = mkdtempSync(path.join(tmpdir(), 'forebay-schema-'));
  symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
  writeFileSync(path.join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(path.join(folder, 'schema.prisma'), schema);
  const env = {
    ...process.env,
    PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
  };
  const prisma = path.join(root, 'node_modules/prisma/build/index.js');
  const args = [prisma, 'generate', '--schema', 'schema.prisma'];
  const run = spawnSync(process.execPath, args, { cwd: folder, env, encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`prisma generate ended with ${run.status}:\n${run.stderr}`);
  const load = (file: string) => import(pathToFileURL(path.join(folder, file)).href);
  const { PrismaClient } = await load('client/client.ts');
  return {
    models: await load('models.ts'),
    createClient: (adapter) => new PrismaClient({ adapter }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
