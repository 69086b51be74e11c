/** What `forebay init` writes into a project: new files, and lines at the end of the schema. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Project } from './project.js';

export interface Change {
  /** From the project's root. */
  readonly file: string;
  /** Undefined: it is new. */
  readonly before: string | undefined;
  readonly after: string;
}

export interface Plan {
  /** What the app and the workers share, from the project's root. */
  readonly folder: string;
  readonly changes: readonly Change[];
  /** Files that are there already and say something else: they stay as they are. */
  readonly kept: readonly string[];
  /** The configuration of pm2. */
  readonly ecosystem: string;
}

const workers = ['write-behind', 'refresh', 'warm', 'scheduler', 'board'];
const templates = new URL('templates/', import.meta.url);

/** @param models their names, which the schema has */
export function planChanges(project: Project, models: readonly string[], now: Date): Plan {
  const { root } = project;
  const at = (file: string): string => path.join(root, file);
  const folder = existsSync(at('src')) ? 'src/forebay' : 'forebay';
  const ecosystem = hasFile(root, /^ecosystem\.config\./) ? 'forebay.config.cjs' : 'ecosystem.config.cjs';
  const written = new Map<string, string>([
    [`${folder}/stores.ts`, storesText(models)],
    [`${folder}/prisma.ts`, filled('prisma.ts', { client: clientFrom(project, folder) })],
    [`${folder}/app.ts`, filled('app.ts', {})],
    [`${folder}/schedules.ts`, filled('schedules.ts', {})],
    ...workers.map((name): [string, string] => [
      `workers/${name}.ts`,
      filled(`${name}.ts`, { forebay: relativeTo('workers', folder) }),
    ]),
    [ecosystem, filled('ecosystem.config.cjs', { ecosystem, workers: 'workers' })],
    ...migrationOf(project, now),
    ...(hasFile(root, /^(docker-)?compose.*\.ya?ml$/)
      ? []
      : [['compose.yaml', filled('compose.yaml', {})] as const]),
  ]);
  const isThere = (file: string): boolean => existsSync(at(file));
  const changes = [...written]
    .filter(([file]) => !isThere(file))
    .map(([file, after]): Change => ({ file, before: undefined, after }));
  const kept = [...written]
    .filter(([file, text]) => isThere(file) && readFileSync(at(file), 'utf8') !== text)
    .map(([file]) => file);
  return {
    changes: [...schemaChange(project, folder), ...changes, ...scriptsChange(project, ecosystem)],
    kept,
    folder,
    ecosystem,
  };
}

function storesText(models: readonly string[]): string {
  const lines = models.map(
    (model) => `  ${model[0]?.toLowerCase()}${model.slice(1)}: record({ model: ${model} }),`,
  );
  return filled('stores.ts', { models: models.join(', '), stores: lines.join('\n') });
}

/** Appended to the schema's only file; in a folder, a file of its own. */
function schemaChange(project: Project, folder: string): Change[] {
  const { root, schema, schemaText, databaseSchema } = project;
  const target = schema.isFolder ? path.join(schema.folder, 'forebay.prisma') : (schema.files[0] as string);
  const models = relativeTo(path.relative(root, path.dirname(target)), `${folder}/models.ts`);
  const text = filled('schema.prisma', { models });
  const [generator, ledger] = text.split(/(?=\/\/\/ How far)/) as [string, string];
  const inSchema = databaseSchema
    ? ledger.replace('@@map("forebay_ledger")', `@@map("forebay_ledger")\n  @@schema("${databaseSchema}")`)
    : ledger;
  const added = [
    /forebay-prisma-generator/.test(schemaText) ? '' : generator,
    /model\s+ForebayLedger\b/.test(schemaText) ? '' : inSchema,
  ].join('');
  if (added === '') return [];
  const before = existsSync(target) ? readFileSync(target, 'utf8') : undefined;
  return [
    {
      file: path.relative(root, target),
      before,
      after: before === undefined ? added : `${before.trimEnd()}\n\n${added.trimEnd()}\n`,
    },
  ];
}

function migrationOf(
  { root, migrations, schemaText, databaseSchema }: Project,
  now: Date,
): [string, string][] {
  if (migrations === undefined || /model\s+ForebayLedger\b/.test(schemaText)) return [];
  const stamp = now.toISOString().replace(/\D/g, '').slice(0, 14);
  const file = path.join(path.relative(root, migrations), `${stamp}_forebay_ledger`, 'migration.sql');
  const text = filled('migration.sql', {});
  return [[file, databaseSchema ? text.replace('TABLE ', `TABLE "${databaseSchema}".`) : text]];
}

/** Scripts that are there stay. */
function scriptsChange({ root, packageJson }: Project, ecosystem: string): Change[] {
  const file = 'package.json';
  const before = readFileSync(path.join(root, file), 'utf8');
  const added = {
    'forebay:start': `pm2 start ${ecosystem}`,
    'forebay:stop': `pm2 delete ${ecosystem}`,
    'forebay:check': 'forebay check',
    'forebay:dev': 'forebay dev',
  };
  const scripts = { ...added, ...packageJson.scripts };
  if (Object.keys(added).every((name) => packageJson.scripts?.[name] !== undefined)) return [];
  const indent = /^([ \t]+)"/m.exec(before)?.[1] ?? '  ';
  const after = `${JSON.stringify({ ...packageJson, scripts: { ...packageJson.scripts, ...scripts } }, null, indent)}\n`;
  return [{ file, before, after }];
}

function clientFrom({ client }: Project, folder: string): string {
  return client.isPackage ? client.from : `${relativeTo(folder, client.from)}.js`;
}

function relativeTo(from: string, to: string): string {
  const relative = path.posix.relative(from, to);
  return relative.startsWith('.') ? relative : `./${relative}`;
}

function hasFile(root: string, name: RegExp): boolean {
  return readdirSync(root).some((file) => name.test(file));
}

function filled(template: string, values: Readonly<Record<string, string>>): string {
  const text = readFileSync(new URL(`${template}.txt`, templates), 'utf8');
  return text.replace(/\{\{(\w+)\}\}/g, (_, name: string) => values[name] ?? '');
}
