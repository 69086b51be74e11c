/** A process of a bench: runs built code as in production, is asked to do things one after the other, stopped at the end. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { basename } from 'node:path';
import { BenchError } from './errors.js';

/** What a child can be asked: functions by name. Arguments and results travel as JSON. */
export type Handlers = object;

type Handler = (...args: never[]) => Promise<unknown>;
type Arguments<H> = H extends Handler ? Parameters<H> : never;
type Result<H> = H extends Handler ? Awaited<ReturnType<H>> : never;

export interface Child<H extends Handlers> {
  /** @throws BenchError CHILD_FAILED; or the signal's reason */
  ask<Name extends keyof H & string>(name: Name, ...args: Arguments<H[Name]>): Promise<Result<H[Name]>>;
  /** Lets it finish, and kills it when that takes too long. */
  stop(): Promise<void>;
}

export interface ChildOptions<Report> {
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  /** Told of what the child reports on its own. */
  readonly onReport?: (report: Report) => void;
}

export type ChildMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'answer'; readonly result: unknown }
  | { readonly kind: 'failure'; readonly reason: string }
  | { readonly kind: 'report'; readonly report: unknown };

const startMaxMs = 60_000;
const askMaxMs = 600_000;
const stopMaxMs = 15_000;

/**
 * Returns when the child serves.
 * @param script path of its TypeScript file in this folder; what runs is what the build made of it
 * @throws BenchError CHILD_FAILED; or the signal's reason
 */
export async function startChild<H extends Handlers, Report = never>(
  script: string,
  { env, signal, onReport }: ChildOptions<Report>,
): Promise<Child<H>> {
  // What a child prints goes to standard error: standard output is for the result.
  const name = basename(script, '.ts');
  const built = new URL(`../dist/bench/${script.replace(/\.ts$/, '.js')}`, import.meta.url);
  const child = fork(built, [], { env, execArgv: [], stdio: ['ignore', 2, 2, 'ipc'] });
  child.on('message', (message: ChildMessage) => {
    if (message.kind === 'report') onReport?.(message.report as Report);
  });
  try {
    await answerOf(child, name, signal, startMaxMs);
  } catch (error) {
    await stop(child);
    throw error;
  }
  return {
    async ask(handler, ...args) {
      const answer = answerOf(child, name, signal, askMaxMs);
      child.send({ handler, args });
      return (await answer) as Result<H[typeof handler]>;
    },
    stop: () => stop(child),
  };
}

/** Serves as long as `use` takes. @throws as `startChild`; what `use` throws */
export async function withChild<H extends Handlers, Result>(
  script: string,
  options: ChildOptions<never>,
  use: (child: Child<H>) => Promise<Result>,
): Promise<Result> {
  const child = await startChild<H>(script, options);
  try {
    return await use(child);
  } finally {
    await child.stop();
  }
}

/** A listener that stays, rather than `once` in a loop: messages that arrive together would overtake it. */
function answerOf(child: ChildProcess, name: string, signal: AbortSignal, maxMs: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      child.off('message', onMessage).off('exit', onExit);
      act();
    };
    const fail = (reason: string): void => settle(() => reject(failed(`${name} ${reason}`)));
    const onMessage = (message: ChildMessage): void => {
      if (message.kind === 'answer') settle(() => resolve(message.result));
      if (message.kind === 'ready') settle(() => resolve(undefined));
      if (message.kind === 'failure') fail(`could not do it: ${message.reason}`);
    };
    const onExit = (code: number | null, by: string | null): void =>
      fail(`ended with ${code ?? by}; its last words are above`);
    const onAbort = (): void => settle(() => reject(signal.reason));
    const timer = setTimeout(() => fail(`did not answer within ${maxMs / 1_000} s`), maxMs);
    child.on('message', onMessage).on('exit', onExit);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  const timer = setTimeout(() => child.kill('SIGKILL'), stopMaxMs);
  if (child.connected) child.disconnect();
  await exited;
  clearTimeout(timer);
}

function failed(reason: string): BenchError {
  return new BenchError('CHILD_FAILED', `A process of the bench failed: ${reason}.`);
}
