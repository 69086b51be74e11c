/**
 * A Postgres and a Redis for whatever needs them: demo, tests, benchmarks, a shell. Given ones are used; what is not given runs on
 * this machine, shared by all commands of the project, for as long as one of them uses it.
 */

import type { Need } from './channel.js';
import { openDataFolder } from './data-folder.js';
import { givenPostgres, givenRedis } from './given-services.js';
import { type Held, holdServices } from './shared-services.js';

export interface Services {
  /** With the password. */
  readonly databaseUrl: string;
  /** With the password. */
  readonly redisUrl: string;
  /** Says what is in use, for people, without passwords. */
  readonly description: string;
  /** Resolves with the reason when services of our own are lost before `release`. */
  readonly lost: Promise<string>;
  /** The services of our own stop a moment after the last command has released them, or has ended in any other way. */
  release(): Promise<void>;
}

export interface AcquireOptions {
  /** Where services of our own keep data, logs and passwords. Default: `FOREBAY_DATA_FOLDER`, else `.data` in the project. */
  readonly dataFolder?: string;
  /** Where `DATABASE_URL`, `REDIS_URL`, `REDIS_HOST`, `REDIS_PORT`, `REDIS_PASSWORD`, `REDIS_DB` are read. Default: `process.env`. */
  readonly env?: NodeJS.ProcessEnv;
  /** Hears what takes time, for people, without passwords. Default: nobody. */
  readonly say?: (line: string) => void;
}

/**
 * Returns when both answer. Holding the services does not keep this process running.
 * @throws ServicesError
 */
export async function acquireServices(options: AcquireOptions = {}): Promise<Services> {
  const env = options.env ?? process.env;
  const [postgres, redis] = await Promise.all([givenPostgres(env), givenRedis(env)]);
  const needs = [...(postgres ? [] : ['postgres' as const]), ...(redis ? [] : ['redis' as const])];
  const held = await hold(needs, options, env);
  const databaseUrl = postgres?.url ?? held?.urls.postgres ?? '';
  const redisUrl = redis?.url ?? held?.urls.redis ?? '';
  return {
    databaseUrl,
    redisUrl,
    description: `Postgres at ${postgres?.place ?? ownPlace(databaseUrl)}, Redis at ${redis?.place ?? ownPlace(redisUrl)}`,
    lost: held?.lost ?? new Promise(() => undefined),
    release: async () => held?.release(),
  };
}

async function hold(
  needs: readonly Need[],
  options: AcquireOptions,
  env: NodeJS.ProcessEnv,
): Promise<Held | undefined> {
  if (needs.length === 0) return undefined;
  const folder = await openDataFolder(options.dataFolder, env);
  return holdServices(folder, needs, options.say ?? (() => undefined));
}

function ownPlace(url: string): string {
  return `${new URL(url).host} (own)`;
}
