/** A process that `forebay dev` runs: its output on the terminal, its start, and its end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { ForebayError } from '../../errors.js';
import type { Lines } from './output.js';

export interface DevProgram {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether it sends `ready` once it is at work. */
  readonly saysReady: boolean;
  /** In a group of its own: Ctrl-C reaches it only by us, after those who need it. */
  readonly isService: boolean;
}

/** Workers finish the batch in hand within 8.5 s. */
const endDeadlineMs = 12_000;

export class DevProcess {
  readonly name: string;
  readonly isService: boolean;
  readonly #child: ChildProcess;
  readonly #exit: Promise<string>;
  readonly #ready: Promise<unknown>;

  constructor({ name, command, args, env, saysReady, isService }: DevProgram, lines: Lines) {
    this.name = name;
    this.isService = isService;
    this.#child = spawn(command, args, {
      env,
      detached: isService,
      stdio: ['ignore', 'pipe', 'pipe', saysReady ? 'ipc' : 'ignore'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) if (stream) lines.follow(name, stream);
    this.#exit = ended(this.#child);
    this.#ready = saysReady ? once(this.#child, 'message') : Promise.resolve();
  }

  /** How it ended, in words. */
  get exit(): Promise<string> {
    return this.#exit;
  }

  /** Once it is at work. @throws ForebayError INVALID_CONFIG when it ends before */
  async ready(): Promise<void> {
    const end = await Promise.race([this.#ready.then(() => undefined), this.#exit]);
    if (end !== undefined)
      throw new ForebayError('INVALID_CONFIG', `${this.name} ${end}; its lines above say why.`);
  }

  /** Politely, and after a while not. */
  async end(): Promise<void> {
    const isThere = (): boolean => this.#child.exitCode === null && this.#child.signalCode === null;
    if (!isThere()) return;
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), endDeadlineMs);
    await this.#exit;
    clearTimeout(timer);
  }
}

async function ended(child: ChildProcess): Promise<string> {
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
    return signal === null ? `ended with code ${code}` : `was ended by ${signal}`;
  } catch (error) {
    return `could not be started: ${String(error)}`;
  }
}
