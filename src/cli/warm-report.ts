/** What a warming did, as a table. */
import type { WarmEnd } from './warm.js';

const heads = ['store', 'warmed', 'fresh', 'absent', 'failed', 'seconds'] as const;

export function warmReport(ends: readonly WarmEnd[]): string {
  const rows = ends.map(({ store, summary }) =>
    summary === undefined
      ? [store, '', '', '', '', '']
      : [
          store,
          ...[summary.warmed, summary.fresh, summary.absent, summary.failed].map(String),
          (summary.ms / 1_000).toFixed(2),
        ],
  );
  const summaries = ends.flatMap(({ summary }) => summary ?? []);
  const sum = (pick: (one: (typeof summaries)[number]) => number): number =>
    summaries.reduce((total, one) => total + pick(one), 0);
  const together = [
    'together',
    String(sum(({ warmed }) => warmed)),
    String(sum(({ fresh }) => fresh)),
    String(sum(({ absent }) => absent)),
    String(sum(({ failed }) => failed)),
    (sum(({ ms }) => ms) / 1_000).toFixed(2),
  ];
  return `${[heads, ...rows, together].map(toLine).join('\n')}\n${failuresOf(ends)}`;
}

function toLine(cells: readonly string[]): string {
  return cells.map((cell, i) => (i === 0 ? cell.padEnd(24) : cell.padStart(9))).join('');
}

function failuresOf(ends: readonly WarmEnd[]): string {
  const lines = ends.flatMap(({ store, summary, error }) =>
    [...(error === undefined ? [] : [error]), ...new Set(summary?.errors)].map(
      (text) => `${store}: ${text}\n`,
    ),
  );
  return lines.length === 0 ? '' : `\n${lines.join('')}`;
}
