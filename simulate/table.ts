/** What one table would have after each write of one id, and what came of each. */
import type { Receipt } from '../src/client/receipts/receipt.js';
import type { Row } from './postgres.js';

export interface State {
  readonly row: Row | null;
  /** Deltas without a row: they count in the one that comes. */
  readonly early: bigint;
}

export interface Asked {
  readonly receipt: Receipt;
  readonly at: number;
  readonly isAdd: boolean;
  /** Of a put, or of an add. */
  readonly name?: string | undefined;
  readonly delta?: bigint | undefined;
}

export class Table {
  readonly states: State[] = [{ row: null, early: 0n }];
  readonly receipts: Asked[] = [];
  adds = 0;

  get last(): State {
    return this.states.at(-1) as State;
  }

  /** Sums of powers of four: a delta that counts twice shows in a bit of its own. */
  nextDelta(): bigint {
    return 4n ** BigInt(this.adds++);
  }

  accepted(receipt: Receipt, next: State, what: Pick<Asked, 'isAdd' | 'name' | 'delta'>): void {
    this.states.push(next);
    this.receipts.push({ receipt, at: this.states.length - 1, ...what });
  }

  /** A delta without a row is counted by the next write of the row. */
  countedAt({ at }: Asked): number {
    const later = this.states.findIndex(({ early }, i) => i >= at && early === 0n);
    return later < 0 ? this.states.length : later;
  }
}

export function afterPut({ row, early }: State, name: string): State {
  return { row: { name, touches: row ? row.touches : early }, early: 0n };
}

export function afterAdd({ row, early }: State, delta: bigint): State {
  return row ? { row: { ...row, touches: row.touches + delta }, early } : { row, early: early + delta };
}
