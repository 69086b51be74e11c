/** All users of a database, to be warmed a thousand at a time. */

import type { PrismaClient } from '../../examples/platform/generated/prisma/client.js';
import { cacheKey, cacheKeys } from '../../src/definitions/cache-key.js';
import { type ComputeContext, computed } from '../../src/definitions/computed.js';
import { defineStores } from '../../src/definitions/stores.js';

export const EveryoneKeys = cacheKeys('everyone', { name: cacheKey<string>(86_400) });

type Context = ComputeContext<PrismaClient>;

export const stores = defineStores({
  everyone: computed({
    key: EveryoneKeys.name,
    warm: {
      max: 1_000_000,
      pageIdsMax: 1_000,
      loadShare: 1,
      async list({ after, limit }, { prisma }: Context) {
        const users = await prisma.user.findMany({
          select: { id: true },
          orderBy: { id: 'asc' },
          take: limit,
          ...(after && { where: { id: { gt: after } } }),
        });
        return users.map(({ id }) => id);
      },
    },
    async load(ids, { prisma }: Context) {
      // Prisma keeps the plans of its own queries, each with its list of ids.
      const users = await prisma.$queryRaw<{ id: string; name: string }[]>`
        SELECT id, name FROM users WHERE id = ANY(${[...ids]})`;
      return new Map(users.map(({ id, name }) => [id, name]));
    },
  }),
});
