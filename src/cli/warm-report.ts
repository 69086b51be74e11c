/** What a warming did, as a table. */
import type { WarmSummary } from '../queues/warm-queue.js';
import { table } from './table.js';

/** How a store's run ended: its summary, or why it has none. */
export interface WarmEnd {
  readonly store: string;
  readonly summary?: WarmSummary;
  readonly error?: string;
}

const head = ['store', 'warmed', 'fresh', 'absent', 'failed', 'seconds'];

export function warmReport(ends: readonly WarmEnd[]): string {
  const summaries = ends.flatMap(({ summary }) => summary ?? []);
  const sum = (pick: (one: (typeof summaries)[number]) => number): number =>
    summaries.reduce((total, one) => total + pick(one), 0);
  const together = {
    warmed: sum(({ warmed }) => warmed),
    fresh: sum(({ fresh }) => fresh),
    absent: sum(({ absent }) => absent),
    failed: sum(({ failed }) => failed),
    ms: sum(({ ms }) => ms),
  };
  const rows = [...ends.map(({ store, summary }) => toRow(store, summary)), toRow('together', together)];
  return `${table([head, ...rows], 1)}${failuresOf(ends)}`;
}

type Counts = { readonly [Name in 'warmed' | 'fresh' | 'absent' | 'failed' | 'ms']: number };

function toRow(name: string, counts: Counts | undefined): string[] {
  if (counts === undefined) return [name, '', '', '', '', ''];
  const { warmed, fresh, absent, failed, ms } = counts;
  return [name, ...[warmed, fresh, absent, failed].map(String), (ms / 1_000).toFixed(2)];
}

function failuresOf(ends: readonly WarmEnd[]): string {
  const lines = ends.flatMap(({ store, summary, error }) =>
    [...(error === undefined ? [] : [error]), ...new Set(summary?.errors)].map(
      (text) => `${store}: ${text}\n`,
    ),
  );
  return lines.length === 0 ? '' : `\n${lines.join('')}`;
}
