/** A place for an app or a worker: its process, started anew whenever it ends, behind proxies of its own. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { VerifyError } from '../errors.js';
import { nowUs } from '../history.js';
import type { FromApp, FromWorker, ToApp } from '../messages.js';
import type { TcpProxy } from './tcp-proxy.js';

export interface SlotOptions {
  readonly name: string;
  readonly kind: 'app' | 'worker';
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly redis: TcpProxy;
  readonly postgres: TcpProxy;
  readonly onMessage: (message: FromApp | FromWorker, slot: ProcessSlot) => void;
}

const againMs = 200;
const answerMaxMs = 180_000;

export class ProcessSlot {
  readonly name: string;
  readonly kind: 'app' | 'worker';
  readonly redis: TcpProxy;
  readonly postgres: TcpProxy;
  /** When its processes ended that were killed, or ended by themselves after they were ready, by name. */
  readonly ends = new Map<string, number>();
  /** Where a fault is under way: one at a time for the process and for each of its proxies. */
  readonly busy = new Set<'process' | 'Redis' | 'Postgres'>();
  /** How often a process ended by itself after it was ready. */
  crashes = 0;
  readonly #options: SlotOptions;
  #child: ChildProcess | undefined;
  #isReady = false;
  #nth = 0;
  #isEnding = false;
  #wasKilled = false;

  constructor(options: SlotOptions) {
    this.#options = options;
    ({ name: this.name, kind: this.kind, redis: this.redis, postgres: this.postgres } = options);
  }

  get processName(): string {
    return `${this.name}.${this.#nth}`;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  start(): void {
    this.#nth += 1;
    this.#isReady = false;
    this.#wasKilled = false;
    const { name, kind, folder, env } = this.#options;
    const log = openSync(path.join(folder, `${name}.log`), 'a');
    const script = new URL(`../../dist/verify/${kind}-child.js`, import.meta.url);
    const child = fork(script, [], {
      env: { ...env, PROCESS_NAME: this.processName },
      execArgv: [],
      stdio: ['ignore', log, log, 'ipc'],
    });
    closeSync(log);
    this.#child = child;
    child.on('message', (message: FromApp | FromWorker) => {
      if (message.kind === 'ready') this.#isReady = true;
      this.#options.onMessage(message, this);
    });
    child.once('exit', () => void this.#onExit());
  }

  /** SIGKILL; it is started again at once. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || !this.#isReady) return;
    this.#wasKilled = true;
    this.#isReady = false;
    this.ends.set(this.processName, nowUs());
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  async pause(ms: number): Promise<void> {
    const child = this.#child;
    child?.kill('SIGSTOP');
    await sleep(ms);
    child?.kill('SIGCONT');
  }

  tell(message: ToApp): void {
    if (this.#child?.connected) this.#child.send(message, () => undefined);
  }

  /** @throws VerifyError CHILD_FAILED when there is no answer in time */
  async ask(message: ToApp, answer: FromApp['kind']): Promise<FromApp> {
    await this.untilReady();
    const child = this.#child as ChildProcess;
    return new Promise((resolve, reject) => {
      const end = (act: () => void): void => {
        clearTimeout(timer);
        child.off('message', onMessage).off('exit', onExit);
        act();
      };
      const fail = (what: string): void =>
        end(() => reject(new VerifyError('CHILD_FAILED', `${this.processName} ${what} to ${message.kind}`)));
      const onMessage = (got: FromApp): void => {
        if (got.kind === answer) end(() => resolve(got));
      };
      const onExit = (): void => fail('ended instead of an answer');
      const timer = setTimeout(() => fail('gave no answer'), answerMaxMs);
      child.on('message', onMessage).on('exit', onExit);
      this.tell(message);
    });
  }

  async untilReady(): Promise<void> {
    const deadline = Date.now() + answerMaxMs;
    while (!this.#isReady) {
      if (Date.now() > deadline) throw new VerifyError('CHILD_FAILED', `${this.name} does not start.`);
      await sleep(20);
    }
  }

  async end(): Promise<void> {
    this.#isEnding = true;
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  async #onExit(): Promise<void> {
    if (this.#isReady && !this.#wasKilled && !this.#isEnding) {
      this.crashes += 1;
      this.ends.set(this.processName, nowUs());
    }
    this.#isReady = false;
    if (this.#isEnding) return;
    if (!this.#wasKilled) await sleep(againMs);
    if (!this.#isEnding) this.start();
  }
}
