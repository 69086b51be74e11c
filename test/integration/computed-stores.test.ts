import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { UserCacheKeys } from '../../examples/platform/cache-keys.js';
import { stores } from '../../examples/platform/stores.js';
import { seed } from '../../prisma/seed.js';
import type { Forebay } from '../../src/app/connect.js';
import { createEnvironment, type Environment } from '../support/environment.js';

let environment: Environment;
let app: Forebay<typeof stores.definitions>;

beforeAll(async () => {
  environment = await createEnvironment();
  await seed(environment.prisma, { users: 50 });
  app = await environment.connect(stores);
});

afterAll(() => environment.close());

beforeEach(async () => {
  await app.cache.invalidatePattern('*');
});

describe('computed stores', () => {
  it('give what their queries say, and null for what is not there', async () => {
    const [user] = await environment.prisma.user.findMany({ take: 1, orderBy: { id: 'asc' } });
    const profile = await app.stores.profiles.get(user?.id as string);
    expect(profile).toMatchObject({ id: user?.id, email: user?.email, lastSeenAt: user?.lastSeenAt });
    expect(await app.stores.profiles.get('nobody')).toBeNull();
    expect(await app.cache.get(UserCacheKeys.profile(user?.id as string))).toEqual(profile);
  });

  it('compute what is missing of many with one load', async () => {
    const users = await environment.prisma.user.findMany({ take: 20, select: { id: true } });
    const ids = users.map(({ id }) => id);
    await app.stores.dashboards.get(ids[0] as string);
    app.cache.resetStats();
    const dashboards = await app.stores.dashboards.getMany([...ids, 'nobody']);
    expect(dashboards.slice(0, -1)).not.toContain(null);
    expect(dashboards.at(-1)).toBeNull();
    expect(app.cache.getStats()).toMatchObject({ hits: 1, misses: 20, loads: 20 });
  });

  it('count a user’s projects and tasks', async () => {
    const [task] = await environment.prisma.task.findMany({ where: { assigneeId: { not: null } }, take: 1 });
    const id = task?.assigneeId as string;
    const mine = { assigneeId: id };
    const [pending, done, overdue, memberships, managed] = await Promise.all([
      environment.prisma.task.count({ where: { ...mine, status: { not: 'DONE' } } }),
      environment.prisma.task.count({ where: { ...mine, status: 'DONE' } }),
      environment.prisma.task.count({
        where: { ...mine, status: { not: 'DONE' }, dueAt: { lt: new Date() } },
      }),
      environment.prisma.teamMember.findMany({ where: { userId: id }, select: { projectId: true } }),
      environment.prisma.project.findMany({ where: { managerId: id }, select: { id: true } }),
    ]);
    const projects = new Set([
      ...memberships.map(({ projectId }) => projectId),
      ...managed.map((one) => one.id),
    ]);
    expect(await app.stores.dashboards.get(id)).toMatchObject({
      projects: projects.size,
      tasks: { pending, done, overdue },
    });
  });

  it('tell of a project, its tasks and what happened last in it', async () => {
    const [project] = await environment.prisma.project.findMany({ where: { tasks: { some: {} } }, take: 1 });
    const id = project?.id as string;
    const tasks = await environment.prisma.task.count({ where: { projectId: id } });
    const done = await environment.prisma.task.count({ where: { projectId: id, status: 'DONE' } });
    expect(await app.stores.projectStatistics.get(id)).toMatchObject({
      tasks,
      done,
      completionRate: done / tasks,
    });
    expect(await app.stores.projectDetails.get(id)).toMatchObject({ id, name: project?.name });
    const feed = (await app.stores.projectFeeds.get(id)) ?? [];
    expect(feed.map(({ at }) => at)).toEqual([...feed.map(({ at }) => at)].sort((a, b) => +b - +a));
  });

  it('tell of the platform as a whole', async () => {
    const { prisma } = environment;
    expect(await app.stores.platformStatistics.get('all')).toMatchObject({
      users: await prisma.user.count(),
      projects: await prisma.project.count(),
      activeProjects: await prisma.project.count({ where: { status: 'ACTIVE' } }),
      tasks: await prisma.task.count(),
    });
  });

  it('are computed anew when they are refreshed or invalidated', async () => {
    const [user] = await environment.prisma.user.findMany({ take: 1, orderBy: { id: 'asc' } });
    const id = user?.id as string;
    const name = async () => (await app.stores.profiles.get(id))?.name;
    expect(await name()).toBe(user?.name);
    await environment.prisma.user.update({ where: { id }, data: { name: 'New name' } });
    expect(await name()).toBe(user?.name);
    expect((await app.stores.profiles.refresh(id))?.name).toBe('New name');
    await environment.prisma.user.update({ where: { id }, data: { name: 'Newer name' } });
    await app.stores.profiles.invalidate(id);
    expect(await name()).toBe('Newer name');
  });
});
