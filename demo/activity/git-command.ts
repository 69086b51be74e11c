/** Runs git on a repository: a short answer as a whole, a long one piece by piece. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { DemoError } from '../errors.js';

const errorCharactersMax = 500;

/** @throws DemoError GIT_MISSING */
export async function runGit(
  path: string,
  args: readonly string[],
): Promise<{ exitCode: number; output: string; errors: string }> {
  const git = startGit(path, args);
  const [output, errors, exitCode] = await Promise.all([text(git.stdout), text(git.stderr), exitOf(git)]);
  return { exitCode, output: output.trim(), errors: inOneLine(errors) };
}

/**
 * The output's parts, which end with a NUL each. Leaving the loop early ends git.
 * @throws DemoError GIT_MISSING, GIT_FAILED
 */
export async function* streamGit(path: string, args: readonly string[]): AsyncGenerator<string> {
  const git = startGit(path, args);
  const ended = Promise.all([text(git.stderr), exitOf(git)]);
  // Looked at below, once the output has been read.
  ended.catch(() => undefined);
  try {
    yield* splitAtNul(git.stdout);
    const [errors, exitCode] = await ended;
    if (exitCode !== 0)
      throw new DemoError(
        'GIT_FAILED',
        `git log of ${path} failed: ${inOneLine(errors)}. Try git fsck there.`,
      );
  } finally {
    git.kill();
  }
}

function startGit(path: string, args: readonly string[]): ChildProcessByStdio<null, Readable, Readable> {
  return spawn('git', ['-C', path, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: gitEnvironment() });
}

/** Without the variables that point git at another repository, as set inside a git hook. */
function gitEnvironment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^GIT_(DIR|WORK_TREE|INDEX_FILE|PREFIX|COMMON_DIR)$/.test(name),
  );
  return { ...Object.fromEntries(own), LC_ALL: 'C' };
}

async function exitOf(git: ChildProcessByStdio<null, Readable, Readable>): Promise<number> {
  try {
    const [exitCode] = await once(git, 'close');
    return typeof exitCode === 'number' ? exitCode : 1;
  } catch (error) {
    throw new DemoError(
      'GIT_MISSING',
      "Can't run git. Install it, or give a recorded history with --activity FILE.",
      error,
    );
  }
}

async function* splitAtNul(stream: Readable): AsyncGenerator<string> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    const data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = data.indexOf(0); end !== -1; end = data.indexOf(0, start)) {
      yield data.toString('utf8', start, end);
      start = end + 1;
    }
    rest = data.subarray(start);
  }
  if (rest.length > 0) yield rest.toString('utf8');
}

/** What git says of an error, advice included, in one line. */
function inOneLine(errors: string): string {
  const words = errors
    .replace(/^fatal: /gm, '')
    .split(/\s+/)
    .join(' ')
    .trim();
  return words.slice(0, errorCharactersMax).replace(/\.$/, '');
}
