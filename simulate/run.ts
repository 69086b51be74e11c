/** Runs histories over the tree that it stands in, which main.ts has made; prints what came of it as JSON. */
import { createHash } from 'node:crypto';
import { Redis } from 'ioredis';
import { currentActor } from './actor.js';
import { History } from './history.js';
import { Random } from './random.js';
import { Violation, World, type WorldOptions } from './world.js';

export interface Limits {
  readonly seed: number;
  readonly histories: number;
  /** No history begins after this long. */
  readonly ms: number;
}

export interface Result {
  readonly histories: number;
  readonly digest: string;
  /** Of the last history. */
  readonly trace: readonly string[];
  readonly found?: {
    readonly invariant: string;
    readonly message: string;
  };
}

/** Time and chance are the scheduler's, also where the sources ask for them. */
function rule(world: World, seed: number): void {
  const random = new Random(seed);
  Date.now = () => world.server.nowMs;
  Math.random = () => random.fraction();
  Object.assign(globalThis, {
    simulatedPause: (ms: number, ...signals: AbortSignal[]) =>
      currentActor()?.gate('pause', world.server.nowMs + ms, AbortSignal.any(signals)),
  });
}

async function main(url: string, { seed, histories, ms }: Limits): Promise<Result> {
  const redis = new Redis(url);
  const worlds = new Map<string, World>();
  const worldOf = ({ partitions, hasTenants }: WorldOptions): World => {
    const name = `${partitions} ${hasTenants}`;
    const world = worlds.get(name) ?? new World(redis, { partitions, hasTenants });
    worlds.set(name, world);
    return world;
  };
  const digests = createHash('sha256');
  const startedAt = performance.now();
  try {
    let done = 0;
    let trace: string[] = [];
    for (; done < histories && performance.now() - startedAt < ms; done++) {
      const history = new History(worldOf, seed + done);
      rule(history.world, seed + done);
      const found = await violationIn(history);
      trace = history.world.trace;
      if (found) return { histories: done + 1, digest: digests.digest('hex'), trace, found };
      digests.update(history.world.digest);
    }
    return { histories: done, digest: digests.digest('hex'), trace };
  } finally {
    redis.disconnect();
  }
}

async function violationIn(history: History): Promise<Result['found']> {
  try {
    await history.run();
    return undefined;
  } catch (error) {
    const invariant = error instanceof Violation ? error.invariant : 'no error';
    const message = error instanceof Error ? String(error.stack) : String(error);
    return { invariant, message };
  }
}

const [url, limits] = process.argv.slice(2) as [string, string];
process.stdout.write(JSON.stringify(await main(url, JSON.parse(limits) as Limits)));
