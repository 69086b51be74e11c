/** What processes need: each as a question that they are asked. */
import type { ConnectionTest } from '../connection/health.js';
import type { Check } from './health.js';

/** What asks the database; the least of what an app's Prisma client is. */
export interface Asked {
  $queryRawUnsafe(query: string): Promise<unknown>;
}

export function redisNeed(name: 'redis' | 'queue redis', test: () => Promise<ConnectionTest>): Check {
  return {
    name,
    async ask() {
      const tested = await test();
      if (!tested.ok) throw new Error(tested.error);
    },
  };
}

export function databaseNeed(database: Asked): Check {
  return { name: 'database', ask: () => database.$queryRawUnsafe('SELECT 1') };
}
