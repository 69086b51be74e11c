/** A worker process: the true flush of a lane, whose every call is a step of the scheduler's. */
import type { Redis } from 'ioredis';
import type { Lane } from '../src/buffer/lane.js';
import { RetryLater } from '../src/services/role/retry.js';
import { BatchSplit } from '../src/services/write-behind/batch-split.js';
import { LaneFlush } from '../src/services/write-behind/lane-flush.js';
import { LedgerWatch } from '../src/services/write-behind/ledger-watch.js';
import { Actor } from './actor.js';
import type { Random } from './random.js';
import { delayMs, prefix, type World } from './world.js';

/** Of a worker that stood still. */
const lateMs = 300;
const ignored = (): undefined => undefined;
/** The database's failures are those of single transactions. */
const breaker = { run: (work: () => Promise<unknown>) => work() } as never;

export class Worker {
  readonly actor: Actor;
  readonly #world: World;
  readonly #random: Random;
  readonly #flush: LaneFlush;
  readonly #watch: LedgerWatch;
  readonly #signal = new AbortController().signal;
  /** The batches in hand, whose marks are renewed. */
  readonly #held = new Map<Lane, string>();
  readonly #jobs: Lane[] = [];
  /** What it does once its connection to Redis is back. */
  #ready: () => void = ignored;
  isReady = false;

  constructor(world: World, name: string, random: Random) {
    this.#world = world;
    this.#random = random;
    this.actor = new Actor(name);
    const { buffer, lanes, postgres } = world;
    const shared = { buffer, database: postgres.database, breaker, prefix, emit: ignored };
    const persisterOf = () => postgres.persister;
    this.#watch = new LedgerWatch({ ...shared, lanes, redis: this.#connection(), signal: this.#signal });
    const split = new BatchSplit({
      ...shared,
      persisterOf,
      deadLetters: { show: async () => undefined } as never,
    });
    this.#flush = new LaneFlush({
      ...shared,
      persisterOf,
      split,
      ledger: this.#watch,
      isPaused: async () => false,
      sizeOf: () => ({
        limits: { recordsMax: random.of([1, 2, 100]), delayMs: random.of([0, delayMs]) },
        restMs: () => random.of([0, 0, delayMs]),
        applied: ignored,
      }),
      marks: {
        hold: (lane, number) => this.#held.set(lane, number),
        release: (lane) => this.#held.delete(lane),
      },
    });
  }

  /** It works on the lane, or has a job of it. */
  isOn(lane: Lane): boolean {
    return this.#jobs.includes(lane);
  }

  start(): Promise<void> {
    return this.actor.start(async () => {
      await this.#watch.start();
      this.isReady = true;
    });
  }

  /** Redis went back, so the connection was lost; its next call may come before it is told. */
  reconnect(atMs: number): Promise<void> {
    return this.actor.start(async () => {
      await this.actor.gate('connected again', atMs);
      this.#ready();
    });
  }

  /** @param again told when the lane needs another job (ms) */
  take(lane: Lane, again: (inMs: number) => void): Promise<void> {
    this.#jobs.push(lane);
    return this.actor.start(async () => {
      const againInMs = await this.#run(lane);
      this.#jobs.splice(this.#jobs.indexOf(lane), 1);
      if (againInMs !== undefined) again(againInMs);
    });
  }

  async #run(lane: Lane): Promise<number | undefined> {
    const options = { signal: this.#signal, isHurry: false, onProgress: async () => undefined };
    try {
      return (await this.#flush.run(lane, options))?.againInMs;
    } catch (error) {
      if (error instanceof RetryLater) return error.retryMs;
      throw error;
    }
  }

  /** Renews the marks of the batches that it has in hand now, so late that its stay on a lane may be over. */
  renew(): Promise<void> {
    return this.actor.start(async () => {
      const held = [...this.#held];
      await this.actor.gate('renewal', this.#world.server.nowMs + this.#random.of([0, lateMs]));
      await Promise.all(held.map(([lane, number]) => this.#world.buffer.renew(lane, number)));
    });
  }

  #connection(): Redis {
    const on = (_event: string, listener: () => void): void => {
      this.#ready = listener;
    };
    return new Proxy(this.#world.client, {
      get: (target, name) => (name === 'on' ? on : Reflect.get(target, name, target)),
    });
  }
}
