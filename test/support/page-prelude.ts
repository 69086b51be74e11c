/** What the examples of the pages take for granted: a block that uses one of these names, and does not define it, is given it. */
import type { Cache } from '@epic-web/cachified';
import type { Queue } from 'bullmq';
import type { DashboardCacheKeys as DashboardKeys } from '../../examples/platform/cache-keys.js';
import { Project as ProjectModel, Task, User } from '../../examples/platform/generated/models.js';
import { PrismaClient } from '../../examples/platform/generated/prisma/client.js';
import type { loadDashboards as LoadDashboards } from '../../examples/platform/loaders.js';
import { type connect, counter, defineStores, record } from '../../src/index.js';

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
  orders: record<Order, 'id'>({ id: 'id', load: async () => [], persist: async () => undefined }),
});

export declare const prisma: PrismaClient;
export declare const app: Awaited<ReturnType<typeof connect<typeof stores.definitions>>>;
export declare const row: { id: string; name: string };
export declare const order: Order;
export declare const DashboardCacheKeys: typeof DashboardKeys;
export declare const loadDashboards: typeof LoadDashboards;
export declare function loadProfile(id: string): Promise<{ id: string; name: string }>;
export declare function tellTooBusy(): Promise<void>;

// Of an app that has another library yet.
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

// biome-ignore lint/performance/noBarrelFile: all that examples may use is here, and only compiled.
export { cachified } from '@epic-web/cachified';
export { createKeyv } from '@keyv/redis';
export { BentoCache, bentostore } from 'bentocache';
export { memoryDriver } from 'bentocache/drivers/memory';
export { redisDriver } from 'bentocache/drivers/redis';
export { Worker } from 'bullmq';
export { createCache } from 'cache-manager';
export type { PrismaClient } from '../../examples/platform/generated/prisma/client.js';
export { computed, connect, defineStores, record } from '../../src/index.js';
export { BoardService, defineSchedules, logEvents, runWorker, SchedulerService } from '../../src/worker.js';
