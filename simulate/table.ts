/** What one table would have after each write of one id, and what came of each. */
import type { Receipt } from '../src/client/receipts/receipt.js';
import { nothing, type State } from './row.js';

export interface Asked {
  readonly receipt: Receipt;
  readonly at: number;
  readonly isAdd: boolean;
  /** Of a write of the row: a text of its own; undefined for a delete. */
  readonly text?: string | undefined;
  readonly delta?: bigint | undefined;
}

const addsMax = 30;

export class Table {
  /** Whether it is what one table would have; not so where the database refuses rows for good. */
  readonly isJudged: boolean;
  readonly states: State[] = [nothing];
  readonly receipts: Asked[] = [];
  #adds = 0;

  constructor(isJudged: boolean) {
    this.isJudged = isJudged;
  }

  get last(): State {
    return this.states.at(-1) as State;
  }

  get at(): number {
    return this.states.length - 1;
  }

  get canAdd(): boolean {
    return this.#adds < addsMax;
  }

  /** Sums of powers of four: a delta that counts twice shows in a bit of its own. */
  nextDelta(): bigint {
    return 4n ** BigInt(this.#adds++);
  }

  accepted(receipt: Receipt, next: State, what: Pick<Asked, 'isAdd' | 'text' | 'delta'>): void {
    this.states.push(next);
    this.receipts.push({ receipt, at: this.at, ...what });
  }

  /** A delta without a row is counted by the next write of the row. */
  countedAt({ at }: Asked): number {
    const later = this.states.findIndex(({ early }, i) => i >= at && early === 0n);
    return later < 0 ? this.states.length : later;
  }
}
