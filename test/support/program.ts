/** The project's programs as tests start them: as built, for loading the sources costs a process a second of CPU. */
import { type ChildProcess, type ForkOptions, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

export const projectFolder = path.resolve(import.meta.dirname, '../..');

/** @param source in the project: `workers/write-behind.ts` */
export function builtProgram(source: string): string {
  return path.join(projectFolder, 'dist', source.replace(/\.ts$/, '.js'));
}

/**
 * With a channel for messages, and `env` besides the test's own environment; what it writes to standard output
 * and error is the test's.
 */
export function forkProgram(source: string, options: ForkOptions = {}, args: string[] = []): ChildProcess {
  return fork(builtProgram(source), args, {
    execArgv: [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    ...options,
    env: { ...process.env, ...options.env },
  });
}

/** The next one. @throws when the process ends, or has ended, without another */
export async function nextMessage<Message>(child: ChildProcess): Promise<Message> {
  const noWait = new AbortController();
  const { signal } = noWait;
  try {
    const [message] = await Promise.race([once(child, 'message', { signal }), endedEarly(child, signal)]);
    return message as Message;
  } finally {
    noWait.abort();
  }
}

async function endedEarly(child: ChildProcess, signal: AbortSignal): Promise<never> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit', { signal });
  const how = child.signalCode ?? `code ${child.exitCode}`;
  throw new Error(`${child.spawnargs.slice(1).join(' ')} has ended (${how}) without a message`);
}
