/** Issues calls in their order, as an app under load does: a certain number is under way, and each that ends makes room. */

export interface InFlightOptions {
  readonly calls: number;
  readonly inFlight: number;
  /** Told of how many calls have ended, now and then. */
  readonly onProgress: (ended: number) => void;
}

export interface Accepted {
  /** Of the first call's beginning and of the last one's end, in ms since 1970, with fractions. */
  readonly startedAt: number;
  readonly acceptedAt: number;
  /** Of this process meanwhile, in ms. */
  readonly cpuMs: number;
}

const progressEveryMs = 200;

export async function issue(
  call: (at: number) => Promise<unknown>,
  options: InFlightOptions,
): Promise<Accepted> {
  const { calls, inFlight, onProgress } = options;
  let next = 0;
  let ended = 0;
  const one = async (): Promise<void> => {
    while (next < calls) {
      const at = next++;
      await call(at);
      ended += 1;
    }
  };
  const timer = setInterval(() => onProgress(ended), progressEveryMs);
  const cpuBefore = process.cpuUsage();
  const startedAt = now();
  try {
    await Promise.all(Array.from({ length: inFlight }, one));
    return { startedAt, acceptedAt: now(), cpuMs: cpuMsSince(cpuBefore) };
  } finally {
    clearInterval(timer);
  }
}

/** Comparable between processes of one machine. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}

/** Processor time of this process, in ms; without `before` since it began. */
export function cpuMsSince(before?: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
