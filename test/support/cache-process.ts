/** A process that reads one value through the cache, many callers at once; its loader counts itself in Redis. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Environment } from './environment.js';

export interface Readers {
  /** `row`: from a record store, by the key as its id. */
  readonly kind: 'value' | 'row';
  readonly key: string;
  readonly callers: number;
  readonly loadMs: number;
  /** Of values. */
  readonly loadTimeoutMs?: number;
}

export interface CacheProcess {
  /** Reads, and returns the different values that the callers got. */
  read(readers: Readers): Promise<unknown[]>;
  kill(): Promise<void>;
  stop(): Promise<void>;
}

/** Where the loaders of a key count themselves. */
export function loadsKey(environment: Pick<Environment, 'config'>, key: string): string {
  return `{${environment.config.prefix}:loads}:${key}`;
}

const script = fileURLToPath(new URL('./cache-reader.ts', import.meta.url));

export async function startCacheProcess(environment: Environment): Promise<CacheProcess> {
  const child = fork(script, [], {
    execArgv: ['--import', 'tsx'],
    env: { ...process.env, ...environment.env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  await once(child, 'message');
  return {
    async read(readers) {
      child.send(readers);
      const [values] = (await once(child, 'message')) as [unknown[]];
      return values;
    },
    kill: () => ended(child, 'SIGKILL'),
    stop: () => ended(child, 'SIGTERM'),
  };
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}
