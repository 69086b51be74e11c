/** Runs this revision and another one in turns: for each figure the ratio of the two, with its spread over the rounds. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { reasonOf } from '../dev/reason.js';
import type { Comparison } from './arguments.js';
import { type Figures, figuresOf } from './compare/figures.js';
import { type Round, ratiosPage } from './compare/ratios.js';
import { BenchError } from './errors.js';
import type { ProgressLine } from './progress-line.js';

const run = promisify(execFile);
const projectFolder = path.resolve(import.meta.dirname, '..');

type Call = (cwd: string, command: string, args: readonly string[]) => Promise<unknown>;

/** Returns the page. @throws BenchError REVISION_FAILED */
export async function compare(
  order: Comparison,
  progress: ProgressLine,
  signal: AbortSignal,
): Promise<string> {
  const call: Call = (cwd, command, args) =>
    run(command, args, { cwd, signal }).catch((error: unknown) => {
      signal.throwIfAborted();
      throw new BenchError('REVISION_FAILED', `${command} ${args.join(' ')} failed: ${reasonOf(error)}`);
    });
  const folder = await mkdtemp(path.join(tmpdir(), 'forebay-compare-'));
  const other = path.join(folder, 'other');
  try {
    progress.step(`installing ${order.revision}`);
    await call(projectFolder, 'git', ['worktree', 'add', '--quiet', '--detach', other, order.revision]);
    await call(other, 'npm', ['ci', '--no-audit', '--no-fund']);
    return ratiosPage(order.revision, await inTurns(order, { other, folder, call, progress }));
  } finally {
    progress.clear();
    // Where there is no such revision, there is no such tree.
    await run('git', ['worktree', 'remove', '--force', other], { cwd: projectFolder }).catch(() => undefined);
    await rm(folder, { recursive: true, force: true });
  }
}

interface Place {
  /** The other revision's tree. */
  readonly other: string;
  readonly folder: string;
  readonly call: Call;
  readonly progress: ProgressLine;
}

async function inTurns(
  { revision, names, rounds, scale }: Comparison,
  { other, folder, call, progress }: Place,
): Promise<Round[]> {
  const json = path.join(folder, 'result.json');
  const measure = async (cwd: string, name: string): Promise<Figures> => {
    const args = ['run', 'bench', '--silent', '--', name, '--json', json, '--scale', `${scale}`];
    await call(cwd, 'npm', args);
    return figuresOf(JSON.parse(await readFile(json, 'utf8')));
  };
  const results: Round[] = [];
  for (let round = 1; round <= rounds; round++)
    for (const name of names) {
      progress.step(`${name}, round ${round} of ${rounds}: ${revision}`);
      const there = await measure(other, name);
      progress.step(`${name}, round ${round} of ${rounds}: here`);
      results.push({ name, here: await measure(projectFolder, name), there });
    }
  return results;
}
