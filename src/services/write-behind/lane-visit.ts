/** The flush of a lane that is under way in a worker, which jobs of the lane that come meanwhile join. */
import { pause } from '../../pause.js';

/** A job waits no longer than this for records to come of age: it keeps others from a worker meanwhile. */
const waitMaxMs = 500;
/** So many batches in a row show that writes keep coming. */
const streakMin = 2;
/** Then an empty lane is looked at again after this long, so many times: that costs less than a job. */
const stayMs = 10;
const staysMax = 5;

export class LaneVisit {
  readonly #signal: AbortSignal;
  #joined = new AbortController();
  #isOwed: boolean;
  #streak = 0;
  #stays = 0;

  constructor(signal: AbortSignal, isHurry: boolean) {
    this.#signal = signal;
    this.#isOwed = !isHurry;
  }

  /** The worker is to stop. */
  get isStopped(): boolean {
    return this.#signal.aborted;
  }

  /** When the lane needs another job, where its own is among those who came; the others leave that to it. */
  owed(againInMs: number | undefined): number | undefined {
    return this.#isOwed ? againInMs : undefined;
  }

  /** For how long the visit goes on though the lane is empty, in ms. */
  get stayMs(): number {
    return this.#streak >= streakMin && this.#stays < staysMax ? stayMs : 0;
  }

  /** To be called after each look: whether it found a batch. */
  found(isBatch: boolean): void {
    if (isBatch) this.#streak += 1;
    this.#stays = isBatch ? 0 : this.#stays + 1;
  }

  /** To be called before each look at the lane: who came before it is served by it. */
  look(): void {
    if (this.#joined.signal.aborted) this.#joined = new AbortController();
  }

  join(isHurry: boolean): void {
    this.#isOwed ||= !isHurry;
    this.#joined.abort();
  }

  /**
   * When there is nothing to do for so long; undefined: nothing at all. Waits where that is short,
   * and nobody comes meanwhile.
   * @returns whether the visit is over
   */
  async rest(ms: number | undefined): Promise<boolean> {
    const joined = this.#joined.signal;
    if (ms !== undefined && ms <= waitMaxMs) {
      await pause(ms, this.#signal, joined);
      return false;
    }
    return !joined.aborted;
  }
}
