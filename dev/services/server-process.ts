/**
 * One server program as a child of this process: started until it answers, stopped until it is gone, restarted in place.
 * Knows nothing of Postgres or Redis: those describe themselves by a plan.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile, rename } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf } from '../reason.js';
import { hasCode } from './data-folder.js';
import { ServicesError } from './errors.js';

const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 30_000;
const POLL_MS = 50;
const LOG_TAIL_LINES = 15;

export interface ServerPlan {
  /** For people: `Postgres`. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The folder that it works in, by which a left-over process is recognised. */
  readonly folder: string;
  readonly logFile: string;
  readonly env?: NodeJS.ProcessEnv;
  /** The user to run as; this process's own by default. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
  readonly stopSignal: NodeJS.Signals;
  /** Makes the folder ready: called before every start. */
  prepare?(): Promise<void>;
  /** Rejects while the server, which is process `pid`, can't be used. */
  probe(pid: number): Promise<void>;
  /** True when a start that ended with this log is worth another try. */
  passes?(log: string): boolean;
}

/** What a caller can do with a running server, whichever it is. */
export interface Server {
  readonly port: number;
  /** With the password. */
  readonly url: string;
  /** Changes with every restart. */
  readonly pid: number;
  /** Ends it in an orderly way; by force after 30 s. Does nothing when it is not running. */
  stop(): Promise<void>;
  /** Ends it as a crash would (SIGKILL). */
  kill(): Promise<void>;
  /** Stops it if it runs, and starts it on the same port with the same data. */
  restart(): Promise<void>;
  /** Calls back, once per start, when it ends without having been asked to. */
  onLost(listener: (reason: string) => void): void;
}

export class ServerProcess {
  readonly #plan: ServerPlan;
  #running: { child: ChildProcess; ended: Promise<string> } | undefined;
  #wanted = false;
  #lost: (reason: string) => void = () => undefined;

  constructor(plan: ServerPlan) {
    this.#plan = plan;
  }

  get pid(): number {
    return this.#running?.child.pid ?? 0;
  }

  onLost(listener: (reason: string) => void): void {
    this.#lost = listener;
  }

  /** @throws ServicesError SERVER_START_FAILED, with the end of the server's log, after 60 s at most */
  async start(): Promise<void> {
    const deadline = Date.now() + START_LIMIT_MS;
    await rename(this.#plan.logFile, `${this.#plan.logFile}.previous`).catch(ignoreMissing);
    for (;;) {
      await this.#plan.prepare?.();
      const failure = await this.#startOnce(deadline);
      if (failure === undefined) return;
      const log = await this.#logTail();
      if (Date.now() > deadline || !this.#plan.passes?.(log)) throw this.#startFailed(failure, log);
      await sleep(4 * POLL_MS);
    }
  }

  async stop(): Promise<void> {
    await this.#end(this.#plan.stopSignal);
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** What went wrong, or undefined. */
  async #startOnce(deadline: number): Promise<string | undefined> {
    const running = this.#spawn();
    let ended: string | undefined;
    void running.ended.then((how) => {
      ended = how;
    });
    let refusal = 'it did not answer';
    while (ended === undefined && Date.now() < deadline) {
      try {
        await this.#plan.probe(running.child.pid ?? 0);
        this.#wanted = true;
        return undefined;
      } catch (error) {
        refusal = reasonOf(error);
      }
      await Promise.race([sleep(POLL_MS), running.ended]);
    }
    if (ended !== undefined) return `it ended (${ended})`;
    await this.kill();
    return `it was not ready within ${START_LIMIT_MS / 1000} s (${refusal})`;
  }

  #spawn(): { child: ChildProcess; ended: Promise<string> } {
    const { command, args, folder, user, env } = this.#plan;
    // A file and not a pipe: the server outlives a killed parent long enough to be stopped in an orderly way.
    const log = openSync(this.#plan.logFile, 'a', 0o600);
    try {
      const stdio: ['ignore', number, number] = ['ignore', log, log];
      const child = spawn(command, args, { cwd: folder, stdio, env: env ?? process.env, ...user });
      const running = { child, ended: endOf(child) };
      this.#running = running;
      void running.ended.then((how) => this.#onEnd(child, how));
      return running;
    } finally {
      closeSync(log);
    }
  }

  #onEnd(child: ChildProcess, how: string): void {
    if (this.#running?.child !== child) return;
    this.#running = undefined;
    if (!this.#wanted) return;
    this.#wanted = false;
    this.#lost(`${this.#plan.name} ended by itself (${how}); its log is ${this.#plan.logFile}`);
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    this.#wanted = false;
    const running = this.#running;
    if (!running) return;
    running.child.kill(signal);
    if (await endsWithin(running.ended, STOP_LIMIT_MS)) return;
    running.child.kill('SIGKILL');
    if (await endsWithin(running.ended, STOP_LIMIT_MS)) return;
    throw new ServicesError(
      'SERVER_WILL_NOT_STOP',
      `${this.#plan.name} (process ${running.child.pid}) does not end, not even when killed.`,
    );
  }

  async #logTail(): Promise<string> {
    const log = await readFile(this.#plan.logFile, 'utf8').catch(reasonOf);
    return log.trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n');
  }

  #startFailed(failure: string, log: string): ServicesError {
    const { name, logFile } = this.#plan;
    const text = `${name} did not start: ${failure}. The end of its log, ${logFile}:\n${log}`;
    return new ServicesError('SERVER_START_FAILED', text);
  }
}

/** Resolves when the child is gone, or could not be started, with how. */
function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
}

async function endsWithin(ended: Promise<string>, limitMs: number): Promise<boolean> {
  const timer = new AbortController();
  const late = sleep(limitMs, false, { signal: timer.signal, ref: true }).catch(() => false);
  const inTime = await Promise.race([ended.then(() => true), late]);
  timer.abort();
  return inTime;
}

function ignoreMissing(error: unknown): void {
  if (!hasCode(error, 'ENOENT')) throw error;
}
