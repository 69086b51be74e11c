/** How late the event loop turns, over the last 10 to 20 s. */
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';

/** In ms. */
export interface LoopDelay {
  readonly meanMs: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

const resolutionMs = 20;
const windowMs = 10_000;
const noDelay: LoopDelay = { meanMs: 0, p99Ms: 0, maxMs: 0 };

export class LoopDelayMonitor {
  readonly #histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: resolutionMs });
  readonly #timer: NodeJS.Timeout;
  #last = noDelay;

  constructor() {
    this.#histogram.enable();
    this.#timer = setInterval(() => this.#turn(), windowMs);
    this.#timer.unref();
  }

  /** The worse of the window before and the one that has begun. */
  read(): LoopDelay {
    const now = delayOf(this.#histogram);
    const worse = (name: keyof LoopDelay): number => Math.max(now[name], this.#last[name]);
    return { meanMs: worse('meanMs'), p99Ms: worse('p99Ms'), maxMs: worse('maxMs') };
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#histogram.disable();
  }

  #turn(): void {
    this.#last = delayOf(this.#histogram);
    this.#histogram.reset();
  }
}

/** The timer's own resolution is in what Node measures. */
function delayOf(histogram: IntervalHistogram): LoopDelay {
  if (histogram.count === 0) return noDelay;
  const toMs = (ns: number): number => Math.max(0, Math.round((ns / 1e6 - resolutionMs) * 10) / 10);
  return {
    meanMs: toMs(histogram.mean),
    p99Ms: toMs(histogram.percentile(99)),
    maxMs: toMs(histogram.max),
  };
}
