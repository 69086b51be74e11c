/**
 * Changed rows whose entries are not dropped yet, in the order of their commits. A reader that stands by has
 * them too, as long as the one that drops has not told that it is past them.
 */
import type { Snapshot } from '../../database/snapshot.js';
import { Touched } from './touched.js';
import type { ChangedRows } from './transactions.js';

/** With more it becomes one change of many rows. */
const idsMax = 200_000;
/** What is older than so many transactions is seen by now. */
const xidsMax = 10_000;

export class Backlog {
  #changes: ChangedRows[] = [];
  #ids = 0;
  #from = 0n;
  #sentUpTo = 0n;
  #wake: (() => void) | undefined;

  /** All that is committed later is added. */
  beginAt(lsn: bigint): void {
    this.#from = lsn;
    this.sentUpTo(lsn);
  }

  /** What was committed later and is not here was removed. */
  get from(): bigint {
    return this.#from;
  }

  /** All that was committed up to here has been added, and removed. */
  get doneUpTo(): bigint {
    const [first] = this.#changes;
    return first === undefined ? this.#sentUpTo : first.firstLsn - 1n;
  }

  add(changed: ChangedRows): void {
    this.#changes.push(changed);
    this.#ids += sizeOf(changed);
    if (this.#ids > idsMax) this.#merge();
    this.#wake?.();
  }

  sentUpTo(lsn: bigint): void {
    if (lsn > this.#sentUpTo) this.#sentUpTo = lsn;
  }

  /** Those that whoever loads now sees. */
  seenBy(snapshot: Snapshot): ChangedRows[] {
    return this.#changes.filter(({ xids }) => xids.every((xid) => snapshot.sees(xid)));
  }

  get isEmpty(): boolean {
    return this.#changes.length === 0;
  }

  remove(done: readonly ChangedRows[]): void {
    const gone = new Set(done);
    this.#keep((one) => !gone.has(one));
    for (const { lsn } of done) if (lsn > this.#from) this.#from = lsn;
  }

  /** Somebody else has dropped what was committed up to here. */
  removeUpTo(lsn: bigint): void {
    this.#keep((one) => one.lsn > lsn);
    if (lsn > this.#from) this.#from = lsn;
  }

  /** Resolves when more is added, and after `ms`. */
  whenMore(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
    });
  }

  /** Ends the wait. */
  wake(): void {
    this.#wake?.();
  }

  #keep(isKept: (one: ChangedRows) => boolean): void {
    this.#changes = this.#changes.filter(isKept);
    this.#ids = this.#changes.reduce((sum, one) => sum + sizeOf(one), 0);
  }

  #merge(): void {
    const one = merged(this.#changes);
    this.#changes = [one];
    this.#ids = sizeOf(one);
  }
}

const sizeOf = ({ rows, values }: ChangedRows): number => rows.size + values.size;

/** As one change. Of none: an error. */
export function merged(changes: readonly ChangedRows[]): ChangedRows {
  const last = changes.at(-1) as ChangedRows;
  const rows: ChangedRows['rows'] = new Touched();
  const values: ChangedRows['values'] = new Touched();
  for (const one of changes) {
    rows.addFrom(one.rows);
    values.addFrom(one.values);
  }
  return {
    xids: changes.flatMap(({ xids }) => xids).slice(-xidsMax),
    firstLsn: (changes[0] as ChangedRows).firstLsn,
    lsn: last.lsn,
    transactions: changes.reduce((sum, one) => sum + one.transactions, 0),
    committedAtMs: Math.min(...changes.map(({ committedAtMs }) => committedAtMs)),
    rows,
    values,
  };
}
