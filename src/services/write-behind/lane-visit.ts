/** The flush of a lane that is under way in a worker, which jobs of the lane that come meanwhile join. */
import { pause } from '../../pause.js';

export class LaneVisit {
  readonly #signal: AbortSignal;
  #joined = new AbortController();
  #isOwed: boolean;

  constructor(signal: AbortSignal, isHurry: boolean) {
    this.#signal = signal;
    this.#isOwed = !isHurry;
  }

  /** The worker is to stop. */
  get isStopped(): boolean {
    return this.#signal.aborted;
  }

  /** Somebody has come since the last look at the lane: what that found does not count. */
  get isJoined(): boolean {
    return this.#joined.signal.aborted;
  }

  /** Among those who came is the lane's own job: what is left needs another one. */
  get isOwed(): boolean {
    return this.#isOwed;
  }

  /** To be called before each look at the lane. */
  look(): void {
    if (this.isJoined) this.#joined = new AbortController();
  }

  join(isHurry: boolean): void {
    this.#isOwed ||= !isHurry;
    this.#joined.abort();
  }

  /** Ends early when somebody comes, or the worker is to stop. */
  async pause(ms: number): Promise<void> {
    await pause(ms, AbortSignal.any([this.#signal, this.#joined.signal]));
  }
}
