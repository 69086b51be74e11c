/**
 * Waiting that signals can end early. Not by `AbortSignal.any`: Node keeps what that gives for as long as its
 * sources live, once somebody listens to it.
 */

/** Node's timers know no longer time, 24 days: what is longer would be over at once. */
export const timerMaxMs = 2 ** 31 - 1;

/** Of each signal, what ends those who wait: however many they are, they share one listener. */
const ends = new WeakMap<AbortSignal, Set<() => void>>();

/** Resolves after `ms`, or as soon as one of the signals is aborted. */
export function pause(ms: number, ...signals: readonly AbortSignal[]): Promise<void> {
  if (signals.some(({ aborted }) => aborted)) return Promise.resolve();
  const all = signals.map(waitingFor);
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      for (const waiting of all) waiting.delete(end);
      resolve();
    };
    const timer = setTimeout(end, Math.min(ms, timerMaxMs));
    for (const waiting of all) waiting.add(end);
  });
}

function waitingFor(signal: AbortSignal): Set<() => void> {
  const known = ends.get(signal);
  if (known) return known;
  const waiting = new Set<() => void>();
  const endAll = (): void => {
    for (const end of waiting) end();
  };
  signal.addEventListener('abort', endAll, { once: true });
  ends.set(signal, waiting);
  return waiting;
}
