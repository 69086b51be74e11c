/** Counts the jobs that the workers of job per write have done, by what each of them reports. */
import { BenchError } from '../errors.js';
import type { JobWorkerReport } from './job-worker.js';

/** The longest that a run may take. */
const runMaxMs = 600_000;

export class DoneJobs {
  readonly #latest = new Map<number, JobWorkerReport>();
  #look: () => void = () => undefined;

  reset(): void {
    this.#latest.clear();
  }

  tell(report: JobWorkerReport): void {
    this.#latest.set(report.worker, report);
    this.#look();
  }

  /**
   * Resolves with the time at which the last of so many rows was in the database.
   * @throws BenchError JOBS_FAILED; or the signal's reason
   */
  reached(rows: number, signal: AbortSignal): Promise<number> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        this.#look = () => undefined;
        act();
      };
      const onAbort = (): void => settle(() => reject(signal.reason));
      const onLate = (): void => {
        const reason = `only ${this.#done} of ${rows} were done after ${runMaxMs / 1_000} s`;
        settle(() => reject(jobsFailed(reason)));
      };
      const timer = setTimeout(onLate, runMaxMs);
      signal.addEventListener('abort', onAbort, { once: true });
      this.#look = () => {
        const failure = this.#failure;
        if (failure !== undefined) settle(() => reject(jobsFailed(failure)));
        else if (this.#done >= rows) settle(() => resolve(this.#lastAt));
      };
      this.#look();
    });
  }

  get #done(): number {
    return [...this.#latest.values()].reduce((sum, { done }) => sum + done, 0);
  }

  get #lastAt(): number {
    return Math.max(...[...this.#latest.values()].map(({ lastAt }) => lastAt));
  }

  get #failure(): string | undefined {
    return [...this.#latest.values()].find(({ failure }) => failure !== undefined)?.failure;
  }
}

function jobsFailed(reason: string): BenchError {
  return new BenchError('JOBS_FAILED', `The jobs of job per write failed: ${reason}.`);
}
