/** What a process of a bench uses. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

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
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  return {
    async usage() {
      const { user, system } = process.cpuUsage();
      collectGarbage();
      return { cpuMs: (user + system) / 1_000, heapBytes: process.memoryUsage().heapUsed };
    },
  };
}

/** The slope of the line of least squares, in units of `y` for each of `x`. */
export function slopeOf(points: readonly { readonly x: number; readonly y: number }[]): number {
  const mean = (of: (point: { x: number; y: number }) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [x, y] = [mean((point) => point.x), mean((point) => point.y)];
  const spread = points.reduce((sum, point) => sum + (point.x - x) ** 2, 0);
  return points.reduce((sum, point) => sum + (point.x - x) * (point.y - y), 0) / spread;
}
