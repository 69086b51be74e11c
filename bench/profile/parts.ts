/** Profiles of processes as a table: the µs of each part for each write. */
import { textTable } from '../text-table.js';
import { type CpuProfile, partOf, selfMicros } from './cpu-profile.js';

export type Parts = ReadonlyMap<string, number>;

/** In µs for each of so many writes, the largest first. */
export function partsOf(profile: CpuProfile, writes: number): Parts {
  const parts = new Map<string, number>();
  const micros = selfMicros(profile);
  for (const node of profile.nodes) {
    const part = partOf(node);
    if (part) parts.set(part, (parts.get(part) ?? 0) + (micros.get(node.id) ?? 0) / writes);
  }
  return new Map([...parts].sort(([, one], [, other]) => other - one));
}

/** Less than this is summed up as the rest. */
const shownMin = 0.1;

export function partsTable(where: string, parts: Parts): string {
  const all = [...parts];
  const shown = all.filter(([, micros]) => micros >= shownMin);
  const sum = (some: typeof all): number => some.reduce((total, [, micros]) => total + micros, 0);
  const rest = sum(all) - sum(shown);
  const lines: [string, number][] = [...shown, ['the rest', rest], ['all', sum(all)]];
  return textTable(
    [where, 'µs for each write'],
    lines.map(([part, micros]) => [part, micros.toFixed(2)]),
  );
}
