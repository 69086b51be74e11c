/**
 * Gets the values that the cache does not have, or has too old: claims their leases, loads, fills; or waits for whoever does. In
 * a process, the calls for one key share what is under way.
 */
import { LRUCache } from 'lru-cache';
import { ForebayError } from '../../errors.js';
import type { Emit } from '../../events.js';
import { tagMark } from '../../keys.js';
import type { TagVersions, ValueEntry } from '../entry/value-entry.js';
import type { Claim, RedisTier } from '../redis/redis-tier.js';
import type { StatisticsCounter } from '../statistics.js';
import type { Found, Life, ValueStore } from '../value-store.js';
import type { Loading, LoadMany } from './loading.js';
import type { ReadPlan } from './read-options.js';
import type { Waiting, WaitingRoom } from './waiting-room.js';

export interface RefillDependencies {
  readonly tier: RedisTier;
  readonly values: ValueStore;
  readonly waitingRoom: WaitingRoom;
  readonly loading: Loading;
  readonly statistics: StatisticsCounter;
  /** Values that were accepted and may not be in the database yet. */
  readonly pendingOf: PendingOf;
  readonly emit: Emit;
}

export type PendingOf = (keys: readonly string[]) => Promise<ReadonlyMap<string, unknown>>;

/** A key whose value is missing, and what the look at it found. */
export interface Missing {
  readonly key: string;
  readonly found: Exclude<Found, { kind: 'fresh' }>;
}

/** One key's way to its value. */
interface Task {
  readonly key: string;
  found: Missing['found'];
  /** Of the lease under which it is loaded. */
  token?: string;
  /** What will settle it is on its way, and no lease proves that it is still the newest. */
  isClosed: boolean;
  readonly promise: Promise<unknown>;
  isSettled: boolean;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly startedAtMs: number;
  /** What came of the fill, when there was one. */
  filling?: Filling;
}

/**
 * `revoked`: by a write, or another load. `unleased`: Redis did not answer, so nothing was to be filled. `failed`: Redis did not take the
 * value.
 */
type Filling =
  | { readonly kind: 'filled' | 'revoked' | 'unleased' }
  | { readonly kind: 'failed'; readonly error: unknown };

/** What came of a value that was computed for nobody who waits. `overtaken`: its lease was revoked by something newer. */
export type Renewal =
  | { readonly kind: 'computed' | 'absent' | 'overtaken' }
  | { readonly kind: 'failed'; readonly error: unknown };

interface Job<T> {
  readonly load: LoadMany<T>;
  readonly plan: ReadPlan;
}

/** A value that was loaded, null when there is none, and how it is to be kept. */
interface Loaded {
  readonly value: unknown;
  readonly tags: TagVersions;
  readonly loadMs: number;
  readonly plan: ReadPlan;
}

type EncodedValue = { readonly content: string; readonly ttlMs: number } | { readonly error: unknown };

const noTags: TagVersions = new Map();
const notCachedMax = 10_000;

export class Refill {
  readonly #tier: RedisTier;
  readonly #values: ValueStore;
  readonly #waitingRoom: WaitingRoom;
  readonly #loading: Loading;
  readonly #statistics: StatisticsCounter;
  readonly #pendingOf: PendingOf;
  readonly #emit: Emit;
  readonly #underWay = new Map<string, Task>();
  /** Keys whose last value could not be cached. */
  readonly #notCached = new LRUCache<string, true>({ max: notCachedMax });

  constructor(dependencies: RefillDependencies) {
    this.#tier = dependencies.tier;
    this.#values = dependencies.values;
    this.#waitingRoom = dependencies.waitingRoom;
    this.#loading = dependencies.loading;
    this.#statistics = dependencies.statistics;
    this.#pendingOf = dependencies.pendingOf;
    this.#emit = dependencies.emit;
  }

  /** The promise of each key's value, in their order; null where there is none. Keys must differ. */
  start<T>(missing: readonly Missing[], load: LoadMany<T>, plan: ReadPlan): Promise<T | null>[] {
    const own: Task[] = [];
    const promises = missing.map((one) => {
      const shared = plan.isForced ? undefined : this.#underWay.get(one.key);
      if (shared && mayShare(shared, one.found)) return shared.promise;
      const task = createTask(one);
      this.#underWay.set(one.key, task);
      own.push(task);
      return task.promise;
    });
    if (own.length > 0) void this.#run(own, { load, plan });
    return promises as Promise<T | null>[];
  }

  /** Computes values for nobody who waits: what came of each, in their order. Keys must differ. */
  async renew<T>(missing: readonly Missing[], load: LoadMany<T>, plan: ReadPlan): Promise<Renewal[]> {
    const tasks = missing.map(createTask);
    await this.#run(tasks, { load, plan });
    return Promise.all(tasks.map(renewalOf));
  }

  /** Reads that come from now on do not share what is under way: it may be older than a write of this process. */
  forget(key: string): void {
    this.#underWay.delete(key);
    this.#loading.forget(key);
  }

  forgetAll(): void {
    this.#underWay.clear();
  }

  async #run<T>(tasks: readonly Task[], job: Job<T>): Promise<void> {
    try {
      await this.#round(tasks, job);
    } catch (error) {
      for (const task of tasks) task.reject(error);
    } finally {
      for (const task of tasks) if (this.#underWay.get(task.key) === task) this.#underWay.delete(task.key);
    }
  }

  /** Claims the leases of all tasks; loads those that it got, and waits for the others. */
  async #round<T>(tasks: readonly Task[], job: Job<T>): Promise<void> {
    const open = job.plan.isForced ? tasks : tasks.filter((task) => !this.#standsFailed(task));
    if (job.plan.isServedStale) await Promise.all(open.map((task) => this.#serveStale(task)));
    const waitings = open.map(({ key }) => this.#waitingRoom.enter(key));
    try {
      const claims = await Promise.all(open.map((task) => this.#claim(task, job.plan)));
      const leased = open.flatMap((task, i) => {
        const claim = claims[i];
        if (claim !== undefined && claim.kind !== 'lease') return [];
        if (claim !== undefined) task.token = claim.token;
        return [{ task, token: claim?.token }];
      });
      await Promise.all([
        this.#loadAndFill(leased, job),
        ...open.map((task, i) => this.#follow(task, claims[i], waitings[i] as Waiting, job)),
      ]);
    } finally {
      for (const waiting of waitings) waiting.leave();
    }
  }

  /** A load that failed just now is not repeated at once: its error, or the stale value, is the answer. */
  #standsFailed(task: Task): boolean {
    const failure = this.#loading.failureOf(task.key);
    if (failure) this.#settleFailed(task, failure.error);
    return failure !== undefined;
  }

  #settleFailed(task: Task, error: unknown): void {
    if (staleOf(task) === undefined) task.reject(error);
    else void this.#serveStale(task);
  }

  async #serveStale(task: Task): Promise<void> {
    const stale = staleOf(task);
    if (stale === undefined) return;
    if (task.isSettled) return;
    const counts = this.#statistics.of(task.key);
    counts.staleHits += 1;
    counts.hits += 1;
    counts.misses -= 1;
    try {
      task.resolve(await this.#values.decode(stale));
    } catch (error) {
      task.reject(error);
    }
  }

  /** Undefined: Redis does not answer, so the value is loaded and not cached. */
  async #claim(task: Task, plan: ReadPlan): Promise<Claim | undefined> {
    const claim = await this.#tryClaim(task, plan);
    // A lease outlives an invalidation of a tag.
    task.isClosed = claim?.kind === 'lease' ? plan.tags.length > 0 : claim?.kind !== 'wait';
    return claim;
  }

  async #tryClaim({ key, found }: Task, { leaseMs, isForced }: ReadPlan): Promise<Claim | undefined> {
    if (found.kind === 'unknown') return undefined;
    try {
      return await this.#tier.claim(key, isForced ? 'anything' : found.seen, leaseMs);
    } catch (error) {
      this.#statistics.of(key).errors += 1;
      this.#emit({ type: 'cache.failed', key, error });
      return undefined;
    }
  }

  async #loadAndFill<T>(
    leased: readonly { readonly task: Task; readonly token: string | undefined }[],
    { load, plan }: Job<T>,
  ): Promise<void> {
    if (leased.length === 0) return;
    const keys = leased.map(({ task }) => task.key);
    const soft = setTimeout(() => {
      for (const { task } of leased) void this.#serveStale(task);
    }, plan.softTimeoutMs);
    try {
      // Before the load: an invalidation during it must make the value stale.
      const tags = await this.#tagVersions(plan);
      for (const key of keys) this.#statistics.of(key).loads += 1;
      const startedAt = performance.now();
      const values = await this.#loading.run(keys, this.#afterPending(leased, load), plan.loadTimeoutMs);
      const loadMs = performance.now() - startedAt;
      await Promise.all(
        leased.map(({ task, token }) => {
          const value = values.get(task.key) ?? null;
          return this.#fill(task, tags === undefined ? undefined : token, {
            value,
            tags: tags ?? noTags,
            loadMs,
            plan,
          });
        }),
      );
    } catch (error) {
      await Promise.all(leased.map(({ task, token }) => this.#fail(task, token, error)));
    } finally {
      clearTimeout(soft);
    }
  }

  /** What is pending is newer than what the database has. Without Redis, nobody can tell. */
  #afterPending<T>(leased: readonly { token: string | undefined }[], load: LoadMany<T>): LoadMany<T> {
    if (leased.some(({ token }) => token === undefined)) return load;
    return async (keys, context) => {
      const pending = (await this.#pendingOf(keys)) as ReadonlyMap<string, T>;
      if (pending.size === 0) return load(keys, context);
      const others = keys.filter((key) => !pending.has(key));
      return others.length === 0 ? pending : new Map([...(await load(others, context)), ...pending]);
    };
  }

  /** Undefined: Redis does not answer. Without them nothing may be filled. */
  async #tagVersions({ tags }: ReadPlan): Promise<TagVersions | undefined> {
    if (tags.length === 0) return noTags;
    try {
      return await this.#tier.tagVersions(tags);
    } catch (error) {
      this.#emit({ type: 'cache.failed', key: tags.map((tag) => tagMark + tag).join(', '), error });
      return undefined;
    }
  }

  async #fill(task: Task, token: string | undefined, loaded: Loaded): Promise<void> {
    const { value } = loaded;
    try {
      task.filling = token === undefined ? { kind: 'unleased' } : await this.#put(task.key, token, loaded);
      task.resolve(value);
    } catch (error) {
      await this.#fail(task, token, error);
    }
  }

  async #put(key: string, token: string, { value, tags, loadMs, plan }: Loaded): Promise<Filling> {
    const ttlMs = value === null ? plan.absentTtlMs : plan.ttlMs;
    if (ttlMs === 0) {
      await this.#release(key, token, { isRestored: false });
      return { kind: 'filled' };
    }
    const graceMs = value === null ? 0 : plan.graceMs;
    const life = { ttlMs, graceMs, ...(plan.isRefreshedAhead && value !== null ? { loadMs } : {}) };
    const entry = await this.#encode(key, value, life, tags);
    if ('error' in entry) {
      await this.#release(key, token, { isRestored: false });
      return { kind: 'failed', error: entry.error };
    }
    try {
      const isFilled = await this.#tier.fill(key, token, entry.content, entry.ttlMs);
      this.#values.forget(key);
      return { kind: isFilled ? 'filled' : 'revoked' };
    } catch (error) {
      // The read has its value; a later one loads again.
      this.#emit({ type: 'cache.failed', key, error });
      return { kind: 'failed', error };
    }
  }

  /** A value that can't be cached is returned all the same; that is told once for its key. */
  async #encode(key: string, value: unknown, life: Life, tags: TagVersions): Promise<EncodedValue> {
    try {
      const entry = await this.#values.encode(key, value, life, tags);
      this.#notCached.delete(key);
      return entry;
    } catch (error) {
      if (!this.#notCached.has(key)) this.#emit({ type: 'value.not-cached', key, error });
      this.#notCached.set(key, true);
      return { error };
    }
  }

  async #fail(task: Task, token: string | undefined, error: unknown): Promise<void> {
    this.#statistics.of(task.key).loadFailures += 1;
    this.#settleFailed(task, error);
    if (token !== undefined) await this.#release(task.key, token, { isRestored: true });
  }

  async #release(key: string, token: string, covered: { isRestored: boolean }): Promise<void> {
    try {
      await this.#tier.release(key, token, covered);
    } catch (error) {
      // The lease ends by itself.
      this.#emit({ type: 'cache.failed', key, error });
    }
  }

  /** For a task without the lease: the value that somebody filled, at once or later. */
  async #follow<T>(task: Task, claim: Claim | undefined, waiting: Waiting, job: Job<T>): Promise<void> {
    if (claim === undefined || claim.kind === 'lease') return;
    if (claim.kind === 'value') {
      return this.#again(task, await this.#values.evaluate(task.key, claim.entry), job);
    }
    const patienceMs = Math.max(0, task.startedAtMs + job.plan.softTimeoutMs - Date.now());
    await waiting.until(Math.min(claim.waitMs, staleOf(task) ? patienceMs : claim.waitMs));
    if (Date.now() >= task.startedAtMs + job.plan.softTimeoutMs) await this.#serveStale(task);
    task.isClosed = true;
    return this.#again(task, await this.#values.look(task.key), job);
  }

  async #again<T>(task: Task, found: Found, job: Job<T>): Promise<void> {
    if (found.kind === 'fresh') return task.resolve(found.value);
    // Whoever loads it fails again and again, or Redis loses the lease each time: load without one.
    task.found =
      Date.now() < task.startedAtMs + 2 * job.plan.leaseMs ? found : { kind: 'unknown', error: undefined };
    return this.#round([task], { ...job, plan: { ...job.plan, isForced: false } });
  }
}

function createTask({ key, found }: Missing): Task {
  let resolve: Task['resolve'] = () => undefined;
  let reject: Task['reject'] = () => undefined;
  const promise = new Promise<unknown>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  const task: Task = {
    key,
    found,
    promise,
    resolve,
    reject,
    startedAtMs: Date.now(),
    isSettled: false,
    isClosed: false,
  };
  const settled = (): void => {
    task.isSettled = true;
  };
  // Also for rejections: the caller may have gone by then.
  promise.then(settled, settled);
  return task;
}

async function renewalOf({ key, promise, filling }: Task): Promise<Renewal> {
  try {
    const value = await promise;
    if (filling?.kind === 'failed') return filling;
    if (filling?.kind === 'unleased') return { kind: 'failed', error: unleased(key) };
    if (filling?.kind === 'revoked') return { kind: 'overtaken' };
    return { kind: value === null ? 'absent' : 'computed' };
  } catch (error) {
    return { kind: 'failed', error };
  }
}

function unleased(key: string): ForebayError {
  return new ForebayError(
    'REDIS_UNAVAILABLE',
    `${key} was computed, but Redis did not answer. Try again later.`,
    {
      retryable: true,
      context: { key },
    },
  );
}

/**
 * Whether a read may share what is under way, by what its look at the entry found: it must not get anything that is older. A lease that
 * still stands proves that nothing was written since its load began; one that is being claimed is granted after the look, as its reply
 * comes later on the same connection.
 */
function mayShare(task: Task, found: Missing['found']): boolean {
  if (found.kind === 'unknown') return true;
  const stale = staleOf(task);
  if (stale?.id !== found.stale?.id) return false;
  if (task.isSettled) return stale !== undefined;
  return !task.isClosed && (task.token === undefined || task.token === found.lease);
}

function staleOf({ found }: Task): ValueEntry | undefined {
  return found.kind === 'missing' ? found.stale : undefined;
}
