/** What the pages show, asked of Redis and Postgres; and what they change. */
import type { Queue } from 'bullmq';
import { FlushHistory, type HistoryMinute } from '../buffer/flush-history.js';
import { Pauses } from '../buffer/pauses.js';
import { WriteBuffer } from '../buffer/write-buffer.js';
import { DeadLetters } from '../client/dead-letters.js';
import type { Breaker } from '../connection/breaker.js';
import { type ProcessFacts, readProcesses } from '../connection/processes.js';
import type { RedisClient } from '../connection/redis.js';
import type { Database } from '../database/database.js';
import type { Stores } from '../definitions/stores.js';
import type { Emit } from '../events.js';
import { type HottestOfStore, readHottest } from '../operations/hottest.js';
import {
  type FoundLetters,
  type LetterQuery,
  searchLetters,
  settleLetters,
} from '../operations/letter-search.js';
import { Places } from '../operations/places.js';
import {
  type BacklogStatus,
  type QueueStatus,
  readBacklog,
  readQueue,
  readSchedules,
  type ScheduleStatus,
} from '../operations/status.js';
import { type Whereabouts, whereIs } from '../operations/where.js';
import type { BoardQueues } from './queues.js';

export interface FactsDependencies {
  readonly lanes: RedisClient;
  readonly breaker: Breaker;
  /** That of the queues. */
  readonly connection: RedisClient;
  readonly prefix: string;
  readonly queues: BoardQueues;
  readonly stores: Stores | undefined;
  readonly database: Database | undefined;
  readonly emit: Emit;
}

export interface Overview {
  readonly backlog: readonly BacklogStatus[];
  readonly history: readonly HistoryMinute[];
  readonly queues: readonly (QueueStatus & { readonly isPaused: boolean })[];
  readonly paused: ReadonlySet<string>;
}

/** However many look at the page, Redis is asked once in this time. */
const freshMs = 1_000;
const hottestMax = 20;

export class BoardFacts {
  readonly #dependencies: FactsDependencies;
  readonly #history: FlushHistory;
  readonly #pauses: Pauses;
  #overview: { readonly at: number; readonly answer: Promise<Overview> } | undefined;

  constructor(dependencies: FactsDependencies) {
    const { lanes, prefix } = dependencies;
    this.#dependencies = dependencies;
    this.#history = new FlushHistory(lanes, prefix);
    this.#pauses = new Pauses(lanes, prefix);
  }

  /** Whether the definitions are known. */
  get hasStores(): boolean {
    return this.#dependencies.stores !== undefined;
  }

  overview(): Promise<Overview> {
    const now = performance.now();
    if (this.#overview === undefined || now - this.#overview.at > freshMs)
      this.#overview = { at: now, answer: this.#readOverview() };
    return this.#overview.answer;
  }

  async #readOverview(): Promise<Overview> {
    const { lanes, prefix, queues } = this.#dependencies;
    const places = await this.#places();
    const [backlog, history, ofQueues, paused] = await Promise.all([
      readBacklog(lanes, prefix, places),
      this.#history.read(),
      Promise.all(
        queues.all.map(async (queue) => ({ ...(await readQueue(queue)), isPaused: await queue.isPaused() })),
      ),
      this.#pauses.groups(),
    ]);
    return { backlog, history, queues: ofQueues, paused };
  }

  where(what: string): Promise<Whereabouts> {
    const { lanes: redis, prefix, stores, database } = this.#dependencies;
    return whereIs(what, { redis, prefix, stores, database });
  }

  async letters(query: LetterQuery): Promise<FoundLetters & { readonly stores: readonly string[] }> {
    const places = await this.#places();
    const found = await searchLetters(query, { redis: this.#dependencies.lanes, places });
    return { ...found, stores: storesOf(places) };
  }

  /** Returns how many. */
  async settle(act: 'replay' | 'discard', query: LetterQuery): Promise<number> {
    const { letters } = await this.letters(query);
    return settleLetters(act, letters, await this.#deadLetters());
  }

  async settleOne(
    act: 'replay' | 'discard',
    letter: { lane: string; field: string; at: string },
  ): Promise<number> {
    const { lane, field, at } = letter;
    return settleLetters(act, [{ lane, name: { field, at } }], await this.#deadLetters());
  }

  schedules(): Promise<ScheduleStatus[]> {
    const { queues } = this.#dependencies;
    return readSchedules(queues.named('schedules') as Queue, queues.byName);
  }

  /** False: there is no such schedule. */
  async runSchedule(name: string): Promise<boolean> {
    const job = await this.#dependencies.queues.schedules.standing(name);
    if (job === undefined) return false;
    if (await job.isDelayed()) await job.promote();
    return true;
  }

  processes(): Promise<ProcessFacts[]> {
    return readProcesses(this.#dependencies.connection, this.#dependencies.prefix);
  }

  async hottest(): Promise<HottestOfStore[]> {
    const { lanes, prefix, stores } = this.#dependencies;
    return stores ? readHottest(lanes, prefix, { stores, max: hottestMax }) : [];
  }

  /** False: there is no such store. */
  async pauseStore(name: string, isPaused: boolean): Promise<boolean> {
    if (!(await this.#places()).groups.includes(name)) return false;
    await (isPaused ? this.#pauses.pause(name) : this.#pauses.resume(name));
    this.#overview = undefined;
    return true;
  }

  /** False: there is no such queue. */
  async pauseQueue(name: string, isPaused: boolean): Promise<boolean> {
    const queue = this.#dependencies.queues.named(name);
    if (queue === undefined) return false;
    await (isPaused ? queue.pause() : queue.resume());
    this.#overview = undefined;
    return true;
  }

  #places(): Promise<Places> {
    const { lanes, prefix, stores } = this.#dependencies;
    return Places.read(lanes, prefix, stores);
  }

  async #deadLetters(): Promise<DeadLetters> {
    const { lanes: redis, breaker, prefix, queues, emit } = this.#dependencies;
    const lanes = (await this.#places()).letterLanes();
    const buffer = new WriteBuffer(redis, prefix);
    const { deadLetters: queue, writeBehind: wakeUps } = queues;
    return new DeadLetters({ lanes, buffer, breaker, queue, wakeUps, emit });
  }
}

/** Those that can have letters. */
function storesOf({ stores, groups }: Places): string[] {
  return stores ? [...stores.byName.keys()].sort() : groups;
}
