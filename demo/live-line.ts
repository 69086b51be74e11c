/** Shows a replay while it runs: on a terminal one line that is written anew, elsewhere a plain line now and then. */
import { count, duration, rate } from './figures.js';
import type { Sample } from './watch.js';

/** What is used of a stream, such as `process.stdout`. */
export interface LineOutput {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

const plainIntervalMs = 2_000;
const barCellsMax = 30;
const columnsDefault = 80;

export class LiveLine {
  readonly #output: LineOutput;
  readonly #commitsTotal: number;
  #shownAtMs: number | undefined;
  #last: Sample | undefined;

  constructor(output: LineOutput, commitsTotal: number) {
    this.#output = output;
    this.#commitsTotal = commitsTotal;
  }

  show(sample: Sample): void {
    this.#last = sample;
    if (this.#output.isTTY) this.#rewrite(sample);
    else if (sample.ms - (this.#shownAtMs ?? 0) >= plainIntervalMs) this.#print(sample);
  }

  /** Leaves the last state on the screen; output that follows begins on a line of its own. */
  end(): void {
    if (this.#last === undefined) return;
    if (this.#output.isTTY) this.#output.write('\n');
    else if (this.#shownAtMs !== this.#last.ms) this.#print(this.#last);
    this.#last = undefined;
  }

  #rewrite(sample: Sample): void {
    const share = sample.commits / this.#commitsTotal;
    const text = `${Math.floor(share * 100)} %  ${figures(sample)}`;
    // A line that reaches the last column would wrap, and could not be written anew.
    const columns = (this.#output.columns || columnsDefault) - 1;
    const line = `${progressBar(share, Math.min(barCellsMax, columns - text.length - 1))} ${text}`;
    this.#output.write(`\r${line.slice(0, columns)}\x1b[K`);
  }

  #print(sample: Sample): void {
    this.#shownAtMs = sample.ms;
    this.#output.write(`${count(sample.commits)}/${count(this.#commitsTotal)} commits  ${figures(sample)}\n`);
  }
}

function figures({ acceptedPerSecond, persistedPerSecond, backlog, oldestDirtyAgeMs }: Sample): string {
  return [
    `accepted ${rate(acceptedPerSecond)}`,
    `rows persisted ${rate(persistedPerSecond)}`,
    `backlog ${count(backlog)}`,
    `oldest ${duration(oldestDirtyAgeMs)}`,
  ].join('  ');
}

function progressBar(share: number, cells: number): string {
  const full = Math.floor(Math.min(share, 1) * Math.max(cells, 0));
  return '█'.repeat(full) + '░'.repeat(Math.max(cells, 0) - full);
}
