/**
 * A project in which packages are installed without a registry: forebay as it is published, packed and unpacked;
 * the others linked from this project's own.
 */
import { execFile } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { root } from '../../dev/docs/pages.js';

const run = promisify(execFile);

interface PackageFile {
  readonly name: string;
  readonly bin?: string | Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

/** forebay, and all that this project has. */
export async function installPacked(folder: string): Promise<void> {
  await unpack(folder);
  const names = await readdir(path.join(root, 'node_modules'));
  for (const name of names.filter((one) => !one.startsWith('.')))
    await link(folder, name.startsWith('@') ? await scoped(name) : [name]);
}

/** These and no others, as `npm install` of them: forebay comes with what it needs, its required peers too. */
export async function installNamed(folder: string, names: readonly string[]): Promise<void> {
  const others = names.filter((name) => name !== 'forebay');
  if (others.length < names.length) {
    const { dependencies, peerDependencies = {}, peerDependenciesMeta = {} } = await unpack(folder);
    const peers = Object.keys(peerDependencies).filter((name) => !peerDependenciesMeta[name]?.optional);
    others.push(...Object.keys(dependencies ?? {}), ...peers);
  }
  await link(folder, others);
}

async function scoped(scope: string): Promise<string[]> {
  return (await readdir(path.join(root, 'node_modules', scope))).map((name) => `${scope}/${name}`);
}

async function link(folder: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const place = path.join(folder, 'node_modules', name);
    await mkdir(path.dirname(place), { recursive: true });
    await symlink(path.join(root, 'node_modules', name), place).catch(unlessThere);
    await linkPrograms(folder, await packageFile(place));
  }
}

/** What is built, as npm publishes it: building anew would be under the feet of the other tests. Returns the file. */
export async function pack(folder: string): Promise<string> {
  const args = ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder];
  const { stdout } = await run('npm', args, { cwd: root });
  return path.join(folder, stdout.trim());
}

async function unpack(folder: string): Promise<PackageFile> {
  const place = path.join(folder, 'node_modules/forebay');
  await mkdir(place, { recursive: true });
  await run('tar', ['-xzf', await pack(folder), '-C', place, '--strip-components=1']);
  const file = await packageFile(place);
  for (const program of Object.values(file.bin ?? {})) await chmod(path.join(place, program), 0o755);
  await linkPrograms(folder, file);
  return file;
}

async function packageFile(place: string): Promise<PackageFile> {
  return JSON.parse(await readFile(path.join(place, 'package.json'), 'utf8')) as PackageFile;
}

async function linkPrograms(folder: string, { name, bin = {} }: PackageFile): Promise<void> {
  const programs = typeof bin === 'string' ? { [name.replace(/^.*\//, '')]: bin } : bin;
  const target = path.join(folder, 'node_modules/.bin');
  await mkdir(target, { recursive: true });
  for (const [program, file] of Object.entries(programs))
    await symlink(path.join('..', name, file), path.join(target, program)).catch(unlessThere);
}

function unlessThere(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}
