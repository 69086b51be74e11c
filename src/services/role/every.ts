/** Work that a role does again and again. */
import { inTime } from '../../connection/deadline.js';
import { pause } from '../../pause.js';
import type { Resources } from '../../resources.js';

const endDeadlineMs = 500;

/**
 * Runs `work` again a while after it has ended, so that runs never pile up, until the parts are stopped.
 * `work` throws nothing.
 * @param ms the while, or what gives it
 */
export function every(
  parts: Resources,
  name: string,
  ms: number | (() => number),
  work: () => Promise<void>,
): void {
  const stopping = new AbortController();
  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await work();
      await pause(typeof ms === 'number' ? ms : ms(), stopping.signal);
    }
  };
  parts.own(name, loop(), async (running) => {
    stopping.abort();
    // What waits for a connection that is down ends with that.
    await inTime(running, endDeadlineMs).catch(() => undefined);
  });
}
