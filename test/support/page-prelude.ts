/** What the examples of the pages take for granted: a block that uses one of these names, and does not define it, is given it. */
import type { Cache } from '@epic-web/cachified';
import type { Queue } from 'bullmq';
import { DashboardCacheKeys } from '../../examples/platform/cache-keys.js';
import { Project as ProjectModel, Task, User } from '../../examples/platform/generated/models.js';
import { PrismaClient } from '../../examples/platform/generated/prisma/client.js';
import { loadDashboards } from '../../examples/platform/loaders.js';
import { createPrisma } from '../../examples/platform/prisma.js';
import { computed, connect, counter, defineStores, record } from '../../src/index.js';

interface Order {
  id: string;
  total: number;
}

export const projects = record({ model: ProjectModel, counters: ['views'] });
export const tasks = record({ model: Task, counters: ['touches'] });
export const stores = defineStores({
  users: record({ model: User }),
  projects,
  projectViews: counter({ of: projects, field: 'views' }),
  tasks,
  dashboards: computed({
    key: DashboardCacheKeys.overview,
    warm: { list: async () => [] },
    load: loadDashboards,
  }),
  orders: record<Order, 'id'>({ id: 'id', load: async () => [], persist: async () => undefined }),
});

export const prisma = createPrisma(process.env.DATABASE_URL ?? '', { name: 'pages', connections: 2 });
export const app = await connect(stores, { prisma });
export const order: Order = { id: 'o1', total: 1 };
export const loadProfile = async (id: string) => ({ id, name: 'Ada' });
export const tellTooBusy = async () => undefined;

// Of an app that has another library yet: compiled, and not run.
export interface Project {
  id: string;
  name: string;
}
export declare const project: Project;
export declare const queue: Queue;
export declare const cache: Cache;
export declare const connection: { host: string; port: number };
export declare const redisUrl: string;
export declare function saveAll(projects: readonly Project[]): Promise<void>;

export class PrismaModule {}
export class PrismaService extends PrismaClient {}

// biome-ignore lint/performance/noBarrelFile: all that examples may use is here.
export { cachified } from '@epic-web/cachified';
export { createKeyv } from '@keyv/redis';
export { BentoCache, bentostore } from 'bentocache';
export { memoryDriver } from 'bentocache/drivers/memory';
export { redisDriver } from 'bentocache/drivers/redis';
export { Worker } from 'bullmq';
export { createCache } from 'cache-manager';
export { DashboardCacheKeys } from '../../examples/platform/cache-keys.js';
export type { PrismaClient } from '../../examples/platform/generated/prisma/client.js';
export { loadDashboards } from '../../examples/platform/loaders.js';
export { computed, connect, defineStores, record } from '../../src/index.js';
export { BoardService, defineSchedules, logEvents, runWorker, SchedulerService } from '../../src/worker.js';
