/** The stores of the user's platform, shared by its apps and its workers. */
import { type ChangedRow, computed } from '../../src/definitions/computed.js';
import { counter } from '../../src/definitions/counter.js';
import { record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';
import { DashboardCacheKeys, PlatformCacheKeys, ProjectCacheKeys, UserCacheKeys } from './cache-keys.js';
import { Activity, Client, Project, Session, Task, TeamMember, User } from './generated/models.js';
import {
  loadDashboards,
  loadPlatformStatistics,
  loadProjectDetails,
  loadProjectFeeds,
  loadProjectStatistics,
  loadUserProfiles,
} from './loaders.js';
import { listActiveProjects, listActiveUsers, listPlatform } from './warm-lists.js';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

const projects = record({ model: Project, counters: ['views', 'touches'], ttlMs: 30 * minuteMs });
const tasks = record({ model: Task, counters: ['touches'], ttlMs: 5 * minuteMs });

/** Of values by a field of their rows; where that is not told, any may be meant. */
const idsIn =
  (field: string) =>
  ({ before, after }: ChangedRow): readonly string[] | 'all' => {
    const ids = [before, after].flatMap((row) => (row ? [row[field]] : []));
    return ids.includes(undefined) ? 'all' : ids.filter((id) => typeof id === 'string');
  };

export const stores = defineStores({
  users: record({ model: User, ttlMs: hourMs }),
  clients: record({ model: Client, ttlMs: hourMs }),
  projects,
  projectViews: counter({ of: projects, field: 'views', ttlMs: 15 * minuteMs }),
  projectTouches: counter({ of: projects, field: 'touches', ttlMs: 15 * minuteMs }),
  teamMembers: record({ model: TeamMember, ttlMs: hourMs }),
  tasks,
  taskTouches: counter({ of: tasks, field: 'touches', ttlMs: 5 * minuteMs }),
  sessions: record({ model: Session, ttlMs: 24 * hourMs }),
  activities: record({ model: Activity, ttlMs: 2 * minuteMs }),
  profiles: computed({
    key: UserCacheKeys.profile,
    graceMs: hourMs,
    refresh: {},
    warm: { list: listActiveUsers, max: 100, ttlMs: hourMs },
    load: loadUserProfiles,
  }),
  dashboards: computed({
    key: DashboardCacheKeys.overview,
    graceMs: 5 * minuteMs,
    dependsOn: [tasks],
    idsOf: idsIn('assigneeId'),
    refresh: { when: 'xfetch' },
    warm: { list: listActiveUsers, max: 50 },
    load: loadDashboards,
  }),
  projectDetails: computed({
    key: ProjectCacheKeys.details,
    graceMs: hourMs,
    refresh: {},
    warm: { list: listActiveProjects, max: 50, ttlMs: hourMs },
    load: loadProjectDetails,
  }),
  projectStatistics: computed({
    key: ProjectCacheKeys.stats,
    graceMs: 15 * minuteMs,
    dependsOn: [tasks],
    idsOf: idsIn('projectId'),
    refresh: {},
    load: loadProjectStatistics,
  }),
  projectFeeds: computed({ key: ProjectCacheKeys.activity, graceMs: 2 * minuteMs, load: loadProjectFeeds }),
  /** One value, whose id is `all`. */
  platformStatistics: computed({
    key: () => PlatformCacheKeys.statistics(),
    graceMs: 24 * hourMs,
    refresh: {},
    warm: { list: listPlatform, max: 1 },
    load: loadPlatformStatistics,
  }),
});
