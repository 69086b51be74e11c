/** One statistic of the platform, which is computed by the clock alone. */
import { type ComputeContext, cacheKey, cacheKeys, computed, defineStores } from 'forebay';
import type { PrismaClient } from '../platform/generated/prisma/client.js';

export interface Statistics {
  users: number;
  projects: number;
}

const Keys = cacheKeys('statistics', { of: cacheKey<Statistics>(3_600) });

export const stores = defineStores({
  statistics: computed({
    key: Keys.of,
    warm: { list: async ({ after }) => (after === undefined ? ['platform'] : []) },
    load: async (ids, { prisma }: ComputeContext<PrismaClient>) => {
      const [users, projects] = await Promise.all([prisma.user.count(), prisma.project.count()]);
      return new Map(ids.map((id) => [id, { users, projects }]));
    },
  }),
});
