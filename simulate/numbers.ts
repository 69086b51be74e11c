/** The numbers that a lane's batches stood under, and what stood there. */

import { must } from './invariants.js';
import type { Ledger } from './postgres.js';
import type { Snapshot } from './snapshot.js';

export class Numbers {
  readonly #contents = new Map<string, string>();
  #last: string | undefined;
  #wentBack = false;

  /** Redis went back: a batch may be there again. */
  wentBack(): void {
    this.#contents.clear();
    this.#last = undefined;
    this.#wentBack = true;
  }

  look({ meta, sealed }: Snapshot, ledger: Ledger | undefined): void {
    const number = meta.sealed;
    if (this.#last !== undefined && this.#last !== number) this.#expectSettled(this.#last, ledger);
    this.#last = number;
    if (number !== undefined) this.#expectSame(number, JSON.stringify(Object.entries(sealed).sort()), ledger);
    this.#wentBack = false;
  }

  /** Nothing leaves a number that could still be applied under it. */
  #expectSettled(number: string, ledger: Ledger | undefined): void {
    const applied = ledger?.batch ?? 0n;
    must(applied >= BigInt(number), 'FB-VOID', `batch ${number} is gone, the ledger has ${applied}`);
  }

  #expectSame(number: string, content: string, ledger: Ledger | undefined): void {
    const known = this.#contents.get(number);
    must(known === undefined || known === content, 'FB-NEW-NUMBER', `${number} was ${known}, is ${content}`);
    if (known !== undefined) return;
    this.#contents.set(number, content);
    if (this.#wentBack) return;
    const last = [...this.#contents.keys()].reduce((a, b) => (BigInt(a) > BigInt(b) ? a : b));
    must(last === number, 'FB-NUMBERS', `${number} comes after ${last}`);
    const isNew = ledger === undefined || ledger.batch < BigInt(number);
    must(isNew, 'FB-NUMBERS', `${number} is given, the ledger has ${ledger?.batch}`);
  }
}
