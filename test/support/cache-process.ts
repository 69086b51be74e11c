/** A process that reads one value through the cache, many callers at once; its loader counts itself in Redis. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Readers } from '../processes/messages.js';
import type { Environment } from './environment.js';
import { forkProgram, nextMessage } from './program.js';

export interface CacheProcess {
  /** Reads, and returns the different values that the callers got. */
  read(readers: Readers): Promise<unknown[]>;
  kill(): Promise<void>;
  stop(): Promise<void>;
}

export async function startCacheProcess(environment: Environment): Promise<CacheProcess> {
  const child = forkProgram('test/processes/cache-reader.ts', {
    env: environment.env,
  });
  await nextMessage(child);
  return {
    read(readers) {
      child.send(readers);
      return nextMessage(child);
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
