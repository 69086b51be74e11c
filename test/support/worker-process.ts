/** A write-behind worker in a process of its own, that dies or pauses at a moment that a test names. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { EventType, ForebayEvent } from '../../src/events.js';
import { type Fault, faultExitCode } from '../processes/messages.js';
import type { Environment } from './environment.js';
import { forkProgram } from './program.js';

export interface WorkerProcess {
  readonly process: ChildProcess;
  /** All that it has emitted. */
  readonly events: readonly ForebayEvent[];
  /**
   * The first event of this type that the worker emits, also if it was emitted before this call.
   * Rejects when the worker ends by itself instead.
   */
  event<T extends EventType>(type: T): Promise<Extract<ForebayEvent, { type: T }>>;
  exited(): Promise<number | null>;
  resume(): void;
  /** SIGKILL, also of a paused process. */
  kill(): Promise<void>;
}

/**
 * Resolves once the worker has started, or its fault has ended it: there may have been work for it from the start.
 * What is left of it ends with the environment.
 */
export async function startWorkerProcess(
  environment: Pick<Environment, 'atClose'> & { readonly env: NodeJS.ProcessEnv },
  fault?: Fault,
  stores: 'platform' | 'orders' = 'platform',
): Promise<WorkerProcess> {
  const child = forkProgram('test/processes/faulty-worker.ts', {
    env: { ...environment.env, STORES: stores, FAULT: JSON.stringify(fault ?? null) },
  });
  const events: ForebayEvent[] = [];
  const waiting = new Set<() => void>();
  child.on('message', (event: ForebayEvent | 'ready') => {
    if (event !== 'ready') events.push(event);
    for (const look of waiting) look();
  });
  child.once('exit', () => {
    for (const look of waiting) look();
  });
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  environment.atClose(kill);
  await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => {
      if (code !== faultExitCode) throw new Error(`the worker ended with code ${code}`);
    }),
  ]);
  return {
    process: child,
    events,
    event: (type) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = events.find((event) => event.type === type);
          if (found) resolve(found as never);
          else if (child.exitCode !== null && child.exitCode !== faultExitCode) {
            reject(new Error(`the worker ended with code ${child.exitCode} before it told of ${type}`));
          } else return;
          waiting.delete(look);
        };
        waiting.add(look);
        look();
      }),
    exited: async () =>
      (child.exitCode ?? child.signalCode) === null ? (await once(child, 'exit'))[0] : child.exitCode,
    resume: () => process.kill(child.pid as number, 'SIGCONT'),
    kill,
  };
}
