/** Time limits that tell a wait from a hang on a busy machine too. */
import { availableParallelism, loadavg } from 'node:os';

/** A limit in ms for a quiet machine, made longer by as much as processes wait for each core. */
export function patient(ms: number): number {
  const [lastMinute = 0] = loadavg();
  return ms * Math.max(1, lastMinute / availableParallelism());
}
