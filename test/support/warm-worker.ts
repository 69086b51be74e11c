/** A warm worker in a process of its own, to be killed. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Environment } from './environment.js';

export interface WarmWorkerReport {
  /** Queries of its Prisma client so far. */
  readonly queries: number;
  readonly heapBytes: number;
}

export interface WarmWorker {
  /** One for each query. */
  readonly reports: readonly WarmWorkerReport[];
  /** Resolves once it has made so many queries. */
  queried(count: number): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
}

const script = fileURLToPath(new URL('./warm-worker-child.ts', import.meta.url));

export async function startWarmWorker(environment: Environment): Promise<WarmWorker> {
  const child = fork(script, [], {
    execArgv: ['--expose-gc', '--import', 'tsx'],
    env: { ...process.env, ...environment.env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const reports: WarmWorkerReport[] = [];
  let look: () => void = () => undefined;
  const ready = new Promise<void>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the worker ended with code ${code}`)));
    child.on('message', (message: WarmWorkerReport | 'ready') => {
      if (message === 'ready') return resolve();
      reports.push(message);
      look();
    });
  });
  await ready;
  return {
    reports,
    queried: (count) =>
      new Promise((resolve) => {
        look = () => {
          if (reports.length >= count) resolve();
        };
        look();
      }),
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}
