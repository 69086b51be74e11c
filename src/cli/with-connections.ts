/** A command's connections to Redis: there for as long as it takes. */
import {
  type ConnectionPlan,
  closeConnections,
  openConnections,
  type RedisClient,
} from '../connection/redis.js';

const quitDeadlineMs = 1_000;

/** @throws ForebayError REDIS_UNAVAILABLE; what `use` throws */
export async function withConnections<P extends ConnectionPlan, T>(
  plan: P,
  use: (connections: { readonly [Name in keyof P]: RedisClient }) => Promise<T>,
): Promise<T> {
  // What breaks meanwhile is thrown by the command that it breaks.
  const connections = await openConnections(plan, () => undefined);
  try {
    return await use(connections);
  } finally {
    await closeConnections(connections, quitDeadlineMs);
  }
}
