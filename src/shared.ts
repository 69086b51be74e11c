/**
 * `forebay/shared`: the client that a process shares. It is connected once, at the process's start, and used
 * by plain functions from anywhere in it: `await share(() => connect(stores, { prisma }))`, then
 * `cacheAside(key, fetch)` of `forebay/patterns`.
 */
import type { CacheService } from './cache/cache-service.js';
import type { CachedValues } from './client/values/values.js';
import type { RedisHealth } from './connection/health.js';
import { ForebayError } from './errors.js';

const sharedPlace = Symbol.for('forebay.shared');

/** What a client has whatever its stores are; what `connect` gives has it. */
export interface SharedClient extends CachedValues {
  /** Single operations on cached values. */
  readonly cache: CacheService;
  /** How Redis is doing. */
  readonly redis: RedisHealth;
  /** Closes it. Of the shared client call `closeShared`. */
  close(): Promise<void>;
}

/**
 * Of the process rather than of this module: a bundler that loads modules anew (Next's and Vite's development
 * servers) does not connect once more with each change.
 */
const place = globalThis as { [sharedPlace]?: Promise<SharedClient> | undefined };

/**
 * Makes a client the process's own. Functions that work with it wait for it while it connects.
 * @param connectClient - connects it: `() => connect(stores, { prisma })`
 * @returns the client, with its stores
 * @throws ForebayError ALREADY_SHARED; what `connectClient` throws: another may be shared then
 */
export async function share<F extends SharedClient>(connectClient: () => Promise<F>): Promise<F> {
  if (place[sharedPlace] !== undefined) {
    throw new ForebayError(
      'ALREADY_SHARED',
      'This process shares a client already. Use that one, or call closeShared() first.',
    );
  }
  const connecting = connectClient();
  place[sharedPlace] = connecting;
  try {
    return await connecting;
  } catch (error) {
    if (place[sharedPlace] === connecting) place[sharedPlace] = undefined;
    throw error;
  }
}

/**
 * The shared client: connected by the first call, and the same for all others, also when their module was
 * loaded anew. For development servers and serverless functions, which have no start of their own.
 * @param connectClient - connects it: `() => connect(stores, { prisma })`
 * @returns the client, with the stores of the first call
 * @throws what `connectClient` throws: the next call connects again then
 */
export function sharedForebay<F extends SharedClient>(connectClient: () => Promise<F>): Promise<F> {
  return (place[sharedPlace] as Promise<F> | undefined) ?? share(connectClient);
}

/**
 * Closes the shared client, when there is one; another may be shared then.
 * @throws what its connecting has failed with
 */
export async function closeShared(): Promise<void> {
  const closing = place[sharedPlace];
  place[sharedPlace] = undefined;
  await (await closing)?.close();
}

/**
 * The shared client, once it is connected.
 * @throws ForebayError NOT_SHARED before `share`; what its connecting fails with
 */
export function sharedClient(): Promise<SharedClient> {
  const shared = place[sharedPlace];
  if (shared !== undefined) return shared;
  const message =
    'No client is shared in this process. Call share(() => connect(stores, { prisma })) at its start.';
  return Promise.reject(new ForebayError('NOT_SHARED', message));
}
