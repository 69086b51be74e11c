/** Tells of a worker that takes no jobs, though some wait and it has room for them. */
import type { Duty } from '../../vitals/health.js';
import { secondsOf } from '../../vitals/health.js';

export interface JobsDutyDependencies {
  readonly queue: string;
  /** Jobs that it does at once. */
  readonly concurrency: number;
  /** Jobs that it has now, and those that it has taken so far. */
  readonly desk: { readonly inHand: number; readonly taken: number };
  /** Jobs that wait for a worker; none while the queue is paused. */
  readonly waiting: () => Promise<number>;
  /** In ms. */
  readonly now?: () => number;
}

/** Longer than any worker needs for a connection that was lost. */
const idleMaxMs = 30_000;

export class JobsDuty implements Duty {
  readonly name: string;
  readonly #dependencies: JobsDutyDependencies;
  /** Since when looks have found jobs, and none was taken. */
  #idle: { readonly since: number; readonly taken: number } | undefined;

  constructor(dependencies: JobsDutyDependencies) {
    this.name = `jobs of ${dependencies.queue}`;
    this.#dependencies = dependencies;
  }

  /** How many jobs wait. */
  async look(): Promise<{ readonly queue: string; readonly waiting: number }> {
    const { queue, waiting } = this.#dependencies;
    return { queue, waiting: await waiting() };
  }

  async problem(): Promise<string | undefined> {
    const { desk, concurrency, waiting, now = () => performance.now() } = this.#dependencies;
    const count = desk.inHand < concurrency ? await waiting() : 0;
    const { taken } = desk;
    if (count === 0) this.#idle = undefined;
    else if (this.#idle?.taken !== taken) this.#idle = { since: now(), taken };
    const idleMs = this.#idle === undefined ? 0 : now() - this.#idle.since;
    if (idleMs <= idleMaxMs) return undefined;
    return `${count} jobs wait, and none was taken for ${secondsOf(idleMs)} s`;
  }
}
