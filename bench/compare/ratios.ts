/** The ratios of two revisions' figures. */
import { textTable } from '../text-table.js';
import type { Figures } from './figures.js';

export interface Round {
  readonly name: string;
  readonly here: Figures;
  readonly there: Figures;
}

/** Of the two that were measured right after each other; a figure that one of them lacks is left out. */
export function ratiosPage(revision: string, rounds: readonly Round[]): string {
  const ratios = new Map<string, number[]>();
  for (const { name, here, there } of rounds)
    for (const [figure, value] of here) {
      const other = there.get(figure);
      const line = `${name}: ${figure}`;
      if (other) ratios.set(line, [...(ratios.get(line) ?? []), value / other]);
    }
  const rows = [...ratios].map(([figure, all]) => {
    const sorted = all.toSorted((one, two) => one - two);
    const [least, median, most] = [0, Math.floor(sorted.length / 2), sorted.length - 1].map(
      (nth) => sorted[nth],
    );
    return [figure, shown(median), `${shown(least)} to ${shown(most)}`];
  });
  return `Here, as a multiple of ${revision}: the middle of the rounds, and their spread.\n\n${textTable(['figure', 'ratio', 'spread'], rows)}`;
}

const shown = (ratio = Number.NaN): string => ratio.toFixed(2);
