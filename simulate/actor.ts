/**
 * A worker or an app whose every call to Redis or Postgres, and every wait, is a step: it stands before it until the
 * scheduler lets it go on. One that is never let go on has crashed. A worker does several things at once, and so stands
 * before several calls.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';

interface Call {
  readonly name: string;
  /** Of a wait: when it is over (ms). */
  readonly dueMs: number;
  goOn(): void;
}

const storage = new AsyncLocalStorage<Actor>();

/** Whoever makes a call; undefined: it is the simulator that looks. */
export function currentActor(): Actor | undefined {
  return storage.getStore();
}

export class Actor {
  readonly name: string;
  isPaused = false;
  error: unknown;
  #calls: Call[] = [];
  #running: Promise<unknown> | undefined;
  #tasks = 0;
  #isDead = false;

  constructor(name: string) {
    this.name = name;
  }

  /** It has begun something, and not ended it. */
  get isBusy(): boolean {
    return this.#tasks > 0;
  }

  /** When its next call can be made (ms); undefined when it stands before none. */
  get readyAtMs(): number | undefined {
    if (this.#calls.length === 0 || this.#isDead) return undefined;
    return Math.min(...this.#calls.map(({ dueMs }) => dueMs));
  }

  /** The calls that it stands before, of which the scheduler chooses. */
  ready(nowMs: number): Call[] {
    return this.#isDead ? [] : this.#calls.filter(({ dueMs }) => dueMs <= nowMs);
  }

  /** Resolves when the work stands before its first step, or is done. */
  start(work: () => Promise<void>): Promise<void> {
    storage.run(this, () => {
      this.#tasks += 1;
      work()
        .catch((error: unknown) => {
          this.error ??= error;
        })
        .finally(() => {
          this.#tasks -= 1;
        });
    });
    return this.#settled();
  }

  gate(name: string, dueMs = 0, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const call: Call = {
        name,
        dueMs,
        goOn: () => {
          this.#calls = this.#calls.filter((one) => one !== call);
          resolve();
        },
      };
      this.#calls.push(call);
      signal?.addEventListener('abort', () => call.goOn(), { once: true });
    });
  }

  /** Makes the call, and resolves when it stands before others, or is done. */
  step(call: Call): Promise<void> {
    call.goOn();
    return this.#settled();
  }

  /** What is really under way is waited for. */
  track<T>(running: Promise<T>): Promise<T> {
    this.#running = running;
    return running;
  }

  crash(): void {
    this.#isDead = true;
    this.#tasks = 0;
  }

  async #settled(): Promise<void> {
    do {
      const running = this.#running;
      await running?.catch(() => undefined);
      if (this.#running === running) this.#running = undefined;
      await turnOfTheLoop();
    } while (this.#running !== undefined);
  }
}
