/**
 * The folder that keeps the services' data, logs and passwords between runs, and the small private files in it.
 */

import { createHash, randomBytes } from 'node:crypto';
import { link, mkdir, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const projectFolder = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

/** Creates the data folder when it is missing: `chosen`, else `FOREBAY_DATA_FOLDER`, else `.data` in the project. */
export async function openDataFolder(chosen?: string, env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const folder = path.resolve(chosen ?? (env.FOREBAY_DATA_FOLDER || path.join(projectFolder, '.data')));
  // Others may pass through (as root, Postgres runs as another user), but not look around.
  await mkdir(folder, { recursive: true, mode: 0o711 });
  return realpath(folder);
}

/** A short name for a folder, the same in every process. */
export function hashOf(folder: string): string {
  return createHash('sha256').update(folder).digest('hex').slice(0, 12);
}

/** The secret kept in `file` (mode 0600); made on first use, and the same for all who make it at once. */
export async function keptSecret(file: string): Promise<string> {
  const known = await readIfThere(file);
  if (known !== undefined) return known.trim();
  const draft = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
  await writeFile(draft, randomBytes(24).toString('base64url'), { mode: 0o600, flag: 'wx' });
  try {
    await link(draft, file);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  } finally {
    await rm(draft, { force: true });
  }
  return (await readFile(file, 'utf8')).trim();
}

/** The text of a file, or undefined when there is none. */
export async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Replaces a file in one step, readable by its owner only. */
export async function writePrivately(file: string, text: string): Promise<void> {
  const draft = `${file}.${process.pid}.draft`;
  await writeFile(draft, text, { mode: 0o600 });
  await rename(draft, file);
}

export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
