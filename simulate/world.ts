/** What a history takes place in: one lane, true buffers over a true Redis, a model of Postgres. */
import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { Project } from '../examples/platform/generated/models.js';
import { type Lane, Lanes } from '../src/buffer/lane.js';
import { WriteBuffer } from '../src/buffer/write-buffer.js';
import { counter } from '../src/definitions/counter.js';
import { record } from '../src/definitions/record.js';
import { defineStores } from '../src/definitions/stores.js';
import { Actor } from './actor.js';
import { Postgres } from './postgres.js';
import { RedisUnderTest, type Slot } from './redis-under-test.js';

export const prefix = 'simulated';
export const quietMs = 2_000;
const projects = record({
  model: Project,
  counters: ['touches'],
  partitions: 1,
  delayMs: 0,
  parentWaitMs: 3_600_000,
  deadLettersMax: 1_000,
});
const stores = defineStores({ projects, touches: counter({ of: projects, field: 'touches' }) });

export interface Place {
  readonly slot: Slot;
  readonly client: Redis;
  readonly buffer: WriteBuffer;
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
  readonly lanes = new Lanes(stores, prefix);
  readonly lane = this.lanes.all[0] as Lane;
  readonly server: RedisUnderTest;
  /** A buffer whose calls are no steps: what the invariants look with. */
  readonly looking: WriteBuffer;
  readonly places: readonly Place[];
  postgres = new Postgres();
  trace: string[] = [];

  constructor(redis: Redis) {
    this.server = new RedisUnderTest(redis);
    this.looking = new WriteBuffer(redis, prefix);
    this.places = [0, 1, 2, 3, 4].map(() => this.#place());
  }

  async begin(): Promise<void> {
    await this.server.begin();
    this.postgres = new Postgres();
    this.trace = [];
  }

  tell(line: string): void {
    this.trace.push(line);
  }

  /** Of all that was done and answered. */
  get digest(): string {
    return createHash('sha256').update(this.trace.join('\n')).digest('hex');
  }

  #place(): Place {
    const slot = { actor: new Actor('nobody') };
    const client = this.server.client(slot, (actor, call, reply) =>
      this.tell(`${actor} ${call} ${JSON.stringify(reply)}`),
    );
    return { slot, client, buffer: new WriteBuffer(client, prefix) };
  }
}
