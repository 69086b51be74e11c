import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stores } from '../../examples/platform/stores.js';
import type { WrittenRow } from '../processes/messages.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { randomNumbers } from '../support/random.js';
import { writeFromProcesses } from '../support/row-writers.js';

const users = 200;
const tasks = 1_500;

let environment: Environment;

beforeEach(async () => {
  environment = await createEnvironment();
});

afterEach(() => environment.close());

describe('rows and the rows that they refer to, written behind at once', () => {
  it('never deadlock, though the parents have unique columns', async () => {
    const app = await environment.connect(stores);
    await environment.startWorker(stores);
    const random = randomNumbers(1);
    const anyUser = (): string => `user-${Math.floor(random() * users)}`;
    await app.stores.projects.put({ id: 'p', name: 'parent' });
    await app.stores.users.putMany(Array.from({ length: users }, (_, i) => user(`user-${i}`)));
    await app.flush();
    for (let round = 0; round < 12; round++) {
      const writes: Promise<unknown>[] = [];
      for (let i = 0; i < tasks; i++) {
        writes.push(
          app.stores.users.put(user(anyUser())),
          app.stores.tasks.put({
            id: `task-${i}`,
            projectId: 'p',
            title: `round ${round}`,
            assigneeId: anyUser(),
          }),
        );
      }
      await Promise.all(writes);
    }
    await app.flush();
    expect(environment.events.filter((event) => event.type === 'batch.failed')).toEqual([]);
  });

  it('all land, when many processes import projects with their tasks and members in reverse order', async () => {
    await environment.startWorker(stores);
    await environment.startWorker(stores);
    const app = await environment.connect(stores);
    const rows = range(40).flatMap((p): WrittenRow[] => [
      ['clients', { id: `c${p}`, name: `client ${p}` }],
      ['users', user(`m${p}`)],
      ['projects', { id: `p${p}`, name: `project ${p}`, clientId: `c${p}`, managerId: `m${p}` }],
      ...range(5).map((u): WrittenRow => ['users', user(`u${p}-${u}`)]),
      ...range(5).map((u): WrittenRow => ['teamMembers', { projectId: `p${p}`, userId: `u${p}-${u}` }]),
      ...range(20).map(
        (t): WrittenRow => [
          'tasks',
          { id: `t${p}-${t}`, projectId: `p${p}`, title: 't', assigneeId: `m${p}` },
        ],
      ),
    ]);
    await writeFromProcesses(environment, 4, rows.reverse());
    await app.flush();
    const { prisma } = environment;
    const counts = [
      prisma.project.count(),
      prisma.user.count(),
      prisma.teamMember.count(),
      prisma.task.count(),
    ];
    expect(await Promise.all(counts)).toEqual([40, 240, 200, 800]);
    expect(await app.backlog()).toMatchObject({ dead: 0 });
  });

  it('are deleted, the children first, or move to another parent, whose old one is deleted', async () => {
    const app = await environment.connect(stores);
    await environment.startWorker(stores);
    const { projects, tasks } = app.stores;
    await projects.putMany(['p', 'q', 'r'].map((id) => ({ id, name: id })));
    await tasks.putMany(['p', 'q'].map((id) => ({ id: `of ${id}`, projectId: id, title: 't' })));
    await app.flush();
    const writes = [
      await tasks.delete('of p'),
      await projects.delete('p'),
      await tasks.patch('of q', { projectId: 'r' }),
      await projects.delete('q'),
    ];
    await Promise.all(writes.map((receipt) => receipt.persisted()));
    expect(await environment.prisma.project.findMany({ select: { id: true } })).toEqual([{ id: 'r' }]);
  });

  it('take new values in unique columns, also a value that another row of the batch has given up', async () => {
    const app = await environment.connect(stores);
    await app.stores.users.putMany([user('a', 'one@example.invalid'), user('b', 'two@example.invalid')]);
    await environment.startWorker(stores);
    await app.flush();
    await app.stores.users.put(user('a', 'three@example.invalid'));
    await app.stores.users.put(user('c', 'one@example.invalid'));
    await app.flush();
    const rows = await environment.prisma.user.findMany({
      select: { id: true, email: true },
      orderBy: { id: 'asc' },
    });
    expect(rows.map(({ id, email }) => `${id} ${email}`)).toEqual([
      'a three@example.invalid',
      'b two@example.invalid',
      'c one@example.invalid',
    ]);
  });
});

const range = (length: number): number[] => Array.from({ length }, (_, i) => i);

describe('unique values', () => {
  /** Of one lane, so that they are in one batch. */
  const ids = ['a', 'e', 'i'];
  const swapped = (name = 'swapped') =>
    ids.map((id, i) => ({ id, name, email: `${ids[(i + 1) % ids.length]}@example.invalid` }));
  const emails = async () =>
    (await environment.prisma.user.findMany({ orderBy: { id: 'asc' } })).map(({ email }) => email);

  it('are swapped by rows of one batch', async () => {
    const app = await environment.connect(stores);
    await app.stores.users.putMany(ids.map((id) => user(id)));
    await environment.startWorker(stores);
    await app.flush();
    await Promise.all(swapped().map((row) => app.stores.users.put(row)));
    await app.flush();
    expect(await emails()).toEqual(swapped().map(({ email }) => email));
    expect(environment.events.filter(({ type }) => type === 'batch.void')).toEqual([]);
  });

  it('are swapped also beside a row that is refused', async () => {
    await environment.prisma.$executeRawUnsafe("ALTER TABLE users ADD CHECK (name <> 'bad')");
    const app = await environment.connect(stores);
    await app.stores.users.putMany(ids.map((id) => user(id)));
    await environment.startWorker(stores);
    await app.flush();
    const bad = { ...user('m'), name: 'bad' };
    await Promise.all([...swapped(), bad].map((row) => app.stores.users.put(row)));
    await app.flush();
    expect(await emails()).toEqual(swapped().map(({ email }) => email));
    expect(await app.backlog()).toMatchObject({ dead: 1 });
  });
});

function user(id: string, email = `${id}@example.invalid`) {
  return { id, email, name: id };
}
