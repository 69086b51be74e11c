/** Why a read of a row or a counter is a hit or a miss. */
import type { Explanation } from '../../cache/explain.js';
import type { Loaded } from '../../cache/reading/port.js';
import { toReadError } from '../../connection/redis.js';
import type { ClientContext } from '../context.js';
import type { StorePort } from './store-port.js';

/** @throws ForebayError REDIS_UNAVAILABLE, REDIS_REFUSED */
export async function explainEntry<Value>(
  { redis, breaker, reading }: ClientContext,
  port: StorePort<Value, unknown, Loaded<Value | null>>,
  idKey: string,
): Promise<Explanation> {
  const name = port.nameOf(idKey);
  try {
    const [content, ttlMs, isPending] = await breaker.run(() =>
      Promise.all([redis.get(name), redis.pttl(name), port.isPending(idKey)]),
    );
    const { id, lease } = port.describe(content);
    const failure = reading.storeLoading.failureOf(name);
    const isThere = id !== undefined;
    return {
      state: isThere ? 'fresh' : isPending ? 'pending' : 'missing',
      isInMemory: false,
      tags: [],
      ...(isThere && { id, freshForMs: ttlMs, livesForMs: ttlMs }),
      ...(lease !== undefined && { lease }),
      ...(failure && { lastError: failure.error }),
    };
  } catch (error) {
    throw toReadError(error);
  }
}
