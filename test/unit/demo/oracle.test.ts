/** The right answer of a history: exact rows. */
import { expect, test } from 'vitest';
import type { Activity, Change, Commit } from '../../../demo/activity/commit.js';
import { computeAnswer } from '../../../demo/oracle.js';
import { folderOf, idOf, WriteMaker } from '../../../demo/writes.js';

function commitOf(at: number, author: string, ...files: Change[]): Commit {
  return { commit: `c${at}`, at, author, files };
}

function activityOf(...commits: Commit[]): Activity {
  return {
    description: 'a test',
    async *commits() {
      yield* commits;
    },
  };
}

async function tablesOf(...commits: Commit[]) {
  return (await computeAnswer(activityOf(...commits), new AbortController().signal)).tables;
}

const second = (at: number): Date => new Date(at * 1_000);

test('a commit is a user seen, and for each file a project put and touched, a task put and touched', () => {
  const writes = new WriteMaker().writesOf(commitOf(1, 'u1', ['A', 'src/a.ts'], ['D', 'b.ts']));
  expect(writes.map((write) => [write.kind, 'row' in write ? write.row.id : write.id])).toEqual([
    ['putUser', 'u1'],
    ['putProject', idOf('src/')],
    ['touchProject', idOf('src/')],
    ['putTask', idOf('src/a.ts')],
    ['touchTask', idOf('src/a.ts')],
    ['putProject', idOf('/')],
    ['touchProject', idOf('/')],
    ['deleteTask', idOf('b.ts')],
  ]);
});

test('every column of every row has its one right value', async () => {
  const { users, projects, tasks } = await tablesOf(
    commitOf(1, 'u1', ['A', 'src/a.ts']),
    commitOf(2, 'u2', ['M', 'src/a.ts']),
    commitOf(3, 'u1'),
  );
  expect([...users.values()]).toEqual([
    {
      id: 'u1',
      email: 'u1@example.invalid',
      name: 'u1',
      role: 'MEMBER',
      lastSeenAt: second(3),
      createdAt: second(1),
      updatedAt: second(3),
    },
    {
      id: 'u2',
      email: 'u2@example.invalid',
      name: 'u2',
      role: 'MEMBER',
      lastSeenAt: second(2),
      createdAt: second(2),
      updatedAt: second(2),
    },
  ]);
  expect([...projects.values()]).toEqual([
    {
      id: idOf('src/'),
      name: 'src',
      description: 'src/',
      status: 'ACTIVE',
      clientId: null,
      managerId: null,
      startsAt: second(1),
      dueAt: null,
      views: 0n,
      touches: 2,
      createdAt: second(1),
      updatedAt: second(2),
    },
  ]);
  expect([...tasks.values()]).toEqual([
    {
      id: idOf('src/a.ts'),
      projectId: idOf('src/'),
      assigneeId: 'u2',
      title: 'a.ts',
      description: 'src/a.ts',
      status: 'IN_PROGRESS',
      priority: 'MEDIUM',
      dueAt: null,
      completedAt: null,
      touches: 2,
      createdAt: second(1),
      updatedAt: second(2),
    },
  ]);
});

test('a task that is deleted and made anew begins anew: its time of creation and its touches', async () => {
  const { projects, tasks } = await tablesOf(
    commitOf(1, 'u', ['A', 'a']),
    commitOf(2, 'u', ['M', 'a']),
    commitOf(3, 'u', ['D', 'a']),
    commitOf(4, 'u', ['A', 'a']),
  );
  expect(tasks.get(idOf('a'))).toMatchObject({ status: 'TODO', touches: 1, createdAt: second(4) });
  expect(projects.get(idOf('/'))).toMatchObject({
    name: '/',
    touches: 4,
    createdAt: second(1),
    updatedAt: second(4),
  });
});

test('a change of a file that is not there makes it, and a delete of one that is not there deletes nothing', async () => {
  const { projects, tasks } = await tablesOf(commitOf(1, 'u', ['M', 'x/a'], ['D', 'x/b']));
  expect([...tasks.keys()]).toEqual([idOf('x/a')]);
  expect(projects.get(idOf('x/'))?.touches).toBe(2);
});

test('an added file that is there already keeps its time of creation', async () => {
  const { tasks } = await tablesOf(commitOf(1, 'u', ['A', 'a']), commitOf(2, 'u', ['A', 'a']));
  expect(tasks.get(idOf('a'))).toMatchObject({
    status: 'TODO',
    touches: 2,
    createdAt: second(1),
    updatedAt: second(2),
  });
});

test('commits and writes are counted', async () => {
  const activity = activityOf(commitOf(1, 'u', ['A', 'a']), commitOf(2, 'u', ['D', 'a']));
  expect(await computeAnswer(activity, new AbortController().signal)).toMatchObject({
    commits: 2,
    writes: 5 + 4,
  });
});

test('a history without a commit is refused', async () => {
  await expect(tablesOf()).rejects.toMatchObject({ code: 'EMPTY_HISTORY' });
});

test('an aborted signal ends the computation with its reason', async () => {
  const reason = new Error('enough');
  await expect(computeAnswer(activityOf(commitOf(1, 'u')), AbortSignal.abort(reason))).rejects.toBe(reason);
});

test("a path's folder ends with a slash, and the top one is the slash alone", () => {
  expect(['a', 'x/a', 'x/y/a'].map(folderOf)).toEqual(['/', 'x/', 'x/y/']);
});
