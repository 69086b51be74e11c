/** Shows how far something has come, on a terminal: one line that is written anew. Elsewhere it is quiet. */

/** What is used of a stream, such as `process.stderr`. */
export interface LineOutput {
  readonly isTTY?: boolean | undefined;
  write(text: string): unknown;
}

const cells = 30;

export class ProgressBar {
  readonly #output: LineOutput;

  constructor(output: LineOutput) {
    this.#output = output;
  }

  show(what: string, done: number, total: number): void {
    if (!this.#output.isTTY) return;
    const full = Math.round(cells * Math.min(1, done / total));
    const line = `${'█'.repeat(full)}${'░'.repeat(cells - full)} ${what} ${done} of ${total}`;
    this.#output.write(`\r${line}\x1b[K`);
  }

  clear(): void {
    if (this.#output.isTTY) this.#output.write('\r\x1b[K');
  }
}
