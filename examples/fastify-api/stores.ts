/** What the API is about: users, projects with their views, and a dashboard for each user. */
import { type ComputeContext, cacheKey, cacheKeys, computed, counter, defineStores, record } from 'forebay';
import { Project, User } from '../platform/generated/models.js';
import type { PrismaClient } from '../platform/generated/prisma/client.js';

export interface Dashboard {
  projects: number;
}

const Keys = cacheKeys('manager', { dashboard: cacheKey<Dashboard>(300) });
const projects = record({ model: Project, counters: ['views'] });

export const stores = defineStores({
  users: record({ model: User }),
  projects,
  projectViews: counter({ of: projects, field: 'views' }),
  dashboards: computed({
    key: Keys.dashboard,
    graceMs: 60_000,
    load: async (ids, { prisma }: ComputeContext<PrismaClient>) => {
      const users = await prisma.user.findMany({
        where: { id: { in: [...ids] } },
        select: { id: true, _count: { select: { managedProjects: true } } },
      });
      return new Map(users.map(({ id, _count }) => [id, { projects: _count.managedProjects }]));
    },
  }),
});
