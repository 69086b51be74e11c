/**
 * Who misses loads, the others wait. Of all who miss an entry, over all processes, one gets its lease, loads
 * the value and fills the entry; the others take what is there by now, or wait for it. In a process, reads of
 * one entry share what is under way. It knows no Redis: a port says how entries are looked at, loaded and
 * filled.
 */

import { inTurns } from './in-turns.js';
import { arrive, claimOf, createTask, type Missed, mayJoin, type Outcome, type Task } from './load-task.js';
import type { LoadContext, Loading } from './loading.js';
import type { Claim, Loaded, Look, Port } from './port.js';
import type { Waiting, WaitingRoom } from './waiting-room.js';

type Leased<Value> = Claim<unknown> & { readonly task: Task<Value> };

/** Looks at a task's entry once more, together with others of its round that come back in the same turn. */
type Again<Value> = (task: Task<Value>) => Promise<void>;

export interface LeasedLoadsDependencies {
  readonly loading: Loading;
  readonly waitingRoom: Pick<WaitingRoom, 'enter'>;
}

export class LeasedLoads<Value> {
  readonly #loading: Loading;
  readonly #waitingRoom: LeasedLoadsDependencies['waitingRoom'];
  readonly #underWay = new Map<string, Task<Value>>();

  constructor({ loading, waitingRoom }: LeasedLoadsDependencies) {
    this.#loading = loading;
    this.#waitingRoom = waitingRoom;
  }

  /**
   * The promise of each key's value, in their order. Keys must differ. `isForced`: loads, whatever is under
   * way or has just failed.
   */
  read(missed: readonly Missed[], port: Port<Value>, { isForced = false } = {}): Promise<Value>[] {
    const own: Task<Value>[] = [];
    const reads = missed.map((one) => {
      const underWay = isForced ? undefined : this.#underWay.get(one.key);
      if (underWay !== undefined && mayJoin(underWay, one)) return this.#join(underWay, one, port);
      const task = createTask<Value>(one);
      this.#underWay.set(one.key, task);
      own.push(task);
      return task.promise.then(({ value }) => value);
    });
    if (own.length > 0) void this.#run(own, port, isForced);
    return reads;
  }

  /** For nobody who waits, shared with nobody: what came of each, in their order. Keys must differ. */
  async renew(missed: readonly Missed[], port: Port<Value>): Promise<PromiseSettledResult<Outcome<Value>>[]> {
    const tasks = missed.map((one) => createTask<Value>(one));
    await this.#run(tasks, port, false);
    return Promise.allSettled(tasks.map(({ promise }) => promise));
  }

  /**
   * [FC-FRESH] Reads that come from now on do not share what is under way: it may be older than a write of
   * this process.
   */
  forget(key: string): void {
    this.#underWay.delete(key);
    this.#loading.forget(key);
  }

  forgetAll(): void {
    this.#underWay.clear();
  }

  async #join(task: Task<Value>, missed: Missed, port: Port<Value>): Promise<Value> {
    const isInTime = task.stage === 'open' || missed.away !== undefined;
    const { value, isProven } = await task.promise;
    if (isInTime || isProven) return value;
    const [read] = this.read([{ key: missed.key }], port) as [Promise<Value>];
    return read;
  }

  async #run(tasks: readonly Task<Value>[], port: Port<Value>, isForced: boolean): Promise<void> {
    try {
      await this.#round(tasks, port, isForced);
    } catch (error) {
      for (const task of tasks) task.reject(error);
    } finally {
      for (const task of tasks) if (this.#underWay.get(task.key) === task) this.#underWay.delete(task.key);
    }
  }

  /** Looks at the entries of all tasks; loads those whose leases it got, and follows the others. */
  async #round(tasks: readonly Task<Value>[], port: Port<Value>, isForced = false): Promise<void> {
    const claimedAt = performance.now();
    const again = inTurns<Task<Value>>((some) => this.#round(some, port));
    const open = isForced ? tasks : tasks.filter((task) => !this.#hasJustFailed(task, port));
    // Before the look that may tell to wait, so that no message falls in between.
    const waitings = open.map(({ key }) => this.#waitingRoom.enter(port.nameOf(key)));
    try {
      const looks = await this.#look(open, port);
      const waitMs = longestOf(looks);
      const leased: Leased<Value>[] = [];
      const followed = open.map((task, i) => {
        const look = looks[i];
        if (look === undefined) return undefined;
        const own = leasedBy(task, look, port);
        if (own === undefined)
          return this.#follow(task, look, () => (waitings[i] as Waiting).until(waitMs), port, again);
        leased.push(own);
        return undefined;
      });
      await Promise.all([this.#load(leased, port, claimedAt, again), ...followed]);
    } finally {
      for (const waiting of waitings) waiting.leave();
    }
  }

  /** A load that failed just now is not repeated at once. */
  #hasJustFailed(task: Task<Value>, port: Port<Value>): boolean {
    const failure = this.#loading.failureOf(port.nameOf(task.key));
    if (failure) task.reject(failure.error);
    return failure !== undefined;
  }

  /** What each look found, undefined for one that failed, which has ended its task. */
  #look(tasks: readonly Task<Value>[], port: Port<Value>): Promise<(Look<Value, unknown> | undefined)[]> {
    const asked = port.look(tasks.filter(({ away }) => away === undefined).map(({ key }) => key));
    let next = 0;
    return Promise.all(
      tasks.map(async (task) => {
        try {
          const look = task.away ? ({ kind: 'away', error: task.away.error } as const) : await asked[next++];
          return look && arrive(task, look, port);
        } catch (error) {
          task.reject(error);
          return undefined;
        }
      }),
    );
  }

  /** For a task that does not load: what is there, at once or later. */
  async #follow(
    task: Task<Value>,
    look: Look<Value, unknown>,
    wait: () => Promise<unknown>,
    port: Port<Value>,
    again: Again<Value>,
  ): Promise<void> {
    try {
      if (look.kind === 'away') {
        // Redis does not answer a client that is closed.
        this.#loading.checkOpen();
        return task.reject(look.error);
      }
      if (look.kind === 'wait') {
        port.countsOf(task.key).waits += 1;
        await wait();
      }
      const value = look.kind === 'value' ? await look.value : undefined;
      if (value !== undefined) return task.resolve({ value, isProven: true });
      await again(task);
    } catch (error) {
      task.reject(error);
    }
  }

  async #load(
    leased: readonly Leased<Value>[],
    port: Port<Value>,
    claimedAt: number,
    again: Again<Value>,
  ): Promise<void> {
    if (leased.length === 0) return;
    const names = leased.map(({ key }) => port.nameOf(key));
    let held = leased;
    try {
      const load = async (context: LoadContext) => {
        held = await this.#held(leased, port, claimedAt);
        for (const { key } of held) port.countsOf(key).loads += 1;
        return held.length === 0 ? new Map() : port.load(held, context);
      };
      const loads = await this.#loading.run(names, load, port.loadTimeoutMs);
      await this.#fill(held, loads, port);
    } catch (error) {
      await this.#fail(held, error, port);
    }
    const lost = new Set(leased.map(({ task }) => task));
    for (const { task } of held) lost.delete(task);
    await Promise.all([...lost].map((task) => again(task).catch((error: unknown) => task.reject(error))));
  }

  /**
   * Those that are still to be loaded now that it is their turn. A lease that might end before its load does
   * is claimed once more: else nothing could be filled, and so nothing be cached, for as long as more is
   * missed than is loaded.
   */
  async #held(
    leased: readonly Leased<Value>[],
    port: Port<Value>,
    claimedAt: number,
  ): Promise<readonly Leased<Value>[]> {
    if (performance.now() - claimedAt < port.leaseMs - port.loadTimeoutMs) return leased;
    const looks = port.renew(leased.filter(isLeased)).values();
    const held = await Promise.all(
      leased.map(async (one) =>
        isLeased(one) ? leasedBy(one.task, (await looks.next().value) as Look<Value, unknown>, port) : one,
      ),
    );
    return held.filter((one) => one !== undefined);
  }

  async #fill(
    leased: readonly Leased<Value>[],
    loads: ReadonlyMap<string, Loaded<Value>>,
    port: Port<Value>,
  ): Promise<void> {
    const loaded = leased.map((one) => ({ ...one, loaded: loads.get(one.key) as Loaded<Value> }));
    const fills = port.fill(loaded.filter(isLeased)).values();
    await Promise.all(
      loaded.map(async (one) => {
        try {
          const fill = isLeased(one) ? await fills.next().value : ({ kind: 'unleased' } as const);
          one.task.resolve({ ...one.loaded, ...(fill && { fill }) });
        } catch (error) {
          await this.#fail([one], error, port);
        }
      }),
    );
  }

  async #fail(leased: readonly Leased<Value>[], error: unknown, port: Port<Value>): Promise<void> {
    for (const { task, key } of leased) {
      port.countsOf(key).loadFailures += 1;
      task.reject(error);
    }
    await port.release(leased.filter(isLeased));
  }
}

/** For how long others may hold the leases that were met: all who wait for dead ones come back together. */
function longestOf(looks: readonly (Look<unknown, unknown> | undefined)[]): number {
  return looks.reduce((ms, look) => (look?.kind === 'wait' ? Math.max(ms, look.waitMs) : ms), 0);
}

/** What the task is to load by what the look at its entry found; undefined: it follows others. */
function leasedBy<Value>(
  task: Task<Value>,
  look: Look<Value, unknown>,
  port: Port<Value>,
): Leased<Value> | undefined {
  const claim = claimOf(task, look, port);
  if (claim === undefined) return undefined;
  if (claim.token === undefined) task.stage = 'closed';
  return { ...claim, task };
}

function isLeased<One extends { readonly token: string | undefined }>(
  one: One,
): one is One & { readonly token: string } {
  return one.token !== undefined;
}
