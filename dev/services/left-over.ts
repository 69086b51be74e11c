/**
 * Processes that a killed host left running: recognised by their working folder and program, never by a pid alone,
 * since the system gives pids away again.
 */

import { execFile } from 'node:child_process';
import { readFile, readlink, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { hasCode, readIfThere } from './data-folder.js';
import { ServicesError } from './errors.js';

const run = promisify(execFile);
const POLL_MS = 50;

export interface LeftOver {
  /** For people: `Redis`. */
  readonly name: string;
  /** Its first line is the server's pid. The file is removed when the process is gone. */
  readonly pidFile: string;
  /** The folder that the server works in. */
  readonly folder: string;
  readonly programs: readonly string[];
  /** Asks the server to end in an orderly way. */
  readonly stopSignal: NodeJS.Signals;
  readonly say: (line: string) => void;
}

/**
 * Ends a server that still runs in this folder, by its stop signal and, 30 s later, by force.
 * @throws ServicesError SERVER_WILL_NOT_STOP
 */
export async function endLeftOver(server: LeftOver): Promise<void> {
  const pid = Number.parseInt((await readIfThere(server.pidFile)) ?? '', 10);
  if (pid > 1 && (await worksIn(pid, server.folder, server.programs))) {
    server.say(`An earlier run left ${server.name} running (process ${pid}): stopping it.`);
    await end(pid, server);
  }
  await rm(server.pidFile, { force: true });
}

/** True when the process is alive, works in this folder and, where `programs` are given, runs one of them. */
export async function worksIn(pid: number, folder: string, programs?: readonly string[]): Promise<boolean> {
  const found = process.platform === 'linux' ? await inspectProc(pid) : await inspectPs(pid);
  return found?.folder === folder && (programs === undefined || programs.includes(found.program));
}

/** True when the process was gone within the time. */
export async function isGone(pid: number, folder: string, withinMs: number): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  while (await worksIn(pid, folder)) {
    if (Date.now() > deadline) return false;
    await sleep(POLL_MS);
  }
  return true;
}

async function end(pid: number, server: LeftOver): Promise<void> {
  signal(pid, server.stopSignal);
  if (await isGone(pid, server.folder, 30_000)) return;
  signal(pid, 'SIGKILL');
  if (await isGone(pid, server.folder, 5_000)) return;
  throw new ServicesError(
    'SERVER_WILL_NOT_STOP',
    `${server.name} of an earlier run (process ${pid}, in ${server.folder}) does not end: look at it with \`ps -fp ${pid}\`.`,
  );
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error;
  }
}

interface Found {
  readonly folder: string;
  readonly program: string;
}

/** A process that has ended, or that is not ours to look at, has no readable folder. */
async function inspectProc(pid: number): Promise<Found | undefined> {
  try {
    const folder = await readlink(`/proc/${pid}/cwd`);
    return { folder, program: (await readFile(`/proc/${pid}/comm`, 'utf8')).trim() };
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].some((code) => hasCode(error, code))) return undefined;
    throw error;
  }
}

async function inspectPs(pid: number): Promise<Found | undefined> {
  try {
    const program = (await run('ps', ['-o', 'comm=', '-p', String(pid)])).stdout.trim();
    const listing = (await run('lsof', ['-a', '-p', String(pid), '-d', 'cwd', '-Fn'])).stdout;
    return { program: path.basename(program), folder: /^n(.*)$/m.exec(listing)?.[1] ?? '' };
  } catch (error) {
    // Both programs end with 1 when there is no such process.
    if (hasNumericCode(error, 1)) return undefined;
    throw error;
  }
}

function hasNumericCode(error: unknown, code: number): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
