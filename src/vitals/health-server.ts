/**
 * Serves what a process tells of its health: `/live`, `/ready` and `/metrics`. A place that is taken is tried
 * again, for it may be that of the process which this one replaces; nothing else depends on it.
 */
import type { Emit } from '../events.js';
import type { HealthPlace } from '../health-place.js';
import { pause } from '../pause.js';
import type { Health, HealthReport } from './health.js';
import { type Answer, type Listening, listen, type Pages } from './http-server.js';
import { LoopDelayMonitor } from './loop-delay.js';

export interface HealthServerOptions {
  /** Of the role. */
  readonly name: string;
  readonly place: HealthPlace;
  readonly health: Health;
  /** What it answers besides. */
  readonly pages: Pages;
  /** Told when the place is taken. */
  readonly emit: Emit;
}

const retryMs = 1_000;

export class HealthServer {
  readonly #options: HealthServerOptions;
  readonly #loop = new LoopDelayMonitor();
  readonly #stopping = new AbortController();
  #listening: Listening | undefined;
  #trying: Promise<void> | undefined;

  constructor(options: HealthServerOptions) {
    this.#options = options;
  }

  /** Where it answers; undefined while its place is taken. */
  get url(): string | undefined {
    return this.#listening?.url;
  }

  /** Throws nothing: see `emit`. */
  async start(): Promise<void> {
    await this.#tryOnce();
    this.#trying = this.#tryAgain();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#trying;
    this.#loop.stop();
    await this.#listening?.close();
    this.#listening = undefined;
  }

  async #tryAgain(): Promise<void> {
    const { signal } = this.#stopping;
    while (this.#listening === undefined) {
      await pause(retryMs, signal);
      if (signal.aborted) return;
      await this.#tryOnce();
    }
  }

  async #tryOnce(): Promise<void> {
    const { name, place, emit } = this.#options;
    try {
      this.#listening = await listen(placeOf(place, name), this.#pages());
    } catch (error) {
      emit({ type: 'health.not-served', retryMs, error });
    }
  }

  #pages(): Pages {
    const { health, pages } = this.#options;
    return {
      '/live': async () => this.#answer(await health.live()),
      '/ready': async () => this.#answer(await health.ready()),
      ...pages,
    };
  }

  #answer({ ok, checks }: HealthReport): Answer {
    const { pid } = process;
    const uptimeSeconds = Math.round(process.uptime());
    const body = { ok, name: this.#options.name, pid, uptimeSeconds, eventLoop: this.#loop.read(), checks };
    return {
      status: ok ? 200 : 503,
      type: 'application/json; charset=utf-8',
      body: `${JSON.stringify(body, null, 2)}\n`,
    };
  }
}

function placeOf(place: HealthPlace, name: string): HealthPlace {
  if (place.kind === 'port') return place;
  return { ...place, path: place.path.replaceAll('{name}', name).replaceAll('{pid}', String(process.pid)) };
}
