/** Writes each call to a file as it begins and as it ends, so that nothing is forgotten when the process is killed. */
import { closeSync, openSync, writeSync } from 'node:fs';
import type { Op } from './history.js';
import { nowUs } from './history.js';

export type Began = Pick<Op, 'client' | 'kind' | 'key'> & Partial<Op>;
export type Ended = Pick<Op, 'outcome'> & Partial<Op>;

export class Recorder {
  readonly #file: number;
  #count = 0;

  constructor(file: string) {
    this.#file = openSync(file, 'a');
  }

  get count(): number {
    return this.#count;
  }

  /** Returns what to call with the answer. */
  begin(op: Began): (answer: Ended) => void {
    const n = ++this.#count;
    this.#write({ n, at: nowUs(), ...op });
    return (answer) => this.#write({ n, end: nowUs(), ...answer });
  }

  close(): void {
    closeSync(this.#file);
  }

  /** In place: what the system has taken outlives the process. */
  #write(line: object): void {
    writeSync(this.#file, `${JSON.stringify(line)}\n`);
  }
}
