/** A project that has forebay and what it always brings, and none of the packages that only a part of it needs. */
import { cp, mkdir, mkdtemp, readFile, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { projectFolder } from './program.js';

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional?: boolean }>>;
}

export async function manifest(): Promise<Manifest> {
  return JSON.parse(await readFile(path.join(projectFolder, 'package.json'), 'utf8')) as Manifest;
}

export async function optionalPeers(): Promise<string[]> {
  return Object.keys((await manifest()).peerDependenciesMeta);
}

export async function requiredPeers(): Promise<string[]> {
  const { peerDependencies, peerDependenciesMeta } = await manifest();
  return Object.keys(peerDependencies).filter((name) => !peerDependenciesMeta[name]?.optional);
}

/** Returns its folder. */
export async function clientOnlyProject(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'forebay-client-'));
  const modules = path.join(folder, 'node_modules');
  const forebay = path.join(modules, 'forebay');
  // A copy: of a link, Node would look for packages where it leads.
  await cp(path.join(projectFolder, 'dist/package'), path.join(forebay, 'dist/package'), { recursive: true });
  await cp(path.join(projectFolder, 'package.json'), path.join(forebay, 'package.json'));
  const { dependencies } = await manifest();
  for (const name of [...Object.keys(dependencies), ...(await requiredPeers())]) {
    const link = path.join(modules, name);
    await mkdir(path.dirname(link), { recursive: true });
    await symlink(path.join(projectFolder, 'node_modules', name), link);
  }
  return folder;
}
