/**
 * Finds the Redis server program, and installs it where that can be done without asking: as root on Debian and its kin.
 */

import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { reasonOf } from '../reason.js';
import { hasCode, readIfThere } from './data-folder.js';
import { ServicesError } from './errors.js';

const run = promisify(execFile);
const INSTALL_LIMIT_MS = 240_000;

/** In the order of preference; Valkey is a fork that behaves the same. */
export const REDIS_PROGRAMS = ['redis-server', 'valkey-server'] as const;

/**
 * The path of the Redis server program.
 * @throws ServicesError PROGRAM_MISSING, with the command that installs it; INSTALL_FAILED
 */
export async function redisProgram(say: (line: string) => void): Promise<string> {
  const found = await firstOnPath(REDIS_PROGRAMS);
  if (found) return found;
  const apt = await firstOnPath(['apt-get']);
  if (!apt || process.getuid?.() !== 0) throw missing(apt !== undefined);
  say('No redis-server on this machine: installing it with apt-get (once, for about a minute).');
  await installQuietly(apt);
  const installed = await firstOnPath(REDIS_PROGRAMS);
  if (!installed)
    throw new ServicesError('INSTALL_FAILED', 'apt-get installed redis-server, but it is not on the PATH.');
  say(`Installed ${installed}.`);
  return installed;
}

async function firstOnPath(programs: readonly string[]): Promise<string | undefined> {
  const folders = (process.env.PATH ?? '').split(path.delimiter).filter(path.isAbsolute);
  for (const program of programs) {
    for (const folder of folders) {
      const file = path.join(folder, program);
      if (await isExecutable(file)) return file;
    }
  }
  return undefined;
}

async function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

function missing(hasApt: boolean): ServicesError {
  const remedy =
    process.platform === 'darwin'
      ? 'Install it with `brew install redis`'
      : hasApt
        ? 'Install it with `sudo apt-get install redis-server`'
        : "Install Redis 6.2 or newer with your system's package manager";
  const text = `There is no redis-server on the PATH. ${remedy}, or set REDIS_URL to a Redis that runs elsewhere.`;
  return new ServicesError('PROGRAM_MISSING', text);
}

async function installQuietly(apt: string): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const limits = { env, timeout: INSTALL_LIMIT_MS, maxBuffer: 16 * 1024 * 1024 };
  const allow = await forbidServiceStarts();
  try {
    await run(apt, ['update'], limits);
    await run(apt, ['install', '-y', '--no-install-recommends', 'redis-server'], limits);
    await disableService();
  } catch (error) {
    const text = `apt-get could not install redis-server; try \`apt-get update && apt-get install redis-server\` by hand: ${reasonOf(error)}`;
    throw new ServicesError('INSTALL_FAILED', text);
  } finally {
    await allow();
  }
}

const POLICY_FILE = '/usr/sbin/policy-rc.d';
const POLICY =
  '#!/bin/sh\n# forebay: redis-server is installed as a program, not to run as a service.\nexit 101\n';

/**
 * Debian asks this file whether an install may start the package's service. One that is there already stays as it is (images of
 * Debian for containers have one that says no), unless it is ours from a run that was killed.
 */
async function forbidServiceStarts(): Promise<() => Promise<void>> {
  const present = await readIfThere(POLICY_FILE);
  if (present !== undefined && present !== POLICY) return async () => undefined;
  await writeFile(POLICY_FILE, POLICY, { mode: 0o755 });
  return async () => {
    if ((await readFile(POLICY_FILE, 'utf8')) === POLICY) await rm(POLICY_FILE);
  };
}

/** Else Debian's own Redis would start with the machine's next boot. */
async function disableService(): Promise<void> {
  try {
    await access('/run/systemd/system');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    throw error;
  }
  await run('systemctl', ['disable', '--now', 'redis-server'], { timeout: 30_000 });
}
