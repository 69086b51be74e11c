/** A participant in a process of its own, that can be paused and killed, and whose clock may be wrong. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { FromProcess, ParticipantOptions, Request, ToProcess } from '../processes/messages.js';
import type { Change, Participant, Subject, Way } from './cache-participant.js';
import type { Environment } from './environment.js';
import { forkProgram, nextMessage } from './program.js';

/** What the process's calls have failed with; `GONE` when it was killed, `ENDED` when it ended by itself. */
export class ParticipantError extends Error {
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

interface Asked {
  readonly database: () => Promise<number>;
  readonly resolve: (value: number | null) => void;
  readonly reject: (error: ParticipantError) => void;
}

export class ParticipantProcess implements Participant {
  readonly hasMemory: boolean;
  readonly #child: ChildProcess;
  /** Kept, for a read that is over may load in the background. */
  readonly #requests: Asked[] = [];
  #isPaused = false;
  #end: 'GONE' | 'ENDED' | undefined;

  static async start(environment: Environment, options: ParticipantOptions): Promise<ParticipantProcess> {
    const child = forkProgram('test/processes/cache-participant.ts', {
      env: { ...environment.env, PARTICIPANT: JSON.stringify(options) },
    });
    await nextMessage(child);
    return new ParticipantProcess(child, options);
  }

  private constructor(child: ChildProcess, { hasMemory }: ParticipantOptions) {
    this.hasMemory = hasMemory;
    this.#child = child;
    child.on('message', (message: FromProcess) => this.#receive(message));
    child.once('exit', () => this.#giveUp('ENDED'));
  }

  get isRunning(): boolean {
    return !this.#isPaused && this.#end !== 'GONE';
  }

  read(subject: Subject, way: Way, load: () => Promise<number>): Promise<number | null> {
    return this.#request({ kind: 'read', subject, way }, load);
  }

  async change(subject: Subject, change: Change, version: number, commit: () => Promise<unknown>) {
    await this.#request({ kind: 'change', subject, change, version }, async () => {
      await commit();
      return version;
    });
  }

  async reachLoads(): Promise<void> {
    await this.#request({ kind: 'reachLoads' }, async () => 0);
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  pause(): void {
    this.#isPaused = true;
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#isPaused = false;
    this.#child.kill('SIGCONT');
  }

  /** With all that it has under way. */
  async kill(): Promise<void> {
    if (this.#end) return;
    this.#giveUp('GONE');
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }

  #giveUp(end: 'GONE' | 'ENDED'): void {
    this.#end ??= end;
    for (const { reject } of this.#requests) reject(new ParticipantError(this.#end));
  }

  #request(request: Request, database: () => Promise<number>): Promise<number | null> {
    if (this.#end) return Promise.reject(new ParticipantError(this.#end));
    return new Promise((resolve, reject) => {
      const id = this.#requests.push({ database, resolve, reject }) - 1;
      this.#send({ kind: 'request', id, request });
    });
  }

  #receive(message: FromProcess): void {
    if (message.kind === 'ready' || this.#end) return;
    const { database, resolve, reject } = this.#requests[message.id] as Asked;
    if (message.kind === 'question') void this.#answer(message.question, database);
    else if (message.kind === 'done') resolve(message.value);
    else reject(new ParticipantError(message.code));
  }

  async #answer(question: number, database: () => Promise<number>): Promise<void> {
    const value = await database();
    if (!this.#end) this.#send({ kind: 'answer', question, value });
  }

  #send(message: ToProcess): void {
    this.#child.send(message);
  }
}
