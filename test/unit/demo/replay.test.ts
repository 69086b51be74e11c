/** The order and the bound of a replay, on stores that let the test answer each write. */
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Activity } from '../../../demo/activity/commit.js';
import { type DemoStores, replay } from '../../../demo/replay.js';
import { idOf } from '../../../demo/writes.js';

const activity: Activity = {
  description: 'a test',
  async *commits() {
    yield { commit: 'c1', at: 1, author: 'u', files: [['A', 'a']] };
    yield { commit: 'c2', at: 2, author: 'u', files: [['D', 'a']] };
  },
};

const writes = [
  'put user u',
  `put project ${idOf('/')}`,
  `touch project ${idOf('/')}`,
  `put task ${idOf('a')}`,
  `touch task ${idOf('a')}`,
  'put user u',
  `put project ${idOf('/')}`,
  `touch project ${idOf('/')}`,
  `delete task ${idOf('a')}`,
];

interface Open {
  accept(): void;
  refuse(error: Error): void;
}

/** Stores that note each write, and answer it when they are told. */
function openStores(): { stores: DemoStores; issued: string[]; open: Open[] } {
  const issued: string[] = [];
  const open: Open[] = [];
  const write = (what: string): Promise<void> =>
    new Promise((accept, refuse) => {
      issued.push(what);
      open.push({ accept, refuse });
    });
  const stores = {
    users: { put: (row: { id: string }) => write(`put user ${row.id}`) },
    projects: { put: (row: { id: string }) => write(`put project ${row.id}`) },
    tasks: {
      put: (row: { id: string }) => write(`put task ${row.id}`),
      delete: (id: string) => write(`delete task ${id}`),
    },
    projectTouches: { add: (id: string) => write(`touch project ${id}`) },
    taskTouches: { add: (id: string) => write(`touch task ${id}`) },
  };
  return { stores, issued, open };
}

const { signal } = new AbortController();

test('writes are issued in the order of the history, without waiting for each other', async () => {
  const { stores, issued, open } = openStores();
  const progress = { commits: 0, accepted: 0 };
  const done = replay(activity, stores, { signal, progress });
  await setImmediate();
  expect(issued).toEqual(writes);
  expect(progress).toEqual({ commits: 2, accepted: 0 });
  for (const one of open.reverse()) one.accept();
  await done;
  expect(progress).toEqual({ commits: 2, accepted: 9 });
});

test('no more writes are in flight than allowed', async () => {
  const { stores, issued, open } = openStores();
  const done = replay(activity, stores, { signal, progress: { commits: 0, accepted: 0 }, inFlightMax: 2 });
  for (let answered = 0; answered < writes.length; answered += 1) {
    await setImmediate();
    expect(issued.length).toBe(Math.min(answered + 2, writes.length));
    open[answered]?.accept();
  }
  await done;
});

test('a refused write ends the replay, and names the write', async () => {
  const { stores, issued, open } = openStores();
  const done = replay(activity, stores, { signal, progress: { commits: 0, accepted: 0 }, inFlightMax: 1 });
  await setImmediate();
  open[0]?.refuse(new Error('no room'));
  await expect(done).rejects.toMatchObject({
    code: 'WRITE_FAILED',
    message: 'forebay did not accept putUser of u: no room',
  });
  expect(issued).toHaveLength(1);
});

test('an aborted signal ends the replay with its reason', async () => {
  const { stores, issued } = openStores();
  const reason = new Error('enough');
  const options = { signal: AbortSignal.abort(reason), progress: { commits: 0, accepted: 0 } };
  await expect(replay(activity, stores, options)).rejects.toBe(reason);
  expect(issued).toEqual([]);
});
