/** `forebay init`: sets forebay up in a Prisma project. It shows what it writes, and overwrites nothing. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline/promises';
import { installLine, workerPeers } from '../../peers/peer.js';
import { type Change, type Plan, planChanges } from './changes.js';
import { type Project, readProject } from './project.js';

export interface InitOptions {
  /** Names of models; undefined: those that somebody chooses at the terminal. */
  readonly models: readonly string[] | undefined;
  /** Write without asking. */
  readonly isAgreed: boolean;
  /** Show what would be written, and write nothing. */
  readonly isDryRun: boolean;
}

export interface Terminal {
  readonly say: (line: string) => void;
  /** Undefined: nobody is there. */
  readonly ask: ((question: string) => Promise<string>) | undefined;
}

/** Undefined without a terminal. */
export async function withTerminal<T>(use: (ask: Terminal['ask']) => Promise<T>): Promise<T> {
  if (!process.stdin.isTTY) return use(undefined);
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await use((question) => lines.question(question));
  } finally {
    lines.close();
  }
}

/**
 * Returns the exit code: 0 when all is written or was there, 1 when somebody declined, 2 for models that are
 * not there.
 * @throws ForebayError INVALID_CONFIG
 */
export async function init(root: string, options: InitOptions, { say, ask }: Terminal): Promise<number> {
  const project = readProject(root);
  const models = options.models ?? (await chosen(project, ask));
  const problem = problemOf(project, models);
  if (problem !== undefined) {
    say(problem);
    return 2;
  }
  const plan = planChanges(project, models, new Date());
  for (const change of plan.changes) say(shown(change));
  for (const file of plan.kept) say(`= ${file} is there already, and stays as it is.`);
  const refused = plan.changes.length === 0 ? undefined : await refusalOf(options, ask);
  if (refused !== undefined) {
    say(`Nothing was written${refused}.`);
    return options.isDryRun ? 0 : 1;
  }
  for (const { file, after } of plan.changes) write(path.join(root, file), after);
  say(nextSteps(project, plan));
  return 0;
}

/** Undefined: it may be written. */
async function refusalOf(
  { isDryRun, isAgreed }: InitOptions,
  ask: Terminal['ask'],
): Promise<string | undefined> {
  if (isDryRun) return ' (--dry-run)';
  if (isAgreed) return undefined;
  if (ask === undefined) return ': nobody is there to agree; say --yes';
  return /^y(es)?$/i.test(await ask('Write this? [y/N] ')) ? undefined : '';
}

async function chosen({ models }: Project, ask: Terminal['ask']): Promise<string[]> {
  const usable = models.filter(({ hasId }) => hasId).map(({ name }) => name);
  const answer = await ask?.(
    `Models to write behind, of ${usable.join(', ')}\n(names, separated by commas): `,
  );
  return (answer ?? '').split(/[\s,]+/).filter((name) => name !== '');
}

function problemOf({ models }: Project, names: readonly string[]): string | undefined {
  const usable = models.filter(({ hasId }) => hasId).map(({ name }) => name);
  if (names.length === 0)
    return `Which models? Say --models ${usable.slice(0, 2).join(',') || 'NAME,NAME'}. There are: ${usable.join(', ') || 'none with an @id'}.`;
  const unknown = names.filter((name) => !models.some((model) => model.name === name));
  if (unknown.length > 0)
    return `The schema has no model ${unknown.join(', ')}. There are: ${usable.join(', ')}.`;
  const keyless = names.filter((name) => !usable.includes(name));
  return keyless.length > 0 ? `${keyless.join(', ')} has no @id: a store's records need one.` : undefined;
}

/** New lines with a + before them; of a file that changes, only these. */
function shown({ file, before, after }: Change): string {
  const known = new Set((before ?? '').split('\n'));
  const lines = after
    .trimEnd()
    .split('\n')
    .filter((line) => before === undefined || !known.has(line));
  return [
    `${before === undefined ? 'new' : 'changed'} ${file}`,
    ...lines.map((line) => `  + ${line}`),
    '',
  ].join('\n');
}

function write(file: string, text: string): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function nextSteps({ packageJson, migrations }: Project, { folder, ecosystem }: Plan): string {
  const has = { ...packageJson.dependencies, ...packageJson.devDependencies };
  const always = ['forebay', '@prisma/client', '@prisma/adapter-pg', 'pm2', 'tsx'];
  const needed = [...always, ...workerPeers].filter((name) => !(name in has));
  return [
    'Now:',
    ...(needed.length > 0 ? [`  ${installLine(needed)}`] : []),
    '  npx prisma generate',
    migrations === undefined ? '  npx prisma db push' : '  npx prisma migrate deploy',
    '  npx forebay check              # looks at your Redis and Postgres',
    '  npx forebay dev                # Redis, Postgres if none, workers and the board in this terminal; or under pm2:',
    `  npx pm2 start ${ecosystem}   # the workers; Bull Board on http://127.0.0.1:3333`,
    `In your app: const app = await connectApp(), of ${folder}/app.ts; then app.stores.….put(row).`,
  ].join('\n');
}
