/** The platform's keys: eight namespaces. Times to live are in seconds. */
import { allOf, type CachePattern, cacheKey, cacheKeys } from '../../src/definitions/cache-key.js';
import { DEFAULT_TTL } from '../../src/definitions/default-ttl.js';
import type { ActivityRow, ClientRow, ProjectRow, TaskRow } from './generated/models.js';
import type {
  Dashboard,
  Feed,
  PlatformStatistics,
  ProjectDetails,
  ProjectFull,
  ProjectStatistics,
  ProjectSummary,
  SessionData,
  TaskCounts,
  TaskSummary,
  TeamMember,
  UserFull,
  UserProfile,
} from './values.js';

const { SHORT, MEDIUM, STANDARD, LONG, VERY_LONG } = DEFAULT_TTL;
const twoMinutes = 120;
const halfAnHour = 1_800;

type Ids = readonly string[];
type None = readonly [];

export const UserCacheKeys = {
  ...cacheKeys('user', {
    profile: cacheKey<UserProfile>(LONG),
    full: cacheKey<UserFull>(MEDIUM),
    projects: cacheKey<readonly ProjectSummary[]>(STANDARD),
    tasks: cacheKey<readonly TaskSummary[]>(MEDIUM),
    dashboard: cacheKey<Dashboard>(MEDIUM),
    activity: cacheKey<Feed>(twoMinutes),
    taskCounts: cacheKey<TaskCounts>(MEDIUM),
    overdueTasks: cacheKey<readonly TaskSummary[]>(MEDIUM),
    teams: cacheKey<Ids>(LONG),
    permissions: cacheKey<Ids>(STANDARD),
    byEmail: cacheKey<UserProfile>(LONG),
    lastSeen: cacheKey<Date>(SHORT),
  }),
  /** All that is cached of a user. */
  allForUser: (id: string): CachePattern => allOf('user', id),
};

export const ProjectCacheKeys = {
  ...cacheKeys('project', {
    details: cacheKey<ProjectDetails>(halfAnHour),
    full: cacheKey<ProjectFull>(MEDIUM),
    tasks: cacheKey<readonly TaskSummary[]>(MEDIUM),
    team: cacheKey<readonly TeamMember[]>(LONG),
    stats: cacheKey<ProjectStatistics>(STANDARD),
    activity: cacheKey<Feed>(twoMinutes),
    overdueTasks: cacheKey<readonly TaskSummary[]>(MEDIUM),
    views: cacheKey<number>(STANDARD),
    member: cacheKey<TeamMember, readonly [projectId: string, userId: string]>(LONG),
    active: cacheKey<readonly ProjectSummary[], None>(MEDIUM),
  }),
  /** All that is cached of a project. */
  allForProject: (id: string): CachePattern => allOf('project', id),
};

export const SessionCacheKeys = {
  ...cacheKeys('session', {
    data: cacheKey<SessionData>(VERY_LONG),
    userSessions: cacheKey<Ids>(LONG),
    byToken: cacheKey<SessionData>(VERY_LONG),
    activeCount: cacheKey<number, None>(SHORT),
  }),
  /** All that is cached of a session. */
  allForSession: (id: string): CachePattern => allOf('session', id),
};

export const DashboardCacheKeys = {
  ...cacheKeys('dashboard', {
    overview: cacheKey<Dashboard>(MEDIUM),
    stats: cacheKey<TaskCounts>(MEDIUM),
    activity: cacheKey<Feed>(twoMinutes),
    projects: cacheKey<readonly ProjectSummary[]>(MEDIUM),
    upcomingTasks: cacheKey<readonly TaskSummary[]>(MEDIUM),
    overdueTasks: cacheKey<readonly TaskSummary[]>(MEDIUM),
  }),
  /** A user's dashboards. */
  allForUser: (id: string): CachePattern => allOf('dashboard', id),
};

export const TaskCacheKeys = {
  ...cacheKeys('task', {
    details: cacheKey<TaskRow>(MEDIUM),
    summary: cacheKey<TaskSummary>(MEDIUM),
    activity: cacheKey<Feed>(twoMinutes),
    touches: cacheKey<number>(MEDIUM),
    byProject: cacheKey<readonly TaskSummary[]>(MEDIUM),
    byAssignee: cacheKey<readonly TaskSummary[]>(MEDIUM),
    byStatus: cacheKey<readonly TaskSummary[], readonly [projectId: string, status: TaskRow['status']]>(
      MEDIUM,
    ),
    overdue: cacheKey<readonly TaskSummary[], None>(MEDIUM),
  }),
  /** All that is cached of a task. */
  allForTask: (id: string): CachePattern => allOf('task', id),
};

export const ClientCacheKeys = {
  ...cacheKeys('client', {
    details: cacheKey<ClientRow>(LONG),
    projects: cacheKey<readonly ProjectSummary[]>(STANDARD),
    activeProjects: cacheKey<number>(STANDARD),
    stats: cacheKey<ProjectStatistics>(STANDARD),
    list: cacheKey<readonly ClientRow[], None>(STANDARD),
  }),
  /** All that is cached of a client. */
  allForClient: (id: string): CachePattern => allOf('client', id),
};

export const TeamCacheKeys = {
  ...cacheKeys('team', {
    members: cacheKey<readonly TeamMember[]>(LONG),
    leads: cacheKey<readonly TeamMember[]>(LONG),
    size: cacheKey<number>(LONG),
    workload: cacheKey<Readonly<Record<string, TaskCounts>>>(STANDARD),
    activity: cacheKey<readonly ActivityRow[]>(twoMinutes),
  }),
  /** All that is cached of a project's team. */
  allForTeam: (projectId: string): CachePattern => allOf('team', projectId),
};

export const PlatformCacheKeys = {
  ...cacheKeys('platform', {
    statistics: cacheKey<PlatformStatistics, None>(VERY_LONG),
    activeUsers: cacheKey<number, None>(STANDARD),
    activeProjects: cacheKey<readonly ProjectRow[], None>(STANDARD),
    completionRate: cacheKey<number, None>(LONG),
    recentActivity: cacheKey<Feed, None>(twoMinutes),
  }),
};
