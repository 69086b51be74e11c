/** Waiting until what was accepted is in the database: woken by the workers' announcements, checked now and then. */
import type { Lane } from '../../buffer/lane.js';
import type { WriteBuffer } from '../../buffer/write-buffer.js';
import type { RedisClient } from '../../connection/redis.js';
import { ForebayError } from '../../errors.js';
import type { Emit } from '../../events.js';
import { persistedChannel } from '../../keys.js';
import type { WriteBehindQueue } from '../../queues/write-behind-queue.js';

/** Announcements can be missed (a connection lost); the lanes are looked at again after this long. */
const recheckMs = 500;

export interface PersistedWatchDependencies {
  readonly subscriber: RedisClient;
  readonly buffer: WriteBuffer;
  readonly queue: WriteBehindQueue;
  readonly prefix: string;
  readonly emit: Emit;
}

interface Waiter {
  readonly version: bigint;
  /** Nothing is to wait for its delay. */
  readonly isHurried: boolean;
  end(isPersisted: boolean): void;
}

/** Those who wait for one lane share its announcements and looks, however many they are. */
interface LaneWait {
  readonly lane: Lane;
  readonly waiters: Set<Waiter>;
  readonly timer: NodeJS.Timeout;
}

export class PersistedWatch {
  readonly #dependencies: PersistedWatchDependencies;
  readonly #channel: string;
  readonly #waits = new Map<string, LaneWait>();
  readonly #listeners = new Set<(lane: string) => void>();
  #subscribed: Promise<unknown> | undefined;
  #isClosed = false;

  constructor(dependencies: PersistedWatchDependencies) {
    this.#dependencies = dependencies;
    this.#channel = persistedChannel(dependencies.prefix);
    dependencies.subscriber.on('message', (channel: string, message: string) => {
      if (channel === this.#channel) this.#announced(message);
    });
  }

  /**
   * Resolves once everything that the lanes have accepted up to now is in the database, or a dead letter. It waits for no delay.
   * @throws ForebayError FLUSH_TIMEOUT, CLOSED
   */
  async settled(lanes: readonly Lane[], timeoutMs: number): Promise<void> {
    const late: string[] = [];
    await Promise.all(
      lanes.map(async (lane) => {
        const version = await this.#dependencies.buffer.hurry(lane);
        if (version === undefined) return;
        if (!(await this.#reached(lane, { version, isHurried: true }, timeoutMs))) late.push(lane.name);
      }),
    );
    if (late.length > 0) throw flushTimeout(late, timeoutMs);
  }

  /**
   * Whether everything that the lane has accepted up to this version is in the database, or a dead letter, in time.
   * @throws ForebayError CLOSED
   */
  persisted(lane: Lane, version: bigint, timeoutMs: number): Promise<boolean> {
    return this.#reached(lane, { version, isHurried: false }, timeoutMs);
  }

  /** Told of each batch that was acknowledged, by its lane. Returns what ends it. */
  async onPersisted(listener: (lane: string) => void): Promise<() => void> {
    await this.#subscribe();
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Whoever waits, waits no longer. */
  close(): void {
    this.#isClosed = true;
    for (const { lane, waiters } of [...this.#waits.values()]) {
      for (const waiter of waiters) waiter.end(false);
      this.#drop(lane);
    }
  }

  async #reached(lane: Lane, target: Omit<Waiter, 'end'>, timeoutMs: number): Promise<boolean> {
    const isPersisted = !this.#isClosed && (await this.#wait(lane, target, timeoutMs));
    if (this.#isClosed && !isPersisted) throw new ForebayError('CLOSED', 'This client is closed.');
    return isPersisted;
  }

  #wait(lane: Lane, target: Omit<Waiter, 'end'>, timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const wait = this.#waitFor(lane);
      const timer = setTimeout(() => {
        wait.waiters.delete(waiter);
        waiter.end(false);
      }, timeoutMs);
      const waiter: Waiter = {
        ...target,
        end(isPersisted) {
          clearTimeout(timer);
          resolve(isPersisted);
        },
      };
      wait.waiters.add(waiter);
      // What was announced before this one waited is found by a look, once the announcements are heard.
      if (wait.waiters.size === 1) void this.#recheck(wait);
      else if (target.isHurried) void this.#hurry(lane);
    });
  }

  #waitFor(lane: Lane): LaneWait {
    let wait = this.#waits.get(lane.name);
    if (!wait) {
      const timer = setInterval(() => void this.#recheck(wait as LaneWait), recheckMs);
      wait = { lane, waiters: new Set(), timer };
      this.#waits.set(lane.name, wait);
    }
    return wait;
  }

  /** While Redis does not answer nobody knows: the next look comes, or the waiter's own time is over. */
  async #recheck(wait: LaneWait): Promise<void> {
    const { lane } = wait;
    if (wait.waiters.size === 0) return this.#drop(lane);
    try {
      await this.#subscribe();
      const { oldest, version } = await this.#dependencies.buffer.inspect(lane);
      this.#settle(lane.name, oldest === undefined ? version : oldest - 1n);
      if ([...wait.waiters].some(({ isHurried }) => isHurried)) await this.#hurry(lane);
    } catch (error) {
      this.#dependencies.emit({ type: 'redis.error', connection: 'reads', error });
    }
  }

  #settle(name: string, watermark: bigint): void {
    const wait = this.#waits.get(name);
    if (!wait) return;
    for (const waiter of wait.waiters) {
      if (waiter.version > watermark) continue;
      wait.waiters.delete(waiter);
      waiter.end(true);
    }
    if (wait.waiters.size === 0) this.#drop(wait.lane);
  }

  #drop({ name }: Lane): void {
    clearInterval(this.#waits.get(name)?.timer);
    this.#waits.delete(name);
  }

  /** Asked for at each look, for a job that is ending may miss it. Without the job, the lane's own comes in its time. */
  async #hurry(lane: Lane): Promise<void> {
    const { queue, emit } = this.#dependencies;
    try {
      await queue.hurry(lane.name);
    } catch (error) {
      emit({ type: 'wake.failed', lane: lane.name, error });
    }
  }

  #subscribe(): Promise<unknown> {
    this.#subscribed ??= this.#dependencies.subscriber.subscribe(this.#channel).catch((error: unknown) => {
      this.#subscribed = undefined;
      throw error;
    });
    return this.#subscribed;
  }

  #announced(message: string): void {
    const [lane, watermark] = message.split(' ') as [string, string];
    this.#settle(lane, BigInt(watermark));
    for (const listener of this.#listeners) listener(lane);
  }
}

function flushTimeout(lanes: readonly string[], timeoutMs: number): ForebayError {
  const named =
    lanes.length > 5 ? `${lanes.slice(0, 5).join(', ')} and ${lanes.length - 5} more` : lanes.join(', ');
  return new ForebayError(
    'FLUSH_TIMEOUT',
    `After ${timeoutMs} ms, lanes ${named} still hold writes that are not in the database. They are kept. Check that the ` +
      'write-behind workers run, and their log for batches that failed.',
    { retryable: true, context: { lanes, timeoutMs } },
  );
}
