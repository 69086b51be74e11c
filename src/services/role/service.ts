/** The mould of every background role: a list of parts, started in order and stopped in reverse. */
import { inTime } from '../../connection/deadline.js';
import { closedError, ForebayError } from '../../errors.js';
import type { Emit } from '../../events.js';
import { Listeners } from '../../listeners.js';
import type { Looks } from '../../metrics/looks.js';
import { Resources } from '../../resources.js';
import { type Health, Vitals } from '../../vitals/health.js';

/** A background role: started once, stopped once. */
export interface Service {
  /**
   * Resolves when the service is at work. Once: one that has failed or was stopped is not started again.
   * @throws ForebayError ALREADY_STARTED; CLOSED when it is stopped meanwhile, or was before; what its parts
   * throw: none of them stands then
   */
  start(): Promise<void>;
  /**
   * Finishes what is in hand and leaves; resolves within about `deadlineMs` whether or not that succeeded. At
   * any time, any number of times.
   */
  stop(deadlineMs: number): Promise<void>;
  /** Whether it is alive and ready. */
  readonly health?: Health;
  /** What `forebay/metrics` asks it, once it is started. */
  readonly looks?: Looks;
  /** Tells another listener, too, of everything that happens from now on; returns what ends that. */
  listen?(listener: Emit): () => void;
}

/** For what stands when a start fails. */
const failedStartDeadlineMs = 2_000;
/** For a start that is under way when its parts are closed. */
const leaveDeadlineMs = 1_000;

/** The mould of every background role: see `start` and `stop`. */
export abstract class Role implements Service {
  /** @internal */
  protected readonly vitals = new Vitals();
  #looks: Looks = { needs: () => this.vitals.needs() };
  readonly #listeners: Listeners;
  readonly #parts: Resources;
  readonly #stopping = new AbortController();
  #starting: Promise<void> | undefined;

  constructor({ emit }: { readonly emit: Emit }) {
    this.#listeners = new Listeners(emit);
    this.#parts = new Resources(this.emit);
  }

  /** See `Service`. */
  get health(): Health {
    return this.vitals;
  }

  /** See `Service`. */
  listen(listener: Emit): () => void {
    return this.#listeners.add(listener);
  }

  /** See `Service`. */
  get looks(): Looks {
    return this.#looks;
  }

  /**
   * Adds to what it can be asked.
   * @internal
   */
  protected canTell(looks: Looks): void {
    this.#looks = { ...this.#looks, ...looks };
  }

  /**
   * Tells all who listen.
   * @internal
   */
  protected get emit(): Emit {
    return this.#listeners.emit;
  }

  /**
   * Makes and starts the role's parts, in order of need, and registers each with what stops it. `signal`:
   * nothing new is to be begun.
   * @internal
   */
  protected abstract open(parts: Resources, signal: AbortSignal): Promise<void>;

  /** See `Service`. @throws ForebayError ALREADY_STARTED, CLOSED, and what its parts throw */
  start(): Promise<void> {
    const { signal } = this.#stopping;
    if (this.#starting) return Promise.reject(alreadyStarted());
    if (signal.aborted) return Promise.reject(closedError());
    this.#starting = this.#open(signal);
    return this.#starting;
  }

  /** See `Service`; `deadlineMs` in ms. */
  async stop(deadlineMs: number): Promise<void> {
    this.#stopping.abort();
    this.vitals.enter('stopping');
    await this.#parts.close(deadlineMs);
    // A start that is under way ends with the first part that it would add.
    await inTime(this.#started(), leaveDeadlineMs).catch(() => undefined);
    await this.#parts.close(0);
  }

  async #open(signal: AbortSignal): Promise<void> {
    this.vitals.enter('starting');
    try {
      await this.#parts.construct(() => this.open(this.#parts, signal), failedStartDeadlineMs);
      if (!signal.aborted) this.vitals.enter('started');
    } catch (error) {
      if (!signal.aborted) this.vitals.enter('failed');
      // What a part says when its connection is closed is no news.
      throw signal.aborted ? closedError(error) : error;
    }
  }

  async #started(): Promise<void> {
    // Whoever has called it knows of its failure.
    await this.#starting?.catch(() => undefined);
  }
}

function alreadyStarted(): ForebayError {
  return new ForebayError(
    'ALREADY_STARTED',
    'This service was started before. It is started once: for another start, make another service.',
  );
}
