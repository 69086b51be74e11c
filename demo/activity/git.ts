/**
 * Reads a git repository's history as an activity: the first-parent line, oldest first, each commit as its difference
 * to the one before. So every step leads from one tree to the next, merges count once, and the replay ends in
 * exactly the files of HEAD. A shallow clone's history begins with all files of its oldest commit.
 */
import { stat } from 'node:fs/promises';
import { reasonOf } from '../../dev/reason.js';
import { DemoError } from '../errors.js';
import { type Activity, asChange, atMax, type Change, type Commit, hashedAuthor } from './commit.js';
import { runGit, streamGit } from './git-command.js';

/** @throws DemoError ACTIVITY_MISSING, NOT_A_REPOSITORY, EMPTY_HISTORY, GIT_MISSING, GIT_FAILED */
export async function openRepository(path: string): Promise<Activity> {
  await checkRepository(path);
  const head = await headOf(path);
  // The commit is pinned: somebody may commit between two readings.
  return { description: `the git history of ${path}`, commits: () => readCommits(path, head) };
}

async function checkRepository(path: string): Promise<void> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    (error: unknown) => {
      throw new DemoError(
        'ACTIVITY_MISSING',
        `Can't read the repository: ${reasonOf(error)}. Check --repo ${path}.`,
        error,
      );
    },
  );
  if (!isFolder) {
    throw new DemoError(
      'NOT_A_REPOSITORY',
      `${path} is a file, not a folder. For a recorded history use --activity ${path}.`,
    );
  }
  const { exitCode, errors } = await runGit(path, ['rev-parse', '--git-dir']);
  if (exitCode !== 0) {
    const advice = 'Give a git repository with --repo PATH, or a recorded history with --activity FILE.';
    throw new DemoError('NOT_A_REPOSITORY', `git can't use ${path}: ${errors}. ${advice}`);
  }
}

async function headOf(path: string): Promise<string> {
  const { exitCode, output, errors } = await runGit(path, ['rev-parse', '--verify', 'HEAD^{commit}']);
  if (exitCode === 0) return output;
  const advice = 'Commit something, or give another repository with --repo PATH.';
  throw new DemoError(
    'EMPTY_HISTORY',
    `The repository ${path} has no commits on its HEAD (${errors}). ${advice}`,
  );
}

/** What users may have configured must not change what is read: hence so many flags. */
const logArguments = [
  ...[
    '-c',
    'log.showRoot=true',
    'log',
    '--reverse',
    '--first-parent',
    '-m',
    '--name-status',
    '--no-renames',
    '-z',
  ],
  ...[
    '--no-relative',
    '--no-color',
    '--no-show-signature',
    '--no-ext-diff',
    '--no-textconv',
    '--ignore-submodules=none',
  ],
  '--format=commit %H %ct %ae',
];

async function* readCommits(path: string, head: string): AsyncGenerator<Commit> {
  const tokens = streamGit(path, [...logArguments, head, '--']);
  let commit: (Commit & { files: Change[] }) | undefined;
  for await (const token of tokens) {
    if (token.startsWith('commit ')) {
      if (commit !== undefined) yield commit;
      commit = parseHeader(token);
    } else if (token !== '') {
      const file = await tokens.next();
      if (commit === undefined || file.done === true) throw unreadable(token);
      commit.files.push([changeOf(token), file.value]);
    }
  }
  if (commit !== undefined) yield commit;
}

function parseHeader(token: string): Commit & { files: Change[] } {
  const [, commit, seconds, email] = /^commit (\S+) (-?\d+) (.*)$/s.exec(token) ?? [];
  if (commit === undefined || seconds === undefined || email === undefined) throw unreadable(token);
  // git takes any time, also one that no database does.
  return {
    commit,
    at: Math.min(Math.max(Number(seconds), 0), atMax),
    author: hashedAuthor(email),
    files: [],
  };
}

/** The first letter in a row of changes comes with the line end that follows the header. */
function changeOf(token: string): Change[0] {
  const status = token.trimStart();
  if (status === 'A' || status === 'M' || status === 'D' || status === 'T') return asChange(status);
  throw unreadable(token);
}

function unreadable(token: string): DemoError {
  return new DemoError(
    'GIT_FAILED',
    `git log answered with something unexpected: ${JSON.stringify(token.slice(0, 100))}.`,
  );
}
