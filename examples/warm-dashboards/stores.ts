/** Dashboards, each computed by one query for any number of them. */
import { type ComputeContext, cacheKey, cacheKeys, computed, defineStores } from 'forebay';
import type { PrismaClient } from '../platform/generated/prisma/client.js';

export interface Dashboard {
  openTasks: number;
  computedAt: number;
}

const Keys = cacheKeys('team', { dashboard: cacheKey<Dashboard>(2) });

export const stores = defineStores({
  dashboards: computed({
    key: Keys.dashboard,
    ttlMs: 2_000,
    // Served for so long after that, should the workers be away.
    graceMs: 60_000,
    // A read in the second half of its life has a worker compute it anew.
    refresh: { when: 0.5 },
    load: async (ids, { prisma }: ComputeContext<PrismaClient>) => {
      const projects = await prisma.project.findMany({
        where: { id: { in: [...ids] } },
        select: { id: true, _count: { select: { tasks: { where: { status: { not: 'DONE' } } } } } },
      });
      return new Map(
        projects.map(({ id, _count }) => [id, { openTasks: _count.tasks, computedAt: Date.now() }]),
      );
    },
  }),
});
