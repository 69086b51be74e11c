/** Runs this revision and another one in turns: for each figure the ratio of the two, with its spread over the rounds. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { reasonOf } from '../dev/reason.js';
import type { Comparison } from './arguments.js';
import { type Figures, figuresOf } from './compare/figures.js';
import { ratiosPage } from './compare/ratios.js';
import { BenchError } from './errors.js';
import type { ProgressLine } from './progress-line.js';

const run = promisify(execFile);
const projectFolder = path.resolve(import.meta.dirname, '..');

/** Returns the page. @throws BenchError REVISION_FAILED */
export async function compare(
  order: Comparison,
  progress: ProgressLine,
  signal: AbortSignal,
): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'forebay-compare-'));
  const other = path.join(folder, 'other');
  const call = (cwd: string, command: string, ...args: string[]) =>
    run(command, args, { cwd, signal }).catch((error: unknown) => {
      signal.throwIfAborted();
      throw new BenchError('REVISION_FAILED', `${command} ${args.join(' ')} failed: ${reasonOf(error)}`);
    });
  try {
    progress.step(`installing ${order.revision}`);
    await call(projectFolder, 'git', 'worktree', 'add', '--quiet', '--detach', other, order.revision);
    await call(other, 'npm', 'ci', '--no-audit', '--no-fund');
    const measure = async (cwd: string, name: string): Promise<Figures> => {
      const json = path.join(folder, 'result.json');
      await call(
        cwd,
        'npm',
        'run',
        'bench',
        '--silent',
        '--',
        name,
        '--json',
        json,
        '--scale',
        `${order.scale}`,
      );
      return figuresOf(JSON.parse(await readFile(json, 'utf8')));
    };
    const rounds: { name: string; here: Figures; there: Figures }[] = [];
    for (let round = 1; round <= order.rounds; round++)
      for (const name of order.names) {
        progress.step(`${name}, round ${round} of ${order.rounds}: ${order.revision}`);
        const there = await measure(other, name);
        progress.step(`${name}, round ${round} of ${order.rounds}: here`);
        rounds.push({ name, here: await measure(projectFolder, name), there });
      }
    return ratiosPage(order.revision, rounds);
  } finally {
    await run('git', ['worktree', 'remove', '--force', other], { cwd: projectFolder }).catch(() => undefined);
    await rm(folder, { recursive: true, force: true });
  }
}
