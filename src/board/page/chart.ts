/** Charts as SVG, made here: a bar for each minute of the last hour. */
import { html } from '../../peers/hono.js';
import type { Html } from './layout.js';

export interface ChartOptions {
  readonly title: string;
  readonly unit: string;
  readonly format: (value: number) => string;
  /** When each bar's minute began; the last one is under way. */
  readonly times: readonly Date[];
}

const height = 100;
const barWidth = 10;
const gap = 2;

export function chart(values: readonly number[], { title, unit, format, times }: ChartOptions): Html {
  const most = Math.max(...values, 0);
  const last = values.at(-1) ?? 0;
  const summary = `${title}: ${format(last)} ${unit} in this minute, at most ${format(most)} ${unit} in the last hour`;
  return html`<figure class="chart">
  <figcaption>${title} <b>${format(last)}</b> <small>${unit}, at most ${format(most)}</small></figcaption>
  ${bars(values, { summary, most, labelOf: (i) => `${timeOf(times[i])}: ${format(values[i] ?? 0)} ${unit}` })}
  <div class="axis"><small>an hour ago</small><small>now</small></div>
</figure>`;
}

/** Without words around it, for a table. */
export function sparkline(values: readonly number[], summary: string): Html {
  return bars(values, { summary, most: Math.max(...values, 0), labelOf: () => '' });
}

interface Bars {
  readonly summary: string;
  readonly most: number;
  readonly labelOf: (i: number) => string;
}

function bars(values: readonly number[], { summary, most, labelOf }: Bars): Html {
  const width = values.length * barWidth;
  const rects = values.map((value, i) => {
    const tall = most === 0 ? 0 : Math.max(value > 0 ? 2 : 0, (value / most) * height);
    const label = labelOf(i);
    return html`<rect x="${i * barWidth}" y="${(height - tall).toFixed(1)}" width="${barWidth - gap}" height="${tall.toFixed(1)}">${
      label === '' ? '' : html`<title>${label}</title>`
    }</rect>`;
  });
  return html`<svg viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" role="img" aria-label="${summary}">${rects}</svg>`;
}

function timeOf(time: Date | undefined): string {
  return time ? `${time.toISOString().slice(11, 16)} UTC` : '';
}
