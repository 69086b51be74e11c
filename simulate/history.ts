/** One history: a seed decides who takes the next step, and what goes wrong. */
import { Actor } from './actor.js';
import { App } from './app.js';
import {
  expectEntry,
  expectNotDoubled,
  expectPlaces,
  expectReceipts,
  expectTable,
  must,
} from './invariants.js';
import { Random } from './random.js';
import { Table } from './table.js';
import { Worker } from './worker.js';
import { quietMs, type World } from './world.js';

const ids = ['a', 'b'];
const stepsMax = 120;
const drainStepsMax = 600;

export class History {
  readonly #world: World;
  readonly #random: Random;
  readonly #tables = new Map(ids.map((id) => [id, new Table()]));
  readonly #workers: number;
  readonly #canLose: boolean;
  readonly #paused = new Set<Actor>();
  /** When the lane's next jobs are due (ms). */
  #jobs: number[] = [];
  #isWhole = true;
  #number = 0;

  constructor(world: World, seed: number) {
    this.#world = world;
    this.#random = new Random(seed);
    this.#workers = 1 + this.#random.below(3);
    this.#canLose = this.#random.oneIn(3);
  }

  async run(): Promise<void> {
    await this.#world.begin();
    const steps = 20 + this.#random.below(stepsMax);
    for (let i = 0; i < steps; i++) {
      await this.#act();
      await this.#look();
    }
    await this.#drain();
  }

  async #act(): Promise<void> {
    const choice = this.#random.below(20);
    if (choice < 3) return this.#startApp();
    if (choice < 6) {
      // Of a job that stalls, or that the sweep adds, a second worker comes to the same lane.
      if (this.#random.oneIn(3)) this.#jobs.push(this.#nowMs);
      return this.#startWorker();
    }
    if (choice === 6) return this.#pass(this.#random.of([1, 30_000, 600_000, 3_000_000]));
    if (choice === 7) return this.#fault();
    if (choice === 8) return this.#refuse();
    return this.#step();
  }

  async #startApp(): Promise<void> {
    const place = this.#idle(3, 5);
    if (place === undefined) return;
    const { actor, at } = place;
    const app = new App(this.#world, at);
    const token = `t${this.#number++}`;
    const id = this.#random.of(ids);
    await actor.start(async () => {
      if (this.#random.oneIn(4)) return app.read(id, token);
      if (await app.write(this.#tables, this.#random, token)) this.#jobs.push(this.#nowMs);
    });
  }

  async #startWorker(): Promise<void> {
    const due = this.#jobs.findIndex((at) => at <= this.#nowMs);
    const place = this.#idle(0, this.#workers);
    if (place === undefined || due < 0) return;
    this.#jobs.splice(due, 1);
    const worker = new Worker(this.#world, place.at, this.#random);
    await place.actor.start(async () => {
      const { againInMs } = await worker.flush();
      if (againInMs !== undefined) this.#jobs.push(this.#nowMs + againInMs);
    });
  }

  #idle(from: number, to: number) {
    const at = this.#random.of(this.#world.places.slice(from, to));
    if (at.slot.actor.before !== undefined) return undefined;
    const actor = new Actor(`${from === 0 ? 'worker' : 'app'}${this.#number++}`);
    at.slot.actor = actor;
    return { actor, at };
  }

  async #step(): Promise<void> {
    const ready = this.#world.places
      .map(({ slot }) => slot.actor)
      .filter((actor) => actor.before !== undefined && !this.#paused.has(actor));
    if (ready.length === 0) return;
    const actor = this.#random.of(ready);
    this.#world.tell(`${actor.name} ${actor.before}`);
    await this.#pass(this.#random.below(50));
    await actor.step();
    if (actor.error !== undefined) throw actor.error;
  }

  async #fault(): Promise<void> {
    const kind = this.#random.below(4);
    const busy = this.#world.places.filter(({ slot }) => slot.actor.before !== undefined);
    if (kind < 2) {
      if (busy.length === 0) return;
      const { slot } = this.#random.of(busy);
      if (this.#paused.delete(slot.actor)) return;
      this.#world.tell(`${kind === 0 ? 'crash' : 'pause'} of ${slot.actor.name}`);
      if (kind === 0) slot.actor = new Actor('nobody');
      else this.#paused.add(slot.actor);
    } else if (kind === 2) await this.#loseRedis();
    else await this.#evict(this.#random.of(ids));
  }

  async #loseRedis(): Promise<void> {
    if (!this.#canLose) return;
    if (this.#random.oneIn(2)) return this.#world.server.keep();
    this.#world.tell('Redis goes back');
    this.#isWhole = false;
    await this.#world.server.goBack();
  }

  async #evict(id: string): Promise<void> {
    this.#world.tell(`eviction of ${id}`);
    await this.#world.server.redis.del(`${this.#world.lane.keys.entryPrefix}projects:${id}`);
  }

  async #refuse(): Promise<void> {
    const { refused } = this.#world.postgres;
    const id = this.#random.of(ids);
    if (!refused.delete(id)) refused.add(id);
    this.#world.tell(`rows of ${id} are ${refused.has(id) ? 'refused' : 'allowed'}`);
  }

  async #look(): Promise<void> {
    await expectPlaces(this.#world, this.#isWhole);
    for (const [id, table] of this.#tables) {
      if (this.#isWhole) {
        await expectEntry(this.#world, id, table);
        expectNotDoubled(this.#world, id);
      }
      if (this.#random.oneIn(4)) await expectReceipts(this.#world, id, table, this.#isWhole);
    }
  }

  /** Everything comes to rest by the jobs and the sweep alone. */
  async #drain(): Promise<void> {
    this.#paused.clear();
    this.#world.postgres.refused.clear();
    const { lane, looking, places } = this.#world;
    for (let i = 0; i < drainStepsMax; i++) {
      if (places.some(({ slot }) => slot.actor.before !== undefined)) await this.#step();
      else if (this.#jobs.length > 0) {
        await this.#pass(Math.max(0, Math.min(...this.#jobs) - this.#nowMs) * 1_000);
        await this.#startWorker();
      } else if (await this.#isDrained()) return this.#end();
      else {
        await this.#pass((quietMs + 1) * 1_000);
        if (await looking.wake(lane, quietMs, 3_600_000)) this.#jobs.push(this.#nowMs);
      }
      await this.#look();
    }
    const left = Object.entries(await this.#world.server.redis.hgetall(lane.keys.waiting));
    must(false, 'FB-DRAINED', `not at rest after ${drainStepsMax} steps: ${JSON.stringify(left)} wait`);
  }

  async #isDrained(): Promise<boolean> {
    const { lane, looking } = this.#world;
    const { dirty, sealed, waiting } = await looking.inspect(lane);
    return dirty + sealed + waiting === 0;
  }

  async #end(): Promise<void> {
    for (const [id, table] of this.#tables) {
      await expectReceipts(this.#world, id, table, this.#isWhole);
      if (this.#isWhole) expectTable(this.#world, id, table);
    }
    this.#world.tell(
      `${[...this.#world.postgres.state.rows].map(([id, { name, touches }]) => `${id} ${name} ${touches}`)}`,
    );
  }

  get #nowMs(): number {
    return Math.floor(this.#world.server.nowUs / 1_000);
  }

  #pass(us: number): Promise<void> {
    return this.#world.server.passTo(this.#world.server.nowUs + us);
  }
}
