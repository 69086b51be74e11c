/** What is printed at the end: tables, and the history of each violated key. */
import { count, textTable } from '../bench/text-table.js';
import type { Violation } from './checker/violation.js';
import { describe, describeOp, type Op } from './history.js';
import type { Recovery } from './recovery.js';
import type { Tally } from './tally.js';

export function reportTables(tally: Tally, recovery: Recovery): string {
  return [faultTable(recovery), lossTable(tally), summary(tally, recovery)].join('\n\n');
}

function faultTable({ counts, times }: Recovery): string {
  const rows = [...counts].map(([kind, faults]) => {
    const sorted = (times.get(kind) ?? []).toSorted((a, b) => a - b);
    return [kind, count(faults), ...[0.5, 0.99, 1].map((share) => atShare(sorted, share))];
  });
  const all = [...counts.values()].reduce((sum, faults) => sum + faults, 0);
  const head = ['fault', 'number', 'next batch p50', 'p99', 'max'];
  return textTable(head, [...rows.toSorted(), ['all', count(all), '', '', '']]);
}

function atShare(sorted: readonly number[], share: number): string {
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  return value === undefined ? '' : `${count(value)} ms`;
}

function lossTable({ losses }: Tally): string {
  const rows = [...losses.values()].map(({ what, durability, runs, acknowledged, lost }) => [
    `${what}: ${durability}`,
    count(runs),
    count(acknowledged),
    count(lost),
  ]);
  return textTable(['what happens to Redis: durability', 'runs', 'acknowledged', 'lost'], rows.toSorted());
}

function summary(tally: Tally, { events }: Recovery): string {
  const violations = new Map<string, number>();
  for (const { kind } of tally.violations) violations.set(kind, (violations.get(kind) ?? 0) + 1);
  return [
    `rounds ${count(tally.rounds)}, operations ${count(tally.operations)}, violations ${count(tally.violations.length)}`,
    `operations: ${list(tally.outcomes)}`,
    `errors: ${list(tally.codes)}`,
    `workers: ${list(events)}`,
    ...(violations.size === 0 ? [] : [`violations: ${list(violations)}`]),
  ].join('\n');
}

function list(counts: ReadonlyMap<string, number>): string {
  return [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, number]) => `${name} ${count(number)}`)
    .join(', ');
}

/** Of a round: those that contradict each other, and all that happened to the key. */
export function reportViolation({ kind, key, message, ops }: Violation, all: readonly Op[]): string {
  const first = Math.min(...all.map(({ at }) => at));
  return [
    `✗ ${kind}: ${key}: ${message}`,
    ...ops.map((op) => `  ${describeOp(op, first)}`),
    '  the whole history of the key:',
    ...describe(all.filter((op) => op.key === key))
      .split('\n')
      .map((line) => `  ${line}`),
  ].join('\n');
}
