/** One history: a seed decides who takes the next step, and what goes wrong. */
import type { Lane } from '../src/buffer/lane.js';
import { Actor } from './actor.js';
import { App } from './app.js';
import { Checks } from './checks.js';
import { must } from './invariants.js';
import { type Act, type Mix, mixOf } from './mix.js';
import { refusedEnd } from './postgres.js';
import { Random } from './random.js';
import { Table } from './table.js';
import { Worker } from './worker.js';
import { aheadMaxMs, quietMs, type World, type WorldOptions } from './world.js';

const appsMax = 4;
const reconnectMaxMs = 1_000;
const drainStepsMax = 2_000;
/** Rows of this id may be refused for good. */
const refusedId = 'c';

/** The others change nothing that the checks look at. */
const changing: ReadonlySet<Act> = new Set(['step', 'evict', 'fault']);

interface Job {
  readonly lane: Lane;
  readonly atMs: number;
}

export class History {
  readonly world: World;
  readonly #random: Random;
  readonly #mix: Mix;
  readonly #tables: ReadonlyMap<string, Table>;
  readonly #checks: Checks;
  readonly #workers: Worker[] = [];
  readonly #apps = new Map<Actor, Lane>();
  #jobs: Job[] = [];
  #number = 0;
  #isDraining = false;

  /** @param worldOf one that has what the history's mix says */
  constructor(worldOf: (options: WorldOptions) => World, seed: number) {
    this.#random = new Random(seed);
    this.#mix = mixOf(this.#random);
    this.world = worldOf(this.#mix);
    this.#tables = new Map(this.#mix.ids.map((id) => [id, new Table(id !== refusedId)]));
    this.#checks = new Checks(this.world, this.#tables, this.#random);
  }

  async run(): Promise<void> {
    await this.world.begin();
    for (let i = 0; i < this.#mix.workers; i++) await this.#startWorker();
    for (let i = 0; i < this.#mix.steps; i++) {
      const act = this.#random.weighted(this.#mix.acts);
      await this.#act(act);
      if (changing.has(act)) await this.#look();
    }
    await this.#drain();
    await this.#checks.atRest();
  }

  #act(act: Act): Promise<void> | void {
    switch (act) {
      case 'write':
        return this.#startApp();
      case 'work':
        return this.#startJob();
      case 'job':
        return this.#addJob(this.#random.of(this.world.lanes.all), 0);
      case 'step':
        return this.#step();
      case 'pass':
        return this.world.server.pass(this.#random.of([1, 30_000, 100_000, 600_000, 3_000_000]));
      case 'renew':
        return this.#random.of(this.#workers)?.renew();
      case 'refuse':
        return this.#refuse();
      case 'evict':
        return this.#evict();
      case 'fault':
        return this.#fault();
      case 'restart':
        return this.#workers.length < this.#mix.workers ? this.#startWorker() : undefined;
    }
  }

  async #startApp(): Promise<void> {
    if (this.#apps.size >= appsMax) return;
    const id = this.#random.of(this.#mix.ids);
    const lane = this.world.laneOf(id);
    const operation = this.#random.weighted(this.#mix.operations);
    const isRefused = id === refusedId && this.#random.oneIn(2);
    const name = `t${this.#number++}${isRefused ? refusedEnd : ''}`;
    const app = new App(this.world, this.#random, () => this.#addJob(lane, 0));
    const actor = new Actor(`app ${operation} ${id}`);
    this.#apps.set(actor, lane);
    await actor.start(() => app.do(operation, { id, table: this.#tables.get(id) as Table, name }));
  }

  async #startWorker(): Promise<void> {
    const worker = new Worker(this.world, `worker ${this.#number++}`, this.#random);
    this.#workers.push(worker);
    await worker.start();
  }

  /** Gives a job that is due to a worker. */
  async #startJob(): Promise<void> {
    const ready = this.#workers.filter(({ isReady }) => isReady);
    const at = this.#jobs.findIndex(({ atMs }) => atMs <= this.world.server.nowMs);
    if (at < 0 || ready.length === 0) return;
    const [{ lane }] = this.#jobs.splice(at, 1) as [Job];
    const worker = this.#random.of(ready);
    this.world.tell(`${worker.actor.name} takes ${lane.name}`);
    await worker.take(lane, (inMs) => this.#addJob(lane, inMs));
  }

  #addJob(lane: Lane, inMs: number): void {
    this.#jobs.push({ lane, atMs: this.world.server.nowMs + inMs });
  }

  get #actors(): Actor[] {
    return [...this.#workers.map(({ actor }) => actor), ...this.#apps.keys()];
  }

  async #step(): Promise<void> {
    const { server } = this.world;
    server.pass(this.#random.below(50));
    const ready = this.#actors.filter((actor) => !actor.isPaused && actor.ready(server.nowMs).length > 0);
    if (ready.length === 0) return;
    const actor = this.#random.of(ready);
    const call = this.#random.of(actor.ready(server.nowMs));
    this.world.tell(`${actor.name}: ${call.name}`);
    if (call.name === 'transaction') this.#disturb();
    await actor.step(call);
    if (actor.error !== undefined) throw actor.error;
    if (!actor.isBusy) this.#apps.delete(actor);
  }

  /** Before a transaction: a parent comes or goes, the server or the connection fails. */
  #disturb(): void {
    if (this.#mix.isFlaky && !this.#isDraining && this.#random.oneIn(2)) this.#refuse();
    if (!this.#mix.canFail || this.#isDraining || !this.#random.oneIn(this.#mix.failsOnceIn)) return;
    const { postgres } = this.world;
    postgres.nextFailure = this.#random.of(['before', 'after']);
    this.world.tell(`which fails ${postgres.nextFailure} its commit`);
  }

  #refuse(): void {
    const { orphans } = this.world.postgres;
    const id = this.#random.of(this.#mix.ids);
    if (!orphans.delete(id)) orphans.add(id);
    this.world.tell(`rows of ${id} are ${orphans.has(id) ? 'refused' : 'allowed'}`);
  }

  async #evict(): Promise<void> {
    const id = this.#random.of(this.#mix.ids);
    const { keys } = this.world.laneOf(id);
    const field = `${this.#random.of(['projects', 'touches'])}:${id}`;
    this.world.tell(`eviction of ${field}`);
    await this.world.server.redis.del(keys.entryPrefix + field);
  }

  #fault(): Promise<void> | void {
    const { canCrash, canLose, hasClockSteps } = this.#mix;
    const faults = {
      pause: 2,
      crash: canCrash ? 2 : 0,
      sweep: canCrash ? 1 : 0,
      lose: canLose ? 6 : 0,
      clock: hasClockSteps ? 2 : 0,
    };
    switch (this.#random.weighted(faults)) {
      case 'pause':
        return this.#pause();
      case 'crash':
        return this.#crash();
      case 'sweep':
        return this.#sweep();
      case 'lose':
        return this.#loseRedis();
      case 'clock':
        this.world.tell('the clock of Redis steps');
        return this.world.server.stepClock(this.#random.of([-45_000_000, 45_000_000]));
    }
  }

  #pause(): void {
    const actors = this.#actors;
    if (actors.length === 0) return;
    const actor = this.#random.of(actors);
    actor.isPaused = !actor.isPaused;
    this.world.tell(`${actor.name} ${actor.isPaused ? 'pauses' : 'goes on'}`);
  }

  #crash(): void {
    const actors = this.#actors;
    if (actors.length === 0) return;
    const actor = this.#random.of(actors);
    this.world.tell(`${actor.name} crashes`);
    this.#checks.mayBeQuiet = true;
    actor.crash();
    this.#apps.delete(actor);
    const at = this.#workers.findIndex((worker) => worker.actor === actor);
    if (at >= 0) this.#workers.splice(at, 1);
  }

  async #loseRedis(): Promise<void> {
    if (this.#random.oneIn(2)) return this.world.server.keep();
    this.world.tell('Redis goes back');
    this.world.isWhole = false;
    this.#checks.wentBack();
    await this.world.server.goBack();
    const { nowMs } = this.world.server;
    for (const worker of this.#workers) await worker.reconnect(nowMs + this.#random.below(reconnectMaxMs));
  }

  async #sweep(): Promise<void> {
    const actor = new Actor('sweep');
    const lane = this.#random.of(this.world.lanes.all);
    this.#apps.set(actor, lane);
    await actor.start(async () => {
      if (await this.world.buffer.wake(lane, quietMs, aheadMaxMs)) this.#addJob(lane, 0);
    });
  }

  #look(): Promise<void> {
    const isOn = (lane: Lane): boolean =>
      this.#jobs.some((job) => job.lane === lane) ||
      this.#workers.some((worker) => worker.isOn(lane)) ||
      [...this.#apps.values()].includes(lane);
    return this.#checks.look(isOn);
  }

  /** Everything comes to rest: by the jobs alone where nobody has crashed, else by the sweep too. */
  async #drain(): Promise<void> {
    await this.#heal();
    for (let i = 0; i < drainStepsMax; i++) {
      await this.#look();
      if (await this.#goOn()) continue;
      if (await this.#checks.isDrained()) return;
      await this.#sweepAll();
    }
    must(false, 'FB-DRAINED', `not at rest after ${drainStepsMax} steps`);
  }

  async #heal(): Promise<void> {
    for (const actor of this.#actors) actor.isPaused = false;
    this.world.postgres.orphans.clear();
    this.#isDraining = true;
    while (this.#workers.length < this.#mix.workers) await this.#startWorker();
  }

  /** The next step, or the next job, whenever that is due. False: there is none. */
  async #goOn(): Promise<boolean> {
    const { server } = this.world;
    const readyAt = this.#actors.flatMap(({ readyAtMs }) => readyAtMs ?? []);
    const next = Math.min(...readyAt, ...this.#jobs.map(({ atMs }) => atMs));
    if (next === Number.POSITIVE_INFINITY) return false;
    server.pass(Math.max(0, next - server.nowMs) * 1_000);
    if (readyAt.some((at) => at <= server.nowMs)) await this.#step();
    else await this.#startJob();
    return true;
  }

  async #sweepAll(): Promise<void> {
    const { server, lanes, buffer } = this.world;
    server.pass((quietMs + 1) * 1_000);
    for (const lane of lanes.all) if (await buffer.wake(lane, quietMs, aheadMaxMs)) this.#addJob(lane, 0);
  }
}
