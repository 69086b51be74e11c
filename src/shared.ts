/**
 * `forebay/shared`: the client that a process shares. It is connected once, at the process's start, and used
 * by plain functions from anywhere in it: `await share(() => connect(stores, { prisma }))`, then
 * `cacheAside(key, fetch)` of `forebay/patterns`.
 */
import type { CacheService } from './cache/cache-service.js';
import type { CachedValues } from './client/values/values.js';
import type { RedisHealth } from './connection/health.js';
import { ForebayError } from './errors.js';

/** What a client has whatever its stores are; what `connect` gives has it. */
export interface SharedClient extends CachedValues {
  /** Single operations on cached values. */
  readonly cache: CacheService;
  /** How Redis is doing. */
  readonly redis: RedisHealth;
  /** Closes it. Of the shared client call `closeShared`. */
  close(): Promise<void>;
}

let shared: Promise<SharedClient> | undefined;

/**
 * Makes a client the process's own. Functions that work with it wait for it while it connects.
 * @param connectClient - connects it: `() => connect(stores, { prisma })`
 * @returns the client, with its stores
 * @throws ForebayError ALREADY_SHARED; what `connectClient` throws: another may be shared then
 */
export async function share<F extends SharedClient>(connectClient: () => Promise<F>): Promise<F> {
  if (shared !== undefined) {
    throw new ForebayError(
      'ALREADY_SHARED',
      'This process shares a client already. Use that one, or call closeShared() first.',
    );
  }
  const connecting = connectClient();
  shared = connecting;
  try {
    return await connecting;
  } catch (error) {
    if (shared === connecting) shared = undefined;
    throw error;
  }
}

/**
 * Closes the shared client, when there is one; another may be shared then.
 * @throws what its connecting has failed with
 */
export async function closeShared(): Promise<void> {
  const closing = shared;
  shared = undefined;
  await (await closing)?.close();
}

/**
 * The shared client, once it is connected.
 * @throws ForebayError NOT_SHARED before `share`; what its connecting fails with
 */
export function sharedClient(): Promise<SharedClient> {
  if (shared !== undefined) return shared;
  const message =
    'No client is shared in this process. Call share(() => connect(stores, { prisma })) at its start.';
  return Promise.reject(new ForebayError('NOT_SHARED', message));
}
