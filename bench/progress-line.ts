/** Tells what a bench is doing: on a terminal in one line that is written anew, elsewhere in a line for each step. */

/** What is used of a stream, such as `process.stderr`. */
export interface LineOutput {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

const columnsDefault = 80;

export class ProgressLine {
  readonly #output: LineOutput;
  #step = '';

  constructor(output: LineOutput) {
    this.#output = output;
  }

  /** A line that stays. */
  note(line: string): void {
    this.clear();
    this.#output.write(`${line}\n`);
  }

  /** Begins something that takes a while. */
  step(what: string): void {
    this.#step = what;
    if (this.#output.isTTY) this.detail('');
    else this.#output.write(`${what}\n`);
  }

  /** How far the step has come; shown on a terminal only. */
  detail(text: string): void {
    if (!this.#output.isTTY) return;
    // A line that reaches the last column would wrap, and could not be written anew.
    const line = `${this.#step}  ${text}`.slice(0, (this.#output.columns || columnsDefault) - 1);
    this.#output.write(`\r${line}\x1b[K`);
  }

  clear(): void {
    if (this.#output.isTTY) this.#output.write('\r\x1b[K');
  }
}
