/** The queries behind the platform's computed values: one for any number of ids, or few. */
import type { ComputeContext } from '../../src/definitions/computed.js';
import type { PrismaClient } from './generated/prisma/client.js';
import type {
  Dashboard,
  Feed,
  PlatformStatistics,
  ProjectDetails,
  ProjectStatistics,
  TaskCounts,
  UserProfile,
} from './values.js';

type Context = ComputeContext<PrismaClient>;
type Values<T> = Promise<ReadonlyMap<string, T>>;

const feedLength = 20;

export async function loadUserProfiles(ids: readonly string[], { prisma }: Context): Values<UserProfile> {
  const users = await prisma.user.findMany({
    where: { id: { in: [...ids] } },
    select: { id: true, email: true, name: true, role: true, lastSeenAt: true },
  });
  return new Map(users.map((user) => [user.id, user]));
}

/** Of users that exist: their projects as members or managers, and the tasks assigned to them. */
export async function loadDashboards(ids: readonly string[], { prisma }: Context): Values<Dashboard> {
  const [users, projects, tasks] = await Promise.all([
    prisma.user.findMany({ where: { id: { in: [...ids] } }, select: { id: true } }),
    countProjects(ids, prisma),
    loadTaskCounts(ids, prisma),
  ]);
  return new Map(
    users.map(({ id }) => [
      id,
      {
        projects: projects.get(id)?.projects ?? 0,
        activeProjects: projects.get(id)?.active ?? 0,
        tasks: tasks.get(id) ?? { pending: 0, overdue: 0, done: 0 },
      },
    ]),
  );
}

export async function loadProjectDetails(
  ids: readonly string[],
  { prisma }: Context,
): Values<ProjectDetails> {
  const projects = await prisma.project.findMany({
    where: { id: { in: [...ids] } },
    include: { client: { select: { id: true, name: true } }, manager: { select: { id: true, name: true } } },
  });
  return new Map(projects.map((project) => [project.id, project]));
}

export async function loadProjectStatistics(
  ids: readonly string[],
  { prisma }: Context,
): Values<ProjectStatistics> {
  const rows = await prisma.$queryRaw<{ id: string; tasks: number; done: number; overdue: number }[]>`
    SELECT p.id,
           count(t.id)::int AS tasks,
           count(t.id) FILTER (WHERE t.status = 'DONE')::int AS done,
           count(t.id) FILTER (WHERE t.status <> 'DONE' AND t.due_at < now())::int AS overdue
    FROM projects p LEFT JOIN tasks t ON t.project_id = p.id
    WHERE p.id = ANY(${[...ids]})
    GROUP BY p.id`;
  return new Map(
    rows.map(({ id, tasks, done, overdue }) => [
      id,
      { tasks, done, overdue, completionRate: share(done, tasks) },
    ]),
  );
}

/** What happened last in projects that exist. */
export async function loadProjectFeeds(ids: readonly string[], { prisma }: Context): Values<Feed> {
  const projects = await prisma.project.findMany({
    where: { id: { in: [...ids] } },
    select: {
      id: true,
      activities: {
        select: { id: true, kind: true, userId: true, projectId: true, taskId: true, at: true },
        orderBy: { at: 'desc' },
        take: feedLength,
      },
    },
  });
  return new Map(projects.map(({ id, activities }) => [id, activities]));
}

/** The one value for each id; there is one platform. */
export async function loadPlatformStatistics(
  ids: readonly string[],
  { prisma }: Context,
): Values<PlatformStatistics> {
  const [row] = await prisma.$queryRaw<(Omit<PlatformStatistics, 'completionRate'> & { done: number })[]>`
    SELECT (SELECT count(*) FROM users)::int AS users,
           (SELECT count(*) FROM clients)::int AS clients,
           (SELECT count(*) FROM projects)::int AS projects,
           (SELECT count(*) FROM projects WHERE status = 'ACTIVE')::int AS "activeProjects",
           count(*)::int AS tasks,
           count(*) FILTER (WHERE status = 'DONE')::int AS done
    FROM tasks`;
  if (row === undefined) return new Map();
  const { done, ...counts } = row;
  return new Map(ids.map((id) => [id, { ...counts, completionRate: share(done, counts.tasks) }]));
}

async function countProjects(
  ids: readonly string[],
  prisma: PrismaClient,
): Values<{ projects: number; active: number }> {
  const rows = await prisma.$queryRaw<{ id: string; projects: number; active: number }[]>`
    SELECT m.user_id AS id,
           count(*)::int AS projects,
           count(*) FILTER (WHERE p.status = 'ACTIVE')::int AS active
    FROM (SELECT user_id, project_id FROM team_members WHERE user_id = ANY(${[...ids]})
          UNION
          SELECT manager_id, id FROM projects WHERE manager_id = ANY(${[...ids]})) m
    JOIN projects p ON p.id = m.project_id
    GROUP BY m.user_id`;
  return new Map(rows.map((row) => [row.id, row]));
}

async function loadTaskCounts(ids: readonly string[], prisma: PrismaClient): Values<TaskCounts> {
  const rows = await prisma.$queryRaw<(TaskCounts & { id: string })[]>`
    SELECT assignee_id AS id,
           count(*) FILTER (WHERE status <> 'DONE')::int AS pending,
           count(*) FILTER (WHERE status <> 'DONE' AND due_at < now())::int AS overdue,
           count(*) FILTER (WHERE status = 'DONE')::int AS done
    FROM tasks
    WHERE assignee_id = ANY(${[...ids]})
    GROUP BY assignee_id`;
  return new Map(rows.map(({ id, ...counts }) => [id, counts]));
}

function share(part: number, of: number): number {
  return of === 0 ? 0 : part / of;
}
