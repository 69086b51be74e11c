/** Semantic versions: what a change of the public types asks for at least. */
import { ReleaseProblem } from './problem.js';

export type Bump = 'major' | 'minor' | 'patch';

/**
 * A line that is gone from docs/api, or is another now, may break somebody; one that is new does not.
 * @param diff of `git diff` over docs/api since the last release
 */
export function leastBump(diff: string): Bump {
  const lines = diff.split('\n').filter((line) => !/^(\+\+\+|---)/.test(line));
  if (lines.some((line) => /^-\s*[^\s/]/.test(line))) return 'major';
  return lines.some((line) => line.startsWith('+')) ? 'minor' : 'patch';
}

/** @throws ReleaseProblem when the step from one version to the next is too small, or none */
export function checkBump(from: string, to: string, least: Bump): void {
  const [before, after] = [partsOf(from), partsOf(to)];
  const at = after.findIndex((part, i) => part !== before[i]);
  const isStep =
    at >= 0 && after[at] === (before[at] as number) + 1 && after.slice(at + 1).every((it) => it === 0);
  if (!isStep) throw new ReleaseProblem(`${to} does not follow ${from}.`);
  // Before 1.0.0, a minor version may break, and a patch may add.
  const place = { major: 0, minor: 1, patch: 2 }[least] + (before[0] === 0 && after[0] === 0 ? 1 : 0);
  if (at > Math.min(2, place))
    throw new ReleaseProblem(`docs/api has changed: after ${from} that asks for a larger step than ${to}.`);
}

function partsOf(version: string): number[] {
  const parts = /^(\d+)\.(\d+)\.(\d+)$/.exec(version)?.slice(1).map(Number);
  if (parts === undefined) throw new ReleaseProblem(`"${version}" is no version such as 1.2.3.`);
  return parts;
}
