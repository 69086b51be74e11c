/**
 * Waiting until what was accepted is in the database: woken by the workers' announcements, checked now and
 * then. What is announced counts within a generation of the lane; else the lane's past and the ledger are
 * asked (see fate.ts).
 */

import type { AppBuffer } from '../../buffer/app-buffer.js';
import type { Lane } from '../../buffer/lane.js';
import type { AcceptedAt, LaneState, LedgerState } from '../../buffer/lane-state.js';
import type { Subscriber } from '../../connection/redis.js';
import { ForebayError } from '../../errors.js';
import type { Emit } from '../../events.js';
import { notGiven } from '../../given.js';
import { persistedChannel } from '../../keys.js';
import { timerMaxMs } from '../../pause.js';
import type { WakeUps } from '../../queues/wake-ups.js';
import { type Fate, fateOf, isInLedger, reached } from './fate.js';

/** Announcements can be missed (a connection lost); the lanes are looked at again after this long. */
const recheckMs = 500;

export interface PersistedWatchDependencies {
  readonly subscriber: Subscriber;
  readonly buffer: AppBuffer;
  readonly queue: WakeUps;
  /** Reads what the ledger has of a lane. */
  readonly ledgerOf: (lane: Lane) => Promise<LedgerState | undefined>;
  readonly prefix: string;
  readonly emit: Emit;
}

/** What became of a write: `late`: it is not known yet. */
export type Outcome = 'persisted' | 'unless-left-behind' | 'lost' | 'late';

interface Target extends AcceptedAt {
  /** It is to be without the delay, and also what waits for others' rows. */
  readonly isFlush: boolean;
}

interface Waiter extends Target {
  end(outcome: Outcome): void;
}

/** Those who wait for one lane share its announcements and looks, however many they are. */
interface LaneWait {
  readonly lane: Lane;
  readonly waiters: Set<Waiter>;
  readonly timer: NodeJS.Timeout;
  isLookedAt: boolean;
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
   * Resolves once everything that the lanes have accepted up to now is in the database, or a dead letter. It
   * waits for no delay.
   * @throws ForebayError FLUSH_TIMEOUT, WRITE_LOST, CLOSED, INVALID_VALUE
   */
  async settled(lanes: readonly Lane[], givenMs: number): Promise<void> {
    const timeoutMs = checkedTimeoutMs(givenMs);
    const outcomes = await Promise.all(
      lanes.map(async (lane): Promise<Outcome> => {
        const last = await this.#dependencies.buffer.hurry(lane);
        return last === undefined ? 'persisted' : this.#reached(lane, { ...last, isFlush: true }, timeoutMs);
      }),
    );
    const of = (outcome: Outcome) => lanes.filter((_, i) => outcomes[i] === outcome).map(({ name }) => name);
    if (of('lost').length > 0) throw flushLost(of('lost'));
    if (of('late').length > 0) throw flushTimeout(of('late'), timeoutMs);
  }

  /**
   * Whether everything that the lane has accepted up to this write is in the database, or left behind.
   * @throws ForebayError CLOSED
   */
  persisted(lane: Lane, { version, generation }: AcceptedAt, timeoutMs: number): Promise<Outcome> {
    return this.#reached(lane, { version, generation, isFlush: false }, timeoutMs);
  }

  /** What the lane proves of a write now. */
  async fateNow(lane: Lane, { version, generation }: AcceptedAt): Promise<Fate> {
    return fateOf({ version, generation, isFlush: false }, await this.#dependencies.buffer.inspect(lane));
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
    for (const wait of [...this.#waits.values()]) {
      for (const waiter of wait.waiters) waiter.end('late');
      this.#drop(wait);
    }
  }

  async #reached(lane: Lane, target: Target, timeoutMs: number): Promise<Outcome> {
    const outcome = this.#isClosed ? 'late' : await this.#wait(lane, target, timeoutMs);
    if (this.#isClosed && outcome === 'late') throw new ForebayError('CLOSED', 'This client is closed.');
    return outcome;
  }

  #wait(lane: Lane, target: Target, timeoutMs: number): Promise<Outcome> {
    return new Promise((resolve) => {
      const wait = this.#waitFor(lane);
      const timer = setTimeout(() => {
        wait.waiters.delete(waiter);
        waiter.end('late');
      }, timeoutMs);
      const waiter: Waiter = {
        ...target,
        end(outcome) {
          clearTimeout(timer);
          resolve(outcome);
        },
      };
      wait.waiters.add(waiter);
      // What was announced before this one waited is found by a look, once the announcements are heard.
      if (wait.waiters.size === 1) void this.#recheck(wait);
      else if (target.isFlush) void this.#hurry(lane);
    });
  }

  #waitFor(lane: Lane): LaneWait {
    let wait = this.#waits.get(lane.name);
    if (!wait) {
      const timer = setInterval(() => void this.#recheck(wait as LaneWait), recheckMs);
      wait = { lane, waiters: new Set(), timer, isLookedAt: false };
      this.#waits.set(lane.name, wait);
    }
    return wait;
  }

  /** While Redis does not answer nobody knows: the next look comes, or the waiter's own time is over. */
  async #recheck(wait: LaneWait): Promise<void> {
    if (wait.waiters.size === 0) return this.#drop(wait);
    await this.#look(wait);
    if (flushOf(wait) !== undefined) await this.#hurry(wait.lane);
  }

  async #look(wait: LaneWait): Promise<void> {
    wait.isLookedAt = true;
    try {
      await this.#subscribe();
      await this.#judge(wait, await this.#dependencies.buffer.inspect(wait.lane, flushOf(wait)));
    } catch (error) {
      this.#dependencies.emit({ type: 'redis.error', connection: 'reads', error });
    }
    wait.isLookedAt = false;
  }

  async #judge(wait: LaneWait, state: LaneState): Promise<void> {
    const unknown = this.#endWhere(wait, (waiter) => fateOf(waiter, state));
    if (unknown.length === 0) return;
    const { ledgerOf, buffer } = this.#dependencies;
    // The ledger before the lane: what a new generation replaces there was noted here.
    const ledger = await ledgerOf(wait.lane).catch(() => 'away' as const);
    // Then nothing is proven either way, and the next look asks again.
    if (ledger === 'away') return;
    const later = await buffer.inspect(wait.lane, flushOf(wait));
    this.#endWhere(wait, (waiter) => {
      const fate = isInLedger(waiter, ledger) ? 'persisted' : fateOf(waiter, later);
      return fate === 'unknown' && unknown.includes(waiter) ? 'lost' : fate;
    });
  }

  /** Ends those whose fate is decided; returns those of which the lane does not know. */
  #endWhere(wait: LaneWait, fateOf: (waiter: Waiter) => Fate | 'lost'): Waiter[] {
    const unknown: Waiter[] = [];
    for (const waiter of wait.waiters) {
      const fate = fateOf(waiter);
      if (fate === 'unknown') unknown.push(waiter);
      if (fate === 'unknown' || fate === 'pending') continue;
      wait.waiters.delete(waiter);
      waiter.end(fate);
    }
    if (wait.waiters.size === 0) this.#drop(wait);
    return unknown;
  }

  /** A look that ends late may drop its wait again, when others wait for the lane by then. */
  #drop(wait: LaneWait): void {
    clearInterval(wait.timer);
    if (this.#waits.get(wait.lane.name) === wait) this.#waits.delete(wait.lane.name);
  }

  /**
   * Asked for at each look, for a job that is ending may miss it. Without the job, the lane's own comes in
   * its time.
   */
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
    const [lane, watermark, generation, ...left] = message.split(' ') as [string, string, ...string[]];
    const [waiting, dead] = left.map(Number) as [number, number];
    const wait = this.#waits.get(lane);
    if (wait) {
      const upTo = BigInt(watermark);
      this.#endWhere(wait, (waiter) =>
        waiter.generation === generation && waiter.version <= upTo
          ? reached(waiter, { waiting, dead })
          : 'pending',
      );
      // Of what waits an announcement has the number only.
      const flush = flushOf(wait);
      if (flush !== undefined && flush <= upTo && !wait.isLookedAt) void this.#look(wait);
    }
    for (const listener of this.#listeners) listener(lane);
  }
}

/** The version up to which the first of those who flush waits; undefined: nobody does. */
function flushOf({ waiters }: LaneWait): bigint | undefined {
  const versions = [...waiters].flatMap(({ isFlush, version }) => (isFlush ? [version] : []));
  return versions.reduce<bigint | undefined>((least, one) => (least && least < one ? least : one), undefined);
}

function flushLost(lanes: readonly string[]): ForebayError {
  return new ForebayError(
    'WRITE_LOST',
    `Redis has gone back in time: writes that lanes ${lanes.join(', ')} had accepted are lost, and were not in the database before. ` +
      'See redis.regressed, and what Redis lost: its append-only file, a failover.',
    { context: { lanes } },
  );
}

/** As a timer takes it; Infinity is as long as that can be. @throws ForebayError INVALID_VALUE */
export function checkedTimeoutMs(timeoutMs: number): number {
  if (typeof timeoutMs === 'number' && timeoutMs >= 0) return Math.min(timeoutMs, timerMaxMs);
  throw notGiven('timeoutMs', 'a number of ms, 0 or more', timeoutMs);
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
