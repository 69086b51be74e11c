/**
 * Every block of code in the README and the pages is run, compiled, validated or parsed, or a table says why not. The
 * pages of docs/reference are made from the code.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { load } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pageFiles, root } from '../../dev/docs/pages.js';
import { stores } from '../../examples/platform/stores.js';
import { commandProcess } from '../support/command-line.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import {
  type Block,
  blocksOf,
  indentedCode,
  isCompiled,
  isFileOfProject,
  isProgram,
  isRun,
  moduleOf,
  placeOfBlock,
  preludeModule,
} from '../support/page-blocks.js';
import { commandsOf, holders, problemOf } from '../support/page-commands.js';
import { readExample, runExample, runModules, typeErrors } from '../support/page-example.js';

const pages = ['README.md', ...pageFiles().filter((page) => !page.startsWith('docs/reference/'))];
const blocks = pages.flatMap((page) => blocksOf(page));
const running = [...new Set(blocks.filter(isProgram).map(({ page }) => page))];
/** Followed whole, as a project of its own: first-hour.test.ts. */
const isOfFirstHour = ({ page }: Block): boolean => page === 'docs/start.md';
const isScript = ({ language, text }: Block): boolean => language === 'sh' && text.startsWith('#!');
const isSignature = ({ language, says }: Block): boolean => language === 'ts' && says === 'signature';
const inLanguage = (...languages: readonly string[]): Block[] =>
  blocks.filter((block) => languages.includes(block.language) && !isFileOfProject(block));
const commandBlocks = inLanguage('sh').filter((block) => !isOfFirstHour(block) && !isScript(block));

let folder: string;

beforeAll(async () => {
  // Within the package, so that it is found by its name, and others are too.
  await mkdir(path.join(root, 'dist'), { recursive: true });
  folder = await mkdtemp(path.join(root, 'dist/pages-'));
});

afterAll(() => rm(folder, { recursive: true }));

/** Why nobody has to look at it, or what does. */
function holderOf(block: Block): string | undefined {
  const { language, says } = block;
  if (isOfFirstHour(block) && (language === 'sh' || isFileOfProject(block))) return 'first-hour.test.ts';
  if (isCompiled(block)) return 'the compiler';
  if (isSignature(block)) return 'docs/api';
  if (says !== '') return undefined;
  return {
    sh: 'page-commands.ts',
    sql: 'Postgres',
    console: 'Postgres',
    prisma: 'prisma validate',
    yaml: 'a parser',
    json: 'a parser',
    ini: 'a parser',
    mermaid: 'the picture of it: pages.test.ts',
    text: 'what a program prints, or a picture in letters',
  }[language];
}

describe('the blocks of the pages', () => {
  it('are each held by something', () => {
    expect(blocks.filter((block) => holderOf(block) === undefined).map(placeOfBlock)).toEqual([]);
  });

  it('are enclosed by fences, so that they say what they are', () => {
    // Made from the commands; and pictures in letters.
    const others = ['docs/command-line.md', 'docs/architecture.md', 'src/buffer/README.md'];
    const prose = pages.filter((page) => !others.includes(page));
    expect(prose.flatMap((page) => indentedCode(page))).toEqual([]);
  });

  it.concurrent('of TypeScript compile against the built types', async () => {
    const compiled = blocks.filter(isCompiled);
    const modules = compiled.map((block) => [fileOf(block), moduleOf(block)] as const);
    const own = path.join(folder, 'types');
    await mkdir(own);
    expect(await typeErrors(new Map([...modules, ['prelude', preludeModule]]), own)).toBe('');
  });

  it.concurrent.each(running)('of %s that connect do what their comments say', async (page) => {
    const example = readExample(page);
    expect(Object.keys(example.expected)).not.toEqual([]);
    await inEnvironment(async (environment) => {
      const own = await mkdtemp(path.join(folder, 'run-'));
      if (example.program.includes('app.flush(')) await environment.startWorker(stores);
      expect(await runExample(example, { folder: own, env: environment.env })).toEqual(example.expected);
      if (page === 'README.md') {
        const row = await environment.prisma.project.findUnique({ where: { id: 'p1' } });
        expect(row).toMatchObject({ name: 'Harbour', views: 1n });
      }
    });
  });

  it.concurrent('that go on with an app run without an error', async () => {
    const others = blocks.filter((block) => isRun(block) && !isProgram(block));
    const modules = others.map((block) => [fileOf(block), moduleOf(block)] as const);
    const own = await mkdtemp(path.join(folder, 'run-'));
    await inEnvironment(({ env }) =>
      runModules(new Map([...modules, ['prelude', preludeModule]]), { folder: own, env }),
    );
  });

  it('of each pattern are run', () => {
    const patterns = pages.filter((page) => page.startsWith('docs/patterns/'));
    expect(patterns.filter((page) => !running.includes(page))).toEqual([]);
  });

  it('of signatures are those of docs/api', async () => {
    const report = await readFile(path.join(root, 'docs/api/patterns.api.md'), 'utf8');
    const known = [...report.matchAll(/^export function (.*);$/gm)].map(
      ([, text]) => `${plain(text as string)}\n`,
    );
    const wrong = blocks.filter((block) => isSignature(block) && !known.includes(block.text));
    expect(wrong.map((block) => `${placeOfBlock(block)}: ${block.text}`)).toEqual([]);
  });

  it('have commands that are run somewhere, and no others', () => {
    const problems = commandBlocks.flatMap((block) =>
      commandsOf(block).flatMap((command) => {
        const problem = problemOf(command);
        return problem === undefined ? [] : [`${block.page}:${block.line} ${problem}`];
      }),
    );
    expect(problems).toEqual([]);
    const commands = commandBlocks.flatMap(commandsOf);
    const idle = holders.filter(({ command }) => !commands.some((one) => command.test(one)));
    expect(idle.map(({ command }) => command)).toEqual([]);
  });

  it.concurrent('have scripts that the shell can read', async () => {
    for (const { text } of blocks.filter(isScript)) {
      const file = path.join(folder, 'script.sh');
      await writeFile(file, text);
      await promisify(execFile)('sh', ['-n', file]);
    }
  });

  it.concurrent('have calls of `forebay` that end without an error', async ({ expect }) => {
    const own = commandBlocks.flatMap(commandsOf).filter((line) => problemOf(line) === undefined);
    const calls = own.flatMap((line) => /^npx forebay ((?:check|status|audit)\b.*)$/.exec(line)?.[1] ?? []);
    expect(calls.length).toBeGreaterThan(0);
    await inEnvironment(async (environment) => {
      const env = { ...environment.env, FOREBAY_STORES: 'dist/examples/platform/stores.js' };
      for (const call of calls) {
        const args = call.replace('dist/stores.js', env.FOREBAY_STORES).split(' ');
        const { code, out, err } = await commandProcess(args, env);
        // What the check finds of the tests' own servers is no matter here.
        if (args[0] !== 'check') expect({ call, code }).toEqual({ call, code: 0 });
        expect({ call, err }).toEqual({ call, err: '' });
        expect(out).not.toBe('');
      }
    });
  });

  it.concurrent('have SQL that Postgres runs', async ({ expect }) => {
    await inEnvironment(async ({ prisma }) => {
      await prisma.$executeRawUnsafe('ALTER TABLE tasks ADD COLUMN IF NOT EXISTS version bigint');
      for (const block of inLanguage('sql', 'console')) {
        const statements = statementsOf(block);
        expect(statements, placeOfBlock(block)).not.toEqual([]);
        for (const statement of statements) await prisma.$executeRawUnsafe(statement);
      }
    });
  });

  it.concurrent('have Prisma schemas that Prisma takes, with the ledger that `forebay init` writes', async ({
    expect,
  }) => {
    const template = await readFile(path.join(root, 'src/cli/init/templates/schema.prisma.txt'), 'utf8');
    for (const block of inLanguage('prisma')) {
      expect(codeOf(block.text)).toBe(codeOf(template.replace('{{models}}', '../src/generated/models.ts')));
      const own = await mkdtemp(path.join(folder, 'prisma-'));
      await writeFile(
        path.join(own, 'schema.prisma'),
        `datasource db {\n  provider = "postgresql"\n}\n${block.text}`,
      );
      const prisma = path.join(root, 'node_modules/prisma/build/index.js');
      const env = {
        ...process.env,
        PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
        PRISMA_HIDE_UPDATE_MESSAGE: '1',
      };
      await promisify(execFile)(process.execPath, [prisma, 'validate', '--schema', 'schema.prisma'], {
        cwd: own,
        env,
      });
    }
  });

  it.each(inLanguage('yaml', 'json', 'ini').map((block) => [placeOfBlock(block), block] as const))(
    '%s can be parsed',
    (_, { language, text }) => {
      if (language === 'yaml') expect(load(text)).toBeTypeOf('object');
      if (language === 'json') expect(JSON.parse(text)).toBeTypeOf('object');
      if (language === 'ini')
        for (const line of text.trim().split('\n')) expect(line).toMatch(/^(#.*|\[\w+\]|\w+=.+|)$/);
    },
  );
});

describe('a block that nobody holds', () => {
  it('is told with its page and line', () => {
    const markdown =
      'a\n\n```rust\nfn main() {}\n```\n\n  ```\n  text\n  ```\n\n```ts sketch\nx\n```\n\n    cat file\n';
    const unknown = blocksOf('x.md', markdown).filter((block) => holderOf(block) === undefined);
    expect(unknown.map(placeOfBlock)).toEqual(['x.md:4 rust', 'x.md:8', 'x.md:12 ts sketch']);
    expect(indentedCode('x.md', markdown)).toEqual(['x.md:15']);
  });

  it.each(['rm -rf /', 'npm run bench -- nothing', 'npm run verify -- --minutes never'])(
    'is one with %s',
    (command) => {
      expect(problemOf(command)).toContain(command);
    },
  );
});

const fileOf = ({ page, line }: Block): string => `${page.replace(/\W/g, '-')}-${line}`;

async function inEnvironment(use: (environment: Environment) => Promise<unknown>): Promise<void> {
  const environment = await createEnvironment();
  try {
    await use(environment);
  } finally {
    await environment.close();
  }
}

/** Without comments and the spaces that align. */
const codeOf = (text: string): string =>
  text
    .replace(/^\s*\/\/.*$/gm, '')
    .replace(/\s+/g, ' ')
    .trim();

/** Of SQL, each; of a console, what is given to `psql -c`. */
function statementsOf({ language, text }: Block): string[] {
  if (language === 'console')
    return [...text.matchAll(/psql .*?-c "([^"]*)"/g)].map(([, sql]) => sql as string);
  return text.split(/(?<=;)\n(?![^$]*\$\$;)/).filter((statement) => statement.trim() !== '');
}

/** A declaration of docs/api, without the types of its parameters. */
function plain(declaration: string): string {
  const [, name, types = '', result] = /^([^(]+)\((.*)(\): .*)$/.exec(declaration) ?? [];
  let flat = types.replaceAll('=>', '');
  while (nested.test(flat)) flat = flat.replace(nested, '');
  return `${name}(${flat.replace(/: [^,]*/g, '')}${result}`;
}

const nested = /[<({[][^<>(){}[\]]*[>)}\]]/;
