/** The examples of pages as programs: type-checked, run as they stand, and held against what their comments say. */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { deserialize } from 'node:v8';
import { runInThisContext } from 'node:vm';
import { transform } from 'esbuild';
import { expect } from 'vitest';
import { root } from '../../dev/docs/pages.js';
import { blocksOf, isProgram, withImportsOfPlatform } from './page-blocks.js';

export { root };

const run = promisify(execFile);
/** A page's example, and the constants of which it says in a comment what they are. */
export interface PageExample {
  readonly program: string;
  readonly expected: Readonly<Record<string, unknown>>;
}

/** The first block of the page that connects. @throws Error when there is none */
export function readExample(page: string): PageExample {
  const example = blocksOf(page).find(isProgram);
  if (example === undefined) throw new Error(`${page} has no example that imports and connects.`);
  return toPageExample(example.text);
}

function toPageExample(example: string): PageExample {
  const expected = expectedOf(example);
  return { program: programOf(example, Object.keys(expected)), expected };
}

/** Lines `const name = …; // value`. With `…` in it, the value is a part of what is found. */
function expectedOf(example: string): Record<string, unknown> {
  const lines = example.matchAll(/^const (\w+) = .*; *\/\/ (.+)$/gm);
  return Object.fromEntries([...lines].map(([, name, text]) => [name, toExpected(text as string)]));
}

/** @throws Error for a comment that is no value: it belongs on a line of its own */
function toExpected(text: string): unknown {
  const part = /^(.*), … }$/.exec(text)?.[1];
  return part === undefined ? readValue(text) : expect.objectContaining(readValue(`${part} }`) as object);
}

function readValue(text: string): unknown {
  try {
    return runInThisContext(`(${text})`);
  } catch (cause) {
    throw new Error(`"${text}" is no value. Put a comment in words above its line.`, { cause });
  }
}

/** With a Prisma client, and an end that leaves what was found in the file that it is told. */
function programOf(example: string, names: readonly string[]): string {
  return [
    "import { writeFileSync } from 'node:fs';",
    "import { serialize } from 'node:v8';",
    `import { createPrisma } from '${root}dist/examples/platform/prisma.js';`,
    "const prisma = createPrisma(process.env['DATABASE_URL'] ?? '', { name: 'example', connections: 2 });",
    withImportsOfPlatform(example),
    `writeFileSync(process.argv[2] ?? '', serialize({ ${names.join(', ')} }));`,
    'await app.close();',
    'await prisma.$disconnect();',
  ].join('\n');
}

/** Runs an example in a folder within this package, and returns its constants. @throws Error with what the program says when it fails */
export async function runExample(
  { program }: PageExample,
  { folder, env }: { folder: string; env: Readonly<Record<string, string>> },
): Promise<unknown> {
  const file = path.join(folder, 'example.mjs');
  const foundFile = path.join(folder, 'found');
  const { code } = await transform(program, { loader: 'ts', target: 'node20' });
  await writeFile(file, code);
  await run(process.execPath, [file, foundFile], {
    cwd: root,
    env: { ...process.env, ...env },
  });
  return deserialize(await readFile(foundFile));
}

/** Runs modules one after the other in a process that has their prelude's app, and workers. @throws Error with what it says */
export async function runModules(
  modules: ReadonlyMap<string, string>,
  { folder, env }: { folder: string; env: Readonly<Record<string, string>> },
): Promise<void> {
  for (const [name, text] of [...modules, ['run', together([...modules.keys()])] as const]) {
    const { code } = await transform(text, { loader: 'ts', target: 'node20' });
    await writeFile(path.join(folder, `${name}.mjs`), code);
  }
  await run(process.execPath, [path.join(folder, 'run.mjs')], {
    cwd: root,
    // Workers say that they are ready.
    env: { ...process.env, LOG_LEVEL: 'error', BOARD_PORT: '0', ...env },
  });
}

/** The process ends even where a block has left something open. */
const together = (names: readonly string[]): string => `
import { readConfig } from 'forebay';
import { WriteBehindService } from 'forebay/worker';
import { prisma, stores } from './prelude.mjs';

const worker = new WriteBehindService({ stores, prisma, config: readConfig(), emit: () => undefined });
await worker.start();
for (const name of ${JSON.stringify(names)}) {
  try {
    await import(\`./\${name}.mjs\`);
  } catch (error) {
    console.error(name, error);
    process.exit(1);
  }
}
await worker.stop(5_000);
process.exit(0);
`;

/** What the compiler says against modules within this package, by the names of their files; '' for nothing. */
export async function typeErrors(modules: ReadonlyMap<string, string>, folder: string): Promise<string> {
  for (const [name, text] of modules) await writeFile(path.join(folder, `${name}.mts`), text);
  await writeFile(path.join(folder, 'tsconfig.json'), JSON.stringify(tsconfig));
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
  try {
    await run(process.execPath, [tsc, '-p', folder]);
    return '';
  } catch (error) {
    const { stdout, message } = error as Error & { stdout?: string };
    return stdout || message;
  }
}

const tsconfig = {
  extends: path.join(root, 'tsconfig.json'),
  compilerOptions: {
    experimentalDecorators: true,
    rootDir: '/',
    noUnusedLocals: false,
    typeRoots: [path.join(root, 'node_modules/@types')],
  },
  include: ['*.mts'],
  // Else all of dist is left out.
  exclude: [],
};
