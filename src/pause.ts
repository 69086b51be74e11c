/** Waiting that a signal can end early. */

/** Of each signal, what ends those who wait: however many they are, they share one listener. */
const ends = new WeakMap<AbortSignal, Set<() => void>>();

/** Resolves after `ms`, or as soon as `signal` is aborted. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  const waiting = waitingFor(signal);
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      waiting.delete(end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    waiting.add(end);
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
