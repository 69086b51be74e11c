/** What a process of a bench uses. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { cpuMsSince } from '../write-behind/in-flight.js';

export interface Usage {
  /** Since the process began, in ms. */
  readonly cpuMs: number;
  /** In bytes, after a collection of garbage. */
  readonly heapBytes: number;
}

export interface UsageHandlers {
  usage(): Promise<Usage>;
}

export function usageHandlers(): UsageHandlers {
  let collectGarbage: (() => void) | undefined;
  return {
    async usage() {
      const cpuMs = cpuMsSince();
      collectGarbage ??= exposeGc();
      collectGarbage();
      return { cpuMs, heapBytes: process.memoryUsage().heapUsed };
    },
  };
}

/** Not before it is asked for: the other benches' processes run as they do in production. */
function exposeGc(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

/** The slope of the line of least squares, in units of `y` for each of `x`. */
export function slopeOf(points: readonly { readonly x: number; readonly y: number }[]): number {
  const mean = (of: (point: { x: number; y: number }) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [x, y] = [mean((point) => point.x), mean((point) => point.y)];
  const spread = points.reduce((sum, point) => sum + (point.x - x) ** 2, 0);
  return points.reduce((sum, point) => sum + (point.x - x) * (point.y - y), 0) / spread;
}
