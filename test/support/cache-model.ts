/**
 * A cached row and the truth beside it: readers with slow loaders, writers and evictions, in random order. It knows how old a read may be,
 * and how many loads may be under way.
 */
import fc from 'fast-check';
import { expect } from 'vitest';
import { type Change, changes, type Participant, type Subject, type Way, ways } from './cache-participant.js';
import type { Environment } from './environment.js';

export interface CacheModelOptions {
  /** Distinguishes the rows of an environment. */
  readonly name: string;
  readonly loadTimeoutMs: number;
  readonly environment: Environment;
  /** May be replaced meanwhile. */
  readonly participants: readonly Participant[];
  /** Whether a read may end with this error. */
  readonly mayFail: (error: unknown) => boolean;
}

interface Load {
  readonly by: number;
  readonly version: number;
  readonly beganAtMs: number;
  /** No other may begin while its lease stands. */
  isAlone: boolean;
  finish(version: number): void;
}

export class CacheModel {
  readonly #options: CacheModelOptions;
  readonly #subject: Subject;
  readonly #startedAtMs = Date.now();
  /** By participant: the version of its last accepted change. */
  readonly #floors: number[];
  readonly #reads: Promise<void>[] = [];
  #loads: Load[] = [];
  #changing: Promise<void> = Promise.resolve();
  #lastVersion = 0;
  /** The version that the database has. */
  #row = 0;
  /** Changes and evictions: each revokes the leases of before it. */
  #revocations = 0;
  /** No load whose lease was revoked is still to begin. */
  #areLeasesKnown = true;
  /** Those whose loads may have begun under leases that are over. */
  readonly #late = new Set<number>();
  #isOver = false;
  /** What must not have happened. */
  readonly violations: string[] = [];

  constructor(options: CacheModelOptions) {
    this.#options = options;
    const { name, loadTimeoutMs } = options;
    this.#subject = { key: `row:value:${name}`, tag: `row-${name}`, loadTimeoutMs };
    this.#floors = options.participants.map(() => 0);
  }

  beginRead(by: number, way: Way): void {
    const participant = this.#participant(by);
    const floor = participant.hasMemory ? (this.#floors[by] as number) : Math.max(...this.#floors);
    const reading = participant
      .read(this.#subject, way, () => this.#beginLoad(by))
      .then(
        (version) => {
          if (version === null || version < floor)
            this.violations.push(`${by} read version ${version} by ${way} after ${floor}`);
        },
        (error: unknown) => {
          if (!this.#options.mayFail(error)) this.violations.push(`${by} failed to read: ${error}`);
        },
      );
    this.#reads.push(reading);
  }

  finishLoad(nth: number): void {
    const [load] = this.#loads.splice(nth % Math.max(1, this.#loads.length), 1);
    load?.finish(load.version);
  }

  /** After the changes before it. */
  beginChange(by: number, change: Change): void {
    this.#changing = this.#changing.then(() => this.#change(by, change));
  }

  changesEnd(): Promise<void> {
    return this.#changing;
  }

  async evict(): Promise<void> {
    this.#revokeLeases();
    await this.#delete(this.#subject.key);
  }

  async evictTag(): Promise<void> {
    await this.#delete(`#${this.#subject.tag}`);
  }

  /** Time in which reads get to their loads, whoever makes them. */
  async reachLoads(): Promise<void> {
    await this.#changing;
    const revocations = this.#revocations;
    const running = this.#options.participants.filter(({ isRunning }) => isRunning);
    await Promise.all(running.map((one) => one.reachLoads()));
    if (revocations === this.#revocations) this.#areLeasesKnown = true;
  }

  /** Its loads are lost. Who takes its place begins with nothing in memory, so it sees all that was accepted. */
  lose(by: number): void {
    this.#loads = this.#loads.filter((load) => load.by !== by);
    this.#late.delete(by);
    this.#floors[by] = Math.max(...this.#floors);
  }

  /** From its pause until its reads from before have got to their loads. */
  setLate(by: number, isLate: boolean): void {
    if (isLate) this.#late.add(by);
    else this.#late.delete(by);
  }

  /** Lets all end. */
  async settle(): Promise<void> {
    this.#isOver = true;
    while (this.#loads.length > 0) this.finishLoad(0);
    await this.#changing;
    await Promise.all(this.#reads);
  }

  async expectTruthEverywhere(): Promise<void> {
    const read = (by: Participant) => by.read(this.#subject, 'cacheAside', async () => this.#row);
    // Somebody who is gone may hold a lease still.
    await Promise.allSettled(this.#options.participants.map(read));
    for (const participant of this.#options.participants) {
      // Only messages to a process's memory may be on their way, and errors of loads stand for a second.
      await expect.poll(() => read(participant), { interval: 1 }).toBe(this.#row);
    }
  }

  #participant(by: number): Participant {
    return this.#options.participants[by] as Participant;
  }

  /** The loader sees the row as it is when it begins. */
  #beginLoad(by: number): Promise<number> {
    if (this.#isOver) return Promise.resolve(this.#row);
    const isAlone = this.#isLeased(by);
    const other = this.#loads.find((load) => load.isAlone && this.#isYoung(load));
    if (isAlone && other) this.violations.push(`${by} loads while ${other.by} does`);
    return new Promise((finish) => {
      this.#loads.push({ by, version: this.#row, beganAtMs: Date.now(), isAlone, finish });
    });
  }

  /** A read loads without a lease when it has waited for twice its time. */
  #isLeased(by: number): boolean {
    const isFirstWait = Date.now() - this.#startedAtMs < 1.5 * (this.#subject.loadTimeoutMs + 1_000);
    return this.#areLeasesKnown && !this.#late.has(by) && isFirstWait;
  }

  /** It ends by its time-out, which is not told. */
  #isYoung({ beganAtMs }: Load): boolean {
    return Date.now() - beganAtMs < this.#subject.loadTimeoutMs / 2;
  }

  async #change(by: number, change: Change): Promise<void> {
    const participant = this.#participant(by);
    if (!participant.isRunning) return;
    const version = ++this.#lastVersion;
    if (change !== 'tag') this.#revokeLeases();
    const commit = async (): Promise<void> => {
      this.#row = version;
    };
    await participant.change(this.#subject, change, version, commit);
    this.#floors[by] = version;
  }

  #revokeLeases(): void {
    this.#revocations += 1;
    this.#areLeasesKnown = false;
    for (const load of this.#loads) load.isAlone = false;
  }

  async #delete(key: string): Promise<void> {
    const { redis, config } = this.#options.environment;
    await redis.del(`${config.prefix}:${key}`);
  }
}

/** Named, so that a run that fails can be read. */
export interface Step {
  readonly name: string;
  take(model: CacheModel): unknown;
}

export const participantsCount = 3;
export const whom = fc.nat(participantsCount - 1);

function step(name: string, take: Step['take']): Step {
  return { name, take };
}

export const steps: fc.WeightedArbitrary<Step>[] = [
  {
    weight: 6,
    arbitrary: fc
      .tuple(whom, fc.constantFrom(...ways))
      .map(([by, way]) => step(`${by} reads by ${way}`, (model) => model.beginRead(by, way))),
  },
  {
    weight: 3,
    arbitrary: fc.nat(5).map((nth) => step(`load ${nth} ends`, (model) => model.finishLoad(nth))),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(whom, fc.constantFrom(...changes))
      .map(([by, change]) => step(`${by} changes by ${change}`, (model) => model.beginChange(by, change))),
  },
  { weight: 3, arbitrary: fc.constant(step('changes end', (model) => model.changesEnd())) },
  { weight: 1, arbitrary: fc.constant(step('eviction', (model) => model.evict())) },
  { weight: 1, arbitrary: fc.constant(step('eviction of the tag', (model) => model.evictTag())) },
  { weight: 4, arbitrary: fc.constant(step('reads reach their loads', (model) => model.reachLoads())) },
];
