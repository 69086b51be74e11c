/** Recorded histories: what is read from a file, and what is said of a broken one. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Commit, hashedAuthor } from '../../../demo/activity/commit.js';
import { openActivityFile } from '../../../demo/activity/file.js';

const commits: Commit[] = [
  {
    commit: 'c1',
    at: 1_500_000_000,
    author: 'u1',
    files: [
      ['A', 'src/ü\nx.ts'],
      ['A', 'README.md'],
    ],
  },
  { commit: 'c2', at: 1_500_000_060, author: 'u2', files: [] },
  {
    commit: 'c3',
    at: 1_500_000_120,
    author: 'u1',
    files: [
      ['M', 'README.md'],
      ['D', 'src/ü\nx.ts'],
    ],
  },
];
const lines = commits.map((commit) => `${JSON.stringify(commit)}\n`);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'activity-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function read(content: string | Uint8Array): Promise<Commit[]> {
  const path = join(folder, 'activity');
  await writeFile(path, content);
  const found: Commit[] = [];
  for await (const commit of (await openActivityFile(path)).commits()) found.push(commit);
  return found;
}

test('a plain file gives its commits in order', async () => {
  expect(await read(lines.join(''))).toEqual(commits);
});

test('a gzipped file gives the same, whatever its name', async () => {
  expect(await read(gzipSync(lines.join('')))).toEqual(commits);
});

test('a file without a line end at its end, with empty lines between, gives the same', async () => {
  expect(await read(lines.join('\n').trimEnd())).toEqual(commits);
});

test('an activity can be read twice', async () => {
  const path = join(folder, 'twice');
  await writeFile(path, lines.join(''));
  const activity = await openActivityFile(path);
  const found: Commit[][] = [[], []];
  for (const round of found) for await (const commit of activity.commits()) round.push(commit);
  expect(found).toEqual([commits, commits]);
});

test("git's change of type is read as a change", async () => {
  const [found] = await read('{"commit":"c","at":1,"author":"u","files":[["T","a"]]}');
  expect(found?.files).toEqual([['M', 'a']]);
});

test("an author's e-mail address is read as its hash", async () => {
  const [found] = await read('{"commit":"c","at":1,"author":"ann@example.org","files":[]}');
  expect(found?.author).toBe(hashedAuthor('ann@example.org'));
  expect(found?.author).toMatch(/^u[0-9a-f]{10}$/);
});

test.each([
  ['no JSON', 'oops', 'Line 3 of .* is broken: .*JSON'],
  ['no commit', '{"commit":"c","at":1,"author":"u"}', 'Line 3 of .* is broken: files: '],
  [
    'an unknown status',
    '{"commit":"c","at":1,"author":"u","files":[["X","a"]]}',
    'Line 3 .*: files\\.0\\.0: ',
  ],
  [
    'a NUL in a path',
    '{"commit":"c","at":1,"author":"u","files":[["A","a\\u0000"]]}',
    'Line 3 .*files\\.0\\.1: holds a NUL',
  ],
  ['half a character', '{"commit":"c","at":1,"author":"u","files":[["A","\\ud800"]]}', 'half a character'],
  ['a time in milliseconds', '{"commit":"c","at":1500000000000,"author":"u","files":[]}', 'Line 3 .*: at: '],
])('a line with %s is told by its number', async (_, line, message) => {
  const broken = `${lines[0]}${lines[1]}${line}\n${lines[2]}`;
  await expect(read(broken)).rejects.toMatchObject({
    code: 'ACTIVITY_BROKEN',
    message: expect.stringMatching(message),
  });
});

test('a gzipped file that ends in the middle is told as broken', async () => {
  const whole = gzipSync(lines.join(''));
  await expect(read(whole.subarray(0, whole.length - 10))).rejects.toMatchObject({
    code: 'ACTIVITY_BROKEN',
    message: expect.stringContaining('unexpected end of file'),
  });
});

test('a file that is not there, and a folder, are told as missing', async () => {
  await expect(openActivityFile(join(folder, 'none'))).rejects.toMatchObject({ code: 'ACTIVITY_MISSING' });
  await expect(openActivityFile(folder)).rejects.toMatchObject({ code: 'ACTIVITY_MISSING' });
});
