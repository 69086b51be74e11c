/** A store that is warmed each second, and leaves a row for each of its runs. */
import { randomUUID } from 'node:crypto';
import type { PrismaClient } from '../../examples/platform/generated/prisma/client.js';
import { cacheKey, cacheKeys } from '../../src/definitions/cache-key.js';
import { type ComputeContext, computed } from '../../src/definitions/computed.js';
import { defineStores } from '../../src/definitions/stores.js';
import { defineSchedules } from '../../src/services/scheduler/schedules.js';

const Keys = cacheKeys('ticking', { value: cacheKey<string>(60) });

export const stores = defineStores({
  ticks: computed({
    key: Keys.value,
    warm: {
      async list(_request, { prisma }: ComputeContext<PrismaClient>) {
        await prisma.client.create({ data: { id: randomUUID(), name: 'a run' } });
        return [];
      },
    },
    load: async () => new Map(),
  }),
});

export const schedules = defineSchedules(stores, { ticking: { cron: '* * * * * *', warm: 'ticks' } });
