/** The Prisma project that `forebay init` finds: where its schema is, and what that says. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { ForebayError } from '../../errors.js';

export interface SchemaModel {
  readonly name: string;
  /** Rows have a key that a store can use as its ids. */
  readonly hasId: boolean;
}

export interface Project {
  readonly root: string;
  readonly packageJson: PackageJson;
  /** The schema: one file, or all of a folder. */
  readonly schema: { readonly files: readonly string[]; readonly folder: string; readonly isFolder: boolean };
  /** All of it. */
  readonly schemaText: string;
  readonly models: readonly SchemaModel[];
  /** Where Prisma's own client is imported from: a package, or a path from the root without its ending. */
  readonly client: { readonly isPackage: boolean; readonly from: string };
  /** Undefined: the project has no migrations. */
  readonly migrations: string | undefined;
  /** The schema of Postgres for the ledger, where the datasource lists several. */
  readonly databaseSchema: string | undefined;
}

export interface PackageJson {
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly prisma?: { readonly schema?: string };
}

/** @throws ForebayError INVALID_CONFIG where there is no package, or no Prisma schema for Postgres */
export function readProject(root: string): Project {
  const packageFile = path.join(root, 'package.json');
  if (!existsSync(packageFile)) throw missing('package.json', 'Call it in the folder of your app');
  const packageJson = JSON.parse(readFileSync(packageFile, 'utf8')) as PackageJson;
  const place = path.resolve(root, schemaPlace(root, packageJson));
  const isFolder = statSync(place).isDirectory();
  const files = isFolder ? schemaFiles(place) : [place];
  const schemaText = files.map((file) => readFileSync(file, 'utf8')).join('\n');
  const text = schemaText.replace(/\/\/.*$/gm, '');
  if (!/provider\s*=\s*"(postgresql|postgres|cockroachdb)"/.test(text)) {
    throw missing('Prisma datasource for Postgres', 'forebay writes to Postgres alone');
  }
  const folder = isFolder ? place : path.dirname(place);
  const migrations = [folder, path.dirname(folder)]
    .map((one) => path.join(one, 'migrations'))
    .find(existsSync);
  return {
    root,
    packageJson,
    schema: { files, folder, isFolder },
    schemaText,
    models: modelsOf(text),
    client: clientOf(root, folder, text),
    migrations,
    databaseSchema: databaseSchemaOf(text),
  };
}

/** As Prisma looks for it. */
function schemaPlace(root: string, { prisma }: PackageJson): string {
  const config = ['ts', 'mts', 'cts', 'js', 'mjs', 'cjs']
    .map((ending) => path.join(root, `prisma.config.${ending}`))
    .find(existsSync);
  const configured =
    config &&
    /\bschema:\s*(?:path\.join\()?['"`]([^)\n]+?)['"`]\)?,?\s*$/m.exec(readFileSync(config, 'utf8'));
  const told = (configured?.[1] ?? '').split(/['"`]\s*,\s*['"`]/).join('/') || prisma?.schema;
  const usual = [told, 'prisma/schema.prisma', 'schema.prisma', 'prisma/schema'];
  const found = usual.find((place) => place && existsSync(path.resolve(root, place)));
  if (found) return found;
  throw missing(
    'Prisma schema',
    'Set Prisma up first (npx prisma init), or call it in the folder of your app',
  );
}

function schemaFiles(folder: string): string[] {
  return (readdirSync(folder, { recursive: true }) as string[])
    .filter((name) => name.endsWith('.prisma'))
    .sort()
    .map((name) => path.join(folder, name));
}

function modelsOf(text: string): SchemaModel[] {
  return [...text.matchAll(/^\s*model\s+(\w+)\s*\{([\s\S]*?)^\s*\}/gm)]
    .map(([, name, body]) => ({ name: name as string, body: body as string }))
    .filter(({ name, body }) => name !== 'ForebayLedger' && !/@@ignore\b/.test(body))
    .map(({ name, body }) => ({ name, hasId: /@id\b/.test(body) }));
}

function clientOf(root: string, schemaFolder: string, text: string): Project['client'] {
  const generators = [...text.matchAll(/^\s*generator\s+\w+\s*\{([\s\S]*?)^\s*\}/gm)].map(
    ([, body]) => body as string,
  );
  const body = generators.find((one) => /provider\s*=\s*"prisma-client(-js)?"/.test(one)) ?? '';
  const output = /output\s*=\s*"([^"]+)"/.exec(body)?.[1];
  if (output === undefined) return { isPackage: true, from: '@prisma/client' };
  const folder = path.relative(root, path.resolve(schemaFolder, output));
  const file = /provider\s*=\s*"prisma-client-js"/.test(body) ? 'index' : 'client';
  return { isPackage: false, from: path.join(folder, file) };
}

function databaseSchemaOf(text: string): string | undefined {
  const list = /^\s*schemas\s*=\s*\[([^\]]*)\]/m.exec(text)?.[1];
  const names = [...(list ?? '').matchAll(/"([^"]+)"/g)].map(([, name]) => name as string);
  return names.includes('public') ? 'public' : names[0];
}

function missing(what: string, advice: string): ForebayError {
  return new ForebayError('INVALID_CONFIG', `There is no ${what} here. ${advice}.`);
}
