/** Whether what is read of a counter is a sum of its deltas. Deltas are positive, so sums only grow. */
import { isInDatabase, type Loss, type Op } from '../history.js';
import { type Step, stepsOf } from './events.js';
import type { Violation, ViolationKind } from './violation.js';

interface Begin {
  /** What every read must count that begins now. */
  readonly cache: number;
  readonly database: number;
  readonly by: Op | undefined;
  readonly databaseBy: Op | undefined;
}

/** With more adds in doubt than that, only the bounds of a sum are checked. */
const doubtsMax = 14;

export function checkCounter(key: string, ops: readonly Op[], losses: readonly Loss[]): Violation[] {
  const history = new CounterHistory(key, ops, losses);
  for (const step of stepsOf(ops, [])) history.take(step);
  return history.violations;
}

class CounterHistory {
  readonly violations: Violation[] = [];
  readonly #key: string;
  readonly #losses: readonly Loss[];
  /** By version: those that no receipt was settled of. */
  readonly #deltas: Map<number, number>;
  readonly #begun = new Map<Op, Begin>();
  readonly #doubts: readonly number[];
  #cache = 0;
  #by: Op | undefined;
  #database = 0;
  #databaseBy: Op | undefined;
  /** Of all adds that have begun and are not known to be refused. */
  #possible = 0;
  #acceptedSum = 0;
  #persistedSum = 0;

  constructor(key: string, ops: readonly Op[], losses: readonly Loss[]) {
    this.#key = key;
    this.#losses = losses;
    const adds = ops.filter(({ kind }) => kind === 'add');
    this.#deltas = new Map(adds.map(({ version, delta }) => [version ?? 0, delta ?? 0]));
    this.#doubts = adds.filter((op) => this.#isInDoubt(op)).map(({ delta }) => delta ?? 0);
  }

  take({ kind, ...step }: Step): void {
    if (!('op' in step)) return;
    if (kind === 'invoke') this.#begin(step.op);
    else this.#end(step.op);
  }

  #begin(op: Op): void {
    this.#begun.set(op, {
      cache: this.#cache,
      database: this.#database,
      by: this.#by,
      databaseBy: this.#databaseBy,
    });
    if (op.kind === 'add' && op.outcome !== 'refused') this.#possible += op.delta ?? 0;
  }

  #end(op: Op): void {
    const begin = this.#begun.get(op) as Begin;
    this.#begun.delete(op);
    if (op.outcome !== 'ok') return;
    if (op.kind === 'add' && !this.#isInDoubt(op)) this.#accepted(op);
    if (op.kind === 'persisted' || (op.kind === 'add' && isInDatabase(op))) this.#persisted(op);
    if (typeof op.read === 'number') this.#judge(op, op.read, begin);
  }

  #accepted(op: Op): void {
    this.#acceptedSum += op.delta ?? 0;
    if (this.#acceptedSum > this.#cache) [this.#cache, this.#by] = [this.#acceptedSum, op];
  }

  /** Once for each delta, however often its receipt is asked. */
  #persisted(op: Op): void {
    const { version = 0 } = op;
    this.#persistedSum += this.#deltas.get(version) ?? 0;
    this.#deltas.delete(version);
    if (this.#persistedSum > this.#database) [this.#database, this.#databaseBy] = [this.#persistedSum, op];
  }

  #judge(op: Op, sum: number, begin: Begin): void {
    const isRow = op.kind === 'row';
    if (isRow) this.#judgeByReceipts(op, sum, begin);
    if (!isRow || isLast(op)) this.#judgeByAccepted(op, sum, begin);
    // What was dirty in the state that Redis went back to may count twice.
    if (this.#losses.length > 0) return;
    this.#judgeByPossible(op, sum, begin);
    if (isRow && sum > this.#database) [this.#database, this.#databaseBy] = [sum, op];
    if (!isRow && sum > this.#cache) [this.#cache, this.#by] = [sum, op];
  }

  #judgeByReceipts(op: Op, sum: number, begin: Begin): void {
    const kind = begin.databaseBy?.kind === 'row' ? 'database went back' : 'false receipt';
    if (sum < begin.database) this.#violated(kind, op, begin);
  }

  #judgeByPossible(op: Op, sum: number, begin: Begin): void {
    if (sum > this.#possible || (isLast(op) && sum >= begin.cache && !this.#isSum(sum)))
      this.#violated('doubled delta', op, begin);
  }

  #judgeByAccepted(op: Op, sum: number, { cache, by, ...begin }: Begin): void {
    if (sum >= cache) return;
    const isOwn = by?.process === op.process && by?.client === op.client;
    const ofRead = by?.kind === 'count' ? 'read went back' : 'own write not read';
    const kind = op.kind === 'row' ? 'lost delta' : isOwn ? ofRead : 'stale read';
    this.#violated(kind, op, { cache, by, ...begin });
  }

  /** What is accepted, and some of what is in doubt. */
  #isSum(sum: number): boolean {
    const rest = sum - this.#acceptedSum;
    if (rest < 0) return false;
    if (this.#doubts.length > doubtsMax) return true;
    let sums = new Set([0]);
    for (const delta of this.#doubts) sums = new Set([...sums, ...[...sums].map((one) => one + delta)]);
    return sums.has(rest);
  }

  #isInDoubt(op: Op): boolean {
    if (op.kind !== 'add' || op.outcome === 'refused') return false;
    if (op.outcome !== 'ok') return true;
    return this.#losses.some(
      ({ from, at, keeps }) =>
        op.at < at && (op.end ?? 0) > from && !keeps.includes(op.durability ?? 'memory'),
    );
  }

  #violated(kind: ViolationKind, op: Op, { by, databaseBy }: Begin): void {
    const proof = kind === 'false receipt' || kind === 'database went back' ? databaseBy : by;
    const message = `${op.kind} of ${op.process}/${op.client} gave ${op.read}; accepted ${this.#acceptedSum}, possible ${this.#possible}, persisted ${this.#persistedSum}`;
    this.violations.push({ kind, key: this.#key, message, ops: proof ? [op, proof] : [op] });
  }
}

function isLast({ process }: Op): boolean {
  return process === 'driver';
}
