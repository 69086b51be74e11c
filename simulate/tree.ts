/** A copy of the sources with patches: time is the scheduler's; and one mutation. */
import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Limits, Result } from './run.js';

export interface Patch {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

const root = fileURLToPath(new URL('..', import.meta.url));
const run = promisify(execFile);

/** Clock and waits are the scheduler's. */
const ruled: readonly Patch[] = [
  {
    file: 'src/connection/prelude.lua',
    find: "  local time = redis.call('TIME')\n  return time[1] * 1000000 + time[2]",
    replace: "  return tonumber(redis.call('GET', 'simulate:clock'))",
  },
  {
    file: 'src/buffer/prelude.lua',
    find: "redis.pcall('INFO', 'replication')",
    replace: "'master_replid:' .. redis.call('GET', 'simulate:history')",
  },
  {
    file: 'src/pause.ts',
    find: '  const all = signals.map(waitingFor);\n',
    replace: '  return simulatedPause(ms, ...signals);\n',
  },
];

let trees = 0;

/** @throws when what a patch is to replace is not there once */
export async function inTree<T>(patches: readonly Patch[], work: (tree: string) => Promise<T>): Promise<T> {
  const folder = path.join(root, '.data', 'simulate', `${process.pid}-${trees++}`);
  await mkdir(folder, { recursive: true });
  try {
    for (const part of ['src', 'simulate', 'examples', 'package.json']) {
      await cp(path.join(root, part), path.join(folder, part), { recursive: true });
    }
    for (const patch of [...ruled, ...patches]) await apply(folder, patch);
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function apply(folder: string, { file, find, replace }: Patch): Promise<void> {
  const place = path.join(folder, file);
  const text = await readFile(place, 'utf8');
  const count = text.split(find).length - 1;
  if (count !== 1) throw new Error(`${file} has ${count} times, instead of once: ${find}`);
  await writeFile(
    place,
    text.replace(find, () => replace),
  );
}

export async function runTree(folder: string, url: string, limits: Limits): Promise<Result> {
  const program = path.join(folder, 'simulate', 'run.ts');
  const args = ['--import', 'tsx', program, url, JSON.stringify(limits)];
  const { stdout } = await run(process.execPath, args, { cwd: root, maxBuffer: 64 * 1_048_576 });
  return JSON.parse(stdout) as Result;
}
