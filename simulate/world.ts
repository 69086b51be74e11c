/** What a history takes place in: lanes, a true buffer over a true Redis, a model of Postgres. */
import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { Project } from '../examples/platform/generated/models.js';
import { type Lane, Lanes } from '../src/buffer/lane.js';
import { WriteBuffer } from '../src/buffer/write-buffer.js';
import { counter } from '../src/definitions/counter.js';
import { record } from '../src/definitions/record.js';
import { type CounterStore, defineStores } from '../src/definitions/stores.js';
import { ledgerLane } from '../src/keys.js';
import { type Ledger, Postgres } from './postgres.js';
import { type Answered, RedisUnderTest } from './redis-under-test.js';

export const prefix = 'simulated';
/** As the sweep's own. */
export const quietMs = 2_000;
export const aheadMaxMs = 12_000;
export const delayMs = 40;

/** Where there are tenants, an id is one, and nearly every place of one's counts as the last of its share. */
const tenants = { tenant: (id: string) => id, batchRecordsMax: 3 };

function storesOf({ partitions, hasTenants }: WorldOptions) {
  const projects = record({
    model: Project,
    counters: ['touches'],
    partitions,
    delayMs,
    parentWaitMs: 3_600_000,
    deadLettersMax: 1_000,
    ...(hasTenants ? tenants : {}),
  });
  return defineStores({ projects, touches: counter({ of: projects, field: 'touches' }) });
}

export interface WorldOptions {
  readonly partitions: number;
  readonly hasTenants: boolean;
}

/** What the simulator did and saw is not what the protocol promises. */
export class Violation extends Error {
  override readonly name = 'Violation';
  readonly invariant: string;

  constructor(invariant: string, detail: string) {
    super(`${invariant}: ${detail}`);
    this.invariant = invariant;
  }
}

export class World {
  readonly lanes: Lanes;
  readonly server: RedisUnderTest;
  /** Of actors each call is a step; the simulator's own looks are none. */
  readonly client: Redis;
  readonly buffer: WriteBuffer;
  readonly counterStore: CounterStore;
  postgres = new Postgres();
  trace: string[] = [];
  /** Redis has lost nothing. */
  isWhole = true;
  /** Answered since the invariants looked. */
  answered: Answered[] = [];

  constructor(redis: Redis, options: WorldOptions) {
    const stores = storesOf(options);
    this.lanes = new Lanes(stores, prefix);
    this.counterStore = this.lanes.all[0]?.group.counters[0] as CounterStore;
    this.server = new RedisUnderTest(redis);
    this.client = this.server.client((answered) => this.#heard(answered));
    this.buffer = new WriteBuffer(this.client, prefix);
  }

  async begin(): Promise<void> {
    this.postgres = new Postgres();
    this.trace = [];
    this.answered = [];
    this.isWhole = true;
    await this.server.begin();
  }

  laneOf(id: string): Lane {
    return this.lanes.of((this.lanes.all[0] as Lane).group, id);
  }

  ledgerOf(lane: Lane): Ledger | undefined {
    return this.postgres.state.ledgers.get(ledgerLane(prefix, lane.name));
  }

  voidsOf(lane: Lane): Set<bigint> {
    const own = `${ledgerLane(prefix, lane.name)} `;
    const voids = [...this.postgres.state.voids].filter((one) => one.startsWith(own));
    return new Set(voids.map((one) => BigInt(one.slice(own.length))));
  }

  tell(line: string): void {
    this.trace.push(line);
  }

  /** Of all that was done and answered. */
  get digest(): string {
    return createHash('sha256').update(this.trace.join('\n')).digest('hex');
  }

  #heard(answered: Answered): void {
    this.answered.push(answered);
    this.tell(`${answered.actor} ${answered.call} ${JSON.stringify(answered.reply)}`);
  }
}
