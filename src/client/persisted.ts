/** Waiting until what was accepted is in the database: woken by the workers' announcements, checked now and then. */

import type { Lane } from '../buffer/lane.js';
import type { WriteBuffer } from '../buffer/write-buffer.js';
import type { RedisClient } from '../connection/redis.js';
import { ForebayError } from '../errors.js';
import type { Emit } from '../events.js';
import { persistedChannel } from '../keys.js';
import { pause } from '../pause.js';
import type { WriteBehindQueue } from '../queues.js';

/** Announcements can be missed (a connection lost); the lanes are looked at again after this long. */
const recheckMs = 500;

/** Lanes by name, with the version that must be persisted. */
type Targets = Map<string, { readonly lane: Lane; readonly version: bigint }>;

export interface PersistedWatchDependencies {
  readonly subscriber: RedisClient;
  readonly buffer: WriteBuffer;
  readonly queue: WriteBehindQueue;
  readonly prefix: string;
  readonly emit: Emit;
}

export class PersistedWatch {
  readonly #subscriber: RedisClient;
  readonly #buffer: WriteBuffer;
  readonly #queue: WriteBehindQueue;
  readonly #emit: Emit;
  readonly #channel: string;
  readonly #listeners = new Set<(lane: string, watermark: bigint) => void>();
  #subscribed: Promise<unknown> | undefined;

  constructor(dependencies: PersistedWatchDependencies) {
    this.#subscriber = dependencies.subscriber;
    this.#buffer = dependencies.buffer;
    this.#queue = dependencies.queue;
    this.#emit = dependencies.emit;
    this.#channel = persistedChannel(dependencies.prefix);
    this.#subscriber.on('message', (channel: string, message: string) => {
      if (channel === this.#channel) this.#announce(message);
    });
  }

  /**
   * Resolves once everything that the lanes have accepted up to now is in the database. It waits for no delay.
   * @throws ForebayError FLUSH_TIMEOUT
   */
  async settled(lanes: readonly Lane[], timeoutMs: number): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    const targets: Targets = new Map();
    await Promise.all(
      lanes.map(async (lane) => {
        const version = await this.#buffer.hurry(lane);
        if (version === undefined) return;
        targets.set(lane.name, { lane, version });
      }),
    );
    if (targets.size > 0) await this.#reached(targets, deadline, timeoutMs);
  }

  async #reached(targets: Targets, deadline: number, timeoutMs: number): Promise<void> {
    const allReached = new AbortController();
    const listener = (lane: string, watermark: bigint): void => {
      const target = targets.get(lane);
      if (target === undefined || watermark < target.version) return;
      targets.delete(lane);
      if (targets.size === 0) allReached.abort();
    };
    this.#listeners.add(listener);
    try {
      await this.#subscribe();
      await this.#recheck(targets);
      while (targets.size > 0) {
        const leftMs = deadline - Date.now();
        if (leftMs <= 0) throw flushTimeout([...targets.keys()], timeoutMs);
        await pause(Math.min(recheckMs, leftMs), allReached.signal);
        await this.#recheck(targets);
      }
    } finally {
      this.#listeners.delete(listener);
    }
  }

  async #recheck(targets: Targets): Promise<void> {
    await Promise.all(
      [...targets.values()].map(async ({ lane, version }) => {
        const { oldest } = await this.#buffer.inspect(lane);
        if (oldest === undefined || oldest > version) targets.delete(lane.name);
        else await this.#hurry(lane);
      }),
    );
  }

  /** Asked for at each look, for a job that is ending may miss it. Without the job, the lane's own comes in its time. */
  async #hurry(lane: Lane): Promise<void> {
    try {
      await this.#queue.hurry(lane.name);
    } catch (error) {
      this.#emit({ type: 'wake.failed', lane: lane.name, error });
    }
  }

  #subscribe(): Promise<unknown> {
    this.#subscribed ??= this.#subscriber.subscribe(this.#channel).catch((error: unknown) => {
      this.#subscribed = undefined;
      throw error;
    });
    return this.#subscribed;
  }

  #announce(message: string): void {
    const [lane, watermark] = message.split(' ') as [string, string];
    for (const listener of this.#listeners) listener(lane, BigInt(watermark));
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
