/**
 * What an app installs and loads with forebay, counted: the published files in a process of their own, and the
 * packages that npm brings with them. docs/package.md has the figures.
 */
import { execFile } from 'node:child_process';
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { manifest, optionalPeers, requiredPeers } from '../support/client-only.js';
import { projectFolder } from '../support/program.js';

const published = path.join(projectFolder, 'dist/package');
/** Prints each module's URL as it is loaded; what is loaded by `require` is in its cache at the end. */
const hooks = `import { writeSync } from 'node:fs';
export async function load(url, context, next) { writeSync(1, url + '\\n'); return next(url, context); }`;

async function modulesOf(entry: string): Promise<string[]> {
  const file = JSON.stringify(path.join(published, entry));
  const program = `import { createRequire, register } from 'node:module';
    register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hooks)}));
    await import(${file});
    console.log(Object.keys(createRequire(${file}).cache).join('\\n'));`;
  const { stdout } = await node(program);
  return stdout.split('\n').filter((line) => line.startsWith('file:') || line.startsWith('/'));
}

/** A figure, for whoever reads the log. */
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const node = (program: string): Promise<{ stdout: string }> =>
  promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], { cwd: projectFolder });

function packagesOf(modules: readonly string[]): string[] {
  const names = modules.flatMap((name) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(name)?.[1] ?? []);
  return [...new Set(names)].sort();
}

describe('an app that imports forebay', () => {
  it('loads the client of Redis and little else: no queue, no logger, no validation, no board', async () => {
    const modules = await modulesOf('index.js');
    const packages = packagesOf(modules);
    expect(packages).toContain('ioredis');
    const optional = [...(await optionalPeers()), 'pg', '@prisma/adapter-pg'];
    expect(packages.filter((name) => optional.includes(name))).toEqual([]);
    expect(packages.length).toBeLessThanOrEqual(16);
    expect(modules.filter((name) => name.includes('dist/package')).length).toBeLessThanOrEqual(47);
    expect(modules.length).toBeLessThanOrEqual(110);
    expect(modules.filter((name) => name.includes('@prisma/client/'))).toHaveLength(1);
  });

  const light = [
    'patterns',
    'shared',
    'health',
    'testing',
    'keyv',
    'unstorage',
    'fastify',
    'hono',
    'next',
    'nest',
  ];

  it.each(light.map((name) => `${name}.js`))('loads no more packages with %s', async (entry) => {
    const [root, more] = await Promise.all([modulesOf('index.js'), modulesOf(entry)]);
    expect(packagesOf(more).filter((name) => !packagesOf(root).includes(name))).toEqual([]);
  });

  it('prints what the import costs, against that of ioredis', async () => {
    const [nothing, ioredis, forebay] = [
      await cpuMs(''),
      await cpuMs("import 'ioredis';"),
      await cpuMs(`import ${JSON.stringify(path.join(published, 'index.js'))};`),
    ] as const;
    const ratio = (forebay - nothing) / (ioredis - nothing);
    say(
      `CPU to import: ioredis ${ioredis - nothing} ms, forebay ${forebay - nothing} ms, ×${ratio.toFixed(2)}`,
    );
    expect(ratio).toBeGreaterThan(0);
  });

  it('has in its declarations nothing of packages that only a part needs', async () => {
    const known = new Set<string>();
    for (const entry of ['index', 'patterns', 'shared', 'health', 'prisma-extension']) {
      for (const name of await declaredBy(path.join(projectFolder, `dist/src/${entry}.d.ts`)))
        known.add(name);
    }
    const optional = await optionalPeers();
    expect([...known].filter((name) => optional.includes(name))).toEqual([]);
  });
});

/** Of the whole process, the least of three. */
async function cpuMs(program: string): Promise<number> {
  const print =
    'const { user, system } = process.cpuUsage(); console.log(Math.round((user + system) / 1000));';
  const runs: number[] = [];
  for (let i = 0; i < 3; i++) runs.push(Number((await node(`${program}\n${print}`)).stdout));
  return Math.min(...runs);
}

/** The packages that a declaration file refers to, with all files that it refers to itself. */
async function declaredBy(file: string, seen = new Set<string>()): Promise<string[]> {
  if (seen.has(file)) return [];
  seen.add(file);
  // Examples in comments import too.
  const text = (await readFile(file, 'utf8')).replace(/\/\*[\s\S]*?\*\//g, '');
  const names = [...text.matchAll(/(?:from|import\()\s*['"]([^'"]+)['"]/g)].map(([, name]) => name as string);
  const packages = names.filter((name) => !/^(\.|node:)/.test(name));
  const files = names.filter((name) => name.startsWith('.'));
  const more = await Promise.all(
    files.map((name) => declaredBy(path.resolve(path.dirname(file), name.replace(/\.js$/, '.d.ts')), seen)),
  );
  return [...packages.map((name) => name.split('/', name.startsWith('@') ? 2 : 1).join('/')), ...more.flat()];
}

interface Lock {
  readonly packages: Readonly<
    Record<string, { readonly dependencies?: Record<string, string>; readonly optional?: boolean }>
  >;
}

describe('an app that installs forebay', () => {
  it('gets at most 25 packages and 15 MB beside the peers', async () => {
    const lock = JSON.parse(await readFile(path.join(projectFolder, 'package-lock.json'), 'utf8')) as Lock;
    const peers = new Set(closure(lock, await requiredPeers()));
    const own = closure(lock, Object.keys((await manifest()).dependencies)).filter(
      (name) => !peers.has(name),
    );
    const packed = [path.join(projectFolder, 'dist/package'), path.join(projectFolder, 'dist/src')];
    const bytes = [
      ...(await Promise.all(own.map((place) => bytesIn(path.join(projectFolder, place), () => true)))),
      await bytesIn(packed[0] as string, () => true),
      await bytesIn(packed[1] as string, (name) => name.endsWith('.d.ts')),
    ];
    const megabytes = bytes.reduce((sum, one) => sum + one, 0) / 1e6;
    say(`Installed beside the peers: ${own.length + 1} packages, ${megabytes.toFixed(1)} MB`);
    expect(own.length + 1).toBeLessThanOrEqual(25);
    expect(megabytes).toBeLessThanOrEqual(15);
  });
});

/** The places in node_modules of packages, and of all that these need. */
function closure(
  { packages }: Lock,
  names: readonly string[],
  from = '',
  found = new Set<string>(),
): string[] {
  for (const name of names) {
    const place = placeOf(packages, name, from);
    if (place === undefined || found.has(place)) continue;
    found.add(place);
    closure({ packages }, Object.keys(packages[place]?.dependencies ?? {}), place, found);
  }
  return [...found];
}

/** As Node looks for it: beside the one that needs it, then further up. */
function placeOf(packages: Lock['packages'], name: string, from: string): string | undefined {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const place = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    if (place in packages) return place;
    if (folder === '') return undefined;
  }
}

async function bytesIn(folder: string, counts: (name: string) => boolean): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true });
  const sizes = entries.map(async (entry) => {
    const place = path.join(folder, entry.name);
    if (entry.name === 'node_modules') return 0;
    if (entry.isDirectory()) return bytesIn(place, counts);
    return counts(entry.name) ? (await stat(place)).size : 0;
  });
  return (await Promise.all(sizes)).reduce((sum, one) => sum + one, 0);
}
