/** Runs histories over the tree that it stands in, which main.ts has made; prints what came of it as JSON. */
import { createHash } from 'node:crypto';
import { Redis } from 'ioredis';
import { History } from './history.js';
import { Violation, World } from './world.js';

export interface Result {
  readonly histories: number;
  readonly digest: string;
  readonly found?: {
    readonly invariant: string;
    readonly message: string;
    readonly trace: readonly string[];
  };
}

async function main([url, seed, histories]: readonly string[]): Promise<Result> {
  const redis = new Redis(String(url));
  const digests = createHash('sha256');
  try {
    const world = new World(redis);
    for (let i = 0; i < Number(histories); i++) {
      try {
        await new History(world, Number(seed) + i).run();
      } catch (error) {
        const invariant = error instanceof Violation ? error.invariant : 'no error';
        const message = error instanceof Error ? String(error.stack) : String(error);
        return {
          histories: i + 1,
          digest: digests.digest('hex'),
          found: { invariant, message, trace: world.trace },
        };
      }
      digests.update(world.digest);
    }
    return { histories: Number(histories), digest: digests.digest('hex') };
  } finally {
    redis.disconnect();
  }
}

process.stdout.write(JSON.stringify(await main(process.argv.slice(2))));
