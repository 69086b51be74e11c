/** A service in a process of its own, to be killed. */
import { once } from 'node:events';
import type { Environment } from './environment.js';
import { forkProgram, nextMessage } from './program.js';

export interface ServiceProcess<Message> {
  readonly pid: number;
  /** What it has told since it was ready. */
  readonly messages: readonly Message[];
  /** Resolves once it has told so much; rejects when it ends by itself before. */
  told(count: number): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
}

/** @param script in `test/processes`; it sends `ready`, and then its messages */
export async function startServiceProcess<Message = never>(
  environment: Environment,
  script: string,
): Promise<ServiceProcess<Message>> {
  const child = forkProgram(`test/processes/${script}`, {
    execArgv: ['--expose-gc'],
    env: environment.env,
  });
  const messages: Message[] = [];
  let look: () => void = () => undefined;
  child.on('message', (message: Message | 'ready') => {
    if (message === 'ready') return;
    messages.push(message);
    look();
  });
  child.once('exit', () => look());
  await nextMessage(child);
  return {
    pid: child.pid as number,
    messages,
    told: (count) =>
      new Promise((resolve, reject) => {
        look = () => {
          if (messages.length >= count) resolve();
          else if (child.exitCode !== null) reject(new Error(`${script} ended with code ${child.exitCode}`));
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
