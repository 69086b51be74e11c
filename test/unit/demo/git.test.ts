/** Histories from git: real repositories, made for each test. */
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Commit, hashedAuthor } from '../../../demo/activity/commit.js';
import { openRepository } from '../../../demo/activity/git.js';
import { computeAnswer } from '../../../demo/oracle.js';

let folder: string;
let repo: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'history-'));
  repo = join(folder, 'repo');
  git(folder, 'init', '-q', '-b', 'main', repo);
});
afterEach(() => rm(folder, { recursive: true }));

let seconds = 1_500_000_000;

function git(at: string, ...args: string[]): string {
  const env = {
    ...process.env,
    GIT_COMMITTER_DATE: `${seconds} +0100`,
    GIT_AUTHOR_DATE: '1400000000 +0000',
    GIT_CONFIG_GLOBAL: '/dev/null',
  };
  const who = ['-c', 'user.name=Ann', '-c', 'user.email=ann@example.org'];
  return execFileSync('git', ['-C', at, ...who, ...args], { env, encoding: 'utf8' });
}

/** Commits everything; returns the commit's hash. */
function commit(message = 'change'): string {
  seconds += 60;
  git(repo, 'add', '-A');
  git(repo, 'commit', '-q', '--allow-empty', '-m', message);
  return git(repo, 'rev-parse', 'HEAD').trim();
}

const write = (path: string, text: string): Promise<void> => writeFile(join(repo, path), text);

async function history(path = repo): Promise<Commit[]> {
  const found: Commit[] = [];
  for await (const one of (await openRepository(path)).commits()) found.push(one);
  return found;
}

async function changes(path = repo): Promise<Commit['files'][]> {
  return (await history(path)).map(({ files }) => files);
}

test('a commit has its hash, its committer’s time, its author’s hash and its files', async () => {
  await write('a', '1');
  const hash = commit();
  expect(await history()).toEqual([
    { commit: hash, at: seconds, author: hashedAuthor('ann@example.org'), files: [['A', 'a']] },
  ]);
});

test('adds, changes, deletes, renames and changes of type are told oldest first', async () => {
  await write('a', '1');
  await write('b', 'a file that is long enough to be taken for renamed\n'.repeat(10));
  commit();
  await write('a', '2');
  await rename(join(repo, 'b'), join(repo, 'c'));
  commit();
  await rm(join(repo, 'a'));
  await symlink('c', join(repo, 'a'));
  commit();
  commit('empty');
  await rm(join(repo, 'a'));
  commit();
  expect(await changes()).toEqual([
    [
      ['A', 'a'],
      ['A', 'b'],
    ],
    [
      ['M', 'a'],
      ['D', 'b'],
      ['A', 'c'],
    ],
    [['M', 'a']],
    [],
    [['D', 'a']],
  ]);
});

test('file names with line ends, quotes, spaces and letters of any script are told as they are', async () => {
  const names = ['A', 'commit deadbeef 1 x', 'new\nline', 'quo"te', 'tab\there', 'ünï ✓ 漢', ' lead'];
  for (const name of names) await write(name, 'x');
  commit();
  expect(new Set((await changes())[0])).toEqual(new Set(names.map((name) => ['A', name])));
});

test('a merge counts once, as what it brings to the line of first parents', async () => {
  await write('a', '1');
  commit();
  git(repo, 'checkout', '-q', '-b', 'side');
  await write('s', '1');
  commit();
  await write('s', '2');
  commit();
  git(repo, 'checkout', '-q', 'main');
  await write('a', '2');
  commit();
  git(repo, 'merge', '-q', '--no-ff', '-m', 'merge', 'side');
  expect(await changes()).toEqual([[['A', 'a']], [['M', 'a']], [['A', 's']]]);
});

test('a replay ends in exactly the files of HEAD', async () => {
  await mkdir(join(repo, 'x'));
  await write('x/1', '1');
  await write('2', '2');
  commit();
  git(repo, 'checkout', '-q', '-b', 'side');
  git(repo, 'rm', '-q', '2');
  commit();
  git(repo, 'checkout', '-q', 'main');
  await write('x/3', '3');
  commit();
  git(repo, 'merge', '-q', '--no-ff', '-m', 'merge', 'side');
  await rm(join(repo, 'x'), { recursive: true });
  await write('x', 'a file where a folder was');
  commit();
  const { tables } = await computeAnswer(await openRepository(repo), new AbortController().signal);
  const files = git(repo, 'ls-tree', '-r', '-z', '--name-only', 'HEAD').split('\0').filter(Boolean);
  expect([...tables.tasks.values()].map((task) => task.description).sort()).toEqual(files.sort());
});

test('a bare clone gives the same history as the work tree', async () => {
  await write('a', '1');
  commit();
  await write('a', '2');
  commit();
  const bare = join(folder, 'bare.git');
  git(folder, 'clone', '-q', '--bare', repo, bare);
  expect(await history(bare)).toEqual(await history());
});

test("the user's git configuration and environment change nothing", async () => {
  await write('a', '1');
  commit();
  const plain = await history();
  for (const setting of [
    'log.showRoot=false',
    'color.ui=always',
    'diff.relative=true',
    'log.showSignature=true',
    'diff.renames=copies',
  ]) {
    git(repo, 'config', ...setting.split('='));
  }
  vi.stubEnv('GIT_DIR', '/nonexistent');
  const found = await history().finally(() => vi.unstubAllEnvs());
  expect(found).toEqual(plain);
});

test('a commit that is made between two readings is not in the second', async () => {
  await write('a', '1');
  commit();
  const repository = await openRepository(repo);
  commit();
  const found: Commit[] = [];
  for await (const one of repository.commits()) found.push(one);
  expect(found).toHaveLength(1);
});

test('a reader that leaves early ends git', async () => {
  await write('a', '1');
  commit();
  commit();
  const commits = (await openRepository(repo)).commits()[Symbol.asyncIterator]();
  await commits.next();
  expect(await commits.return?.()).toEqual({ done: true, value: undefined });
});

test('a folder that is no repository, a file, and nothing at all are told apart', async () => {
  await writeFile(join(folder, 'file'), '');
  vi.stubEnv('GIT_CEILING_DIRECTORIES', folder);
  await expect(openRepository(folder)).rejects.toMatchObject({ code: 'NOT_A_REPOSITORY' });
  vi.unstubAllEnvs();
  await expect(openRepository(join(folder, 'file'))).rejects.toMatchObject({
    code: 'NOT_A_REPOSITORY',
    message: expect.stringContaining('--activity'),
  });
  await expect(openRepository(join(folder, 'none'))).rejects.toMatchObject({ code: 'ACTIVITY_MISSING' });
});

test('an empty repository is refused', async () => {
  await expect(openRepository(repo)).rejects.toMatchObject({ code: 'EMPTY_HISTORY' });
});

test('a shallow clone begins with all files of its oldest commit', async () => {
  await write('a', '1');
  commit();
  await write('b', '1');
  commit();
  const shallow = join(folder, 'shallow');
  git(folder, 'clone', '-q', '--depth', '1', `file://${repo}`, shallow);
  expect(await changes(shallow)).toEqual([
    [
      ['A', 'a'],
      ['A', 'b'],
    ],
  ]);
});

test('a machine without git is told to install it', async () => {
  vi.stubEnv('PATH', folder);
  const opened = openRepository(repo).finally(() => vi.unstubAllEnvs());
  await expect(opened).rejects.toMatchObject({ code: 'GIT_MISSING' });
});
