/** The project's processes under the user's own pm2. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const root = fileURLToPath(new URL('../../', import.meta.url));

export interface Process {
  readonly name: string;
  readonly pm_id: number;
  readonly pm2_env: { readonly status: string; readonly restart_time: number; readonly pm_cwd: string };
}

const program = createRequire(import.meta.url).resolve('pm2/bin/pm2');
const outputMax = 64 * 1_048_576;

export async function pm2(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...args], {
    cwd: root,
    env: { ...process.env, PM2_DISABLE_VERSION_CHECK: 'true', ...env },
    maxBuffer: outputMax,
  });
  return stdout;
}

/** Of this project: pm2 may keep others, of the same names. */
export async function processes(): Promise<Process[]> {
  return (await everyProcess()).filter(isOwn);
}

function isOwn({ pm2_env: { pm_cwd: folder } }: Process): boolean {
  return folder.replace(/\/?$/, '/') === root;
}

/** Ends the project's processes, and pm2 when nothing else is left to it. Returns how many they were. */
export async function endProcesses(): Promise<number> {
  const all = await everyProcess();
  const own = all.filter(isOwn);
  // The services go last: the workers drain into them.
  const ids = (isOfServices: boolean): string[] =>
    own.filter(({ name }) => (name === servicesName) === isOfServices).map(({ pm_id }) => String(pm_id));
  for (const some of [ids(false), ids(true)]) if (some.length > 0) await pm2(['delete', ...some]);
  if (own.length > 0 && own.length === all.length) await pm2(['kill']);
  return own.length;
}

/** The process that keeps Postgres and Redis, where none are given. */
export const servicesName = 'services';

/** Without a daemon there are none, and pm2 would start one to say so. */
async function everyProcess(): Promise<Process[]> {
  if (!existsSync(path.join(process.env.PM2_HOME || path.join(homedir(), '.pm2'), 'rpc.sock'))) return [];
  const said = await pm2(['jlist', '--silent']);
  // pm2 may say something in lines before the list.
  const list = said.split('\n').find((line) => line.startsWith('['));
  return JSON.parse(list ?? '[]') as Process[];
}
