/** A command's connections to Redis, and what it opens on them: there for as long as it takes. */
import type { ConnectionPlan, RedisClient } from '../connection/redis.js';
import { type Resources, withResources } from '../resources.js';

const closeDeadlineMs = 2_000;

/** @throws ForebayError REDIS_UNAVAILABLE; what `use` throws */
export function withConnections<P extends ConnectionPlan, T>(
  plan: P,
  use: (connections: { readonly [Name in keyof P]: RedisClient }, resources: Resources) => Promise<T>,
): Promise<T> {
  // What breaks meanwhile is thrown by the command that it breaks.
  const emit = (): void => undefined;
  return withResources(emit, closeDeadlineMs, async (resources) =>
    use(await resources.connect(plan), resources),
  );
}
