/**
 * Whether the history of one row is that of a single row: its writes are ordered by their versions, so one pass over what begins
 * and ends is enough. A *floor* is the newest version that every call which begins from now on must see.
 */
import { isInDatabase, type Loss, type Op, writeKinds } from '../history.js';
import { type Step, stepsOf } from './events.js';
import type { Violation, ViolationKind } from './violation.js';

interface Floor {
  readonly version: number;
  /** The call that proves it. */
  readonly by?: Op;
}

/** What was known when a call began. */
interface Begin {
  readonly cache: Floor;
  readonly database: Floor;
  /** How many writes of unknown version had been read. */
  readonly observed: number;
  readonly epoch: number;
}

const none: Floor = { version: Number.NEGATIVE_INFINITY };

export function checkRow(key: string, ops: readonly Op[], losses: readonly Loss[]): Violation[] {
  const history = new RowHistory(key, ops);
  for (const step of stepsOf(ops, losses)) history.take(step);
  return history.violations;
}

class RowHistory {
  readonly violations: Violation[] = [];
  readonly #key: string;
  readonly #writes = new Map<string, Op>();
  readonly #deletes: readonly Op[];
  readonly #begun = new Map<Op, Begin>();
  /** Writes of unknown version that were read, and the version that they are older than. */
  #observed: { readonly write: Op; below: number }[] = [];
  #cache = none;
  #database = none;
  #atLossFrom = none;
  #safe = new Map<string, Floor>();
  #epoch = 0;
  /** Durabilities that the last loss has spared. */
  #kept: ReadonlySet<string> = new Set();

  constructor(key: string, ops: readonly Op[]) {
    this.#key = key;
    const writes = ops.filter(({ kind }) => writeKinds.has(kind));
    for (const op of writes) if (typeof op.wrote === 'string') this.#writes.set(op.wrote, op);
    this.#deletes = writes.filter(({ kind, outcome }) => kind === 'delete' && outcome !== 'refused');
  }

  take(step: Step): void {
    if (step.kind === 'invoke') this.#begin(step.op);
    else if (step.kind === 'end') this.#end(step.op);
    else if (step.kind === 'loss from') this.#atLossFrom = this.#cache;
    else if (step.kind === 'loss at') this.#lose(step.loss);
    else this.#cache = newer(this.#cache, this.#database);
  }

  #begin(op: Op): void {
    this.#begun.set(op, {
      cache: this.#cache,
      database: this.#database,
      observed: this.#observed.length,
      epoch: this.#epoch,
    });
  }

  #lose({ keeps }: Loss): void {
    this.#epoch += 1;
    this.#kept = new Set(keeps);
    this.#observed = [];
    this.#cache = keeps.reduce(
      (floor, durability) => newer(floor, this.#safe.get(durability) ?? none),
      this.#atLossFrom,
    );
  }

  #end(op: Op): void {
    const begin = this.#begun.get(op) as Begin;
    this.#begun.delete(op);
    if (op.outcome !== 'ok') return;
    if (op.read !== undefined) this.#judge(op, begin);
    if (op.kind === 'persisted') this.#raiseDatabase(op, op.version);
    if (writeKinds.has(op.kind)) this.#written(op, begin);
  }

  #written(op: Op, begin: Begin): void {
    if (op.version === undefined) return;
    if (begin.epoch === this.#epoch && op.version <= begin.cache.version)
      this.#violated('version went back', op, begin.cache.by);
    this.#isOlder(begin, op.version);
    // One that is answered after a loss may have been accepted before it.
    const mayBeLost =
      begin.epoch !== this.#epoch && !isInDatabase(op) && !this.#kept.has(op.durability ?? '');
    if (!mayBeLost) this.#raiseCache(op, op.version);
    if (isInDatabase(op)) this.#raiseDatabase(op, op.version);
    else if (op.durability !== undefined)
      this.#safe.set(op.durability, newer(this.#safe.get(op.durability) ?? none, floorOf(op)));
  }

  /** `row` is judged by what the database must have; the last look at it also by what was accepted. */
  #judge(op: Op, begin: Begin): void {
    const isLast = op.process === 'driver';
    if (op.kind === 'row') this.#judgeBy(op, begin, begin.database, 'database');
    if (op.kind === 'row' && !isLast) return;
    const cache = begin.epoch === this.#epoch ? begin.cache : older(begin.cache, this.#cache);
    this.#judgeBy(op, begin, cache, 'cache');
  }

  #judgeBy(op: Op, begin: Begin, floor: Floor, place: 'cache' | 'database'): void {
    if (op.read === null) this.#judgeAbsent(op, floor);
    else if (op.read !== undefined) this.#judgeValue(op, begin, floor, place);
  }

  #judgeValue(op: Op, begin: Begin, floor: Floor, place: 'cache' | 'database'): void {
    const write = this.#writes.get(String(op.read));
    if (!write || write.at > (op.end ?? 0)) this.#violated('value from nowhere', op, write);
    else if (write.outcome === 'refused') this.#violated('refused write', op, write);
    else if (write.version === undefined) this.#judgeUnknown(op, write, floor, place);
    else if (write.version < floor.version) this.#violated(kindOf(op, floor), op, floor.by, write);
    else if (place === 'database') this.#raiseDatabase(op, write.version);
    else {
      this.#isOlder(begin, write.version);
      if (begin.epoch === this.#epoch) this.#raiseCache(op, write.version);
    }
  }

  /**
   * A write in doubt may come late; but not again after something newer was read. The database may be behind: what it has says
   * nothing of what was read before.
   */
  #judgeUnknown(op: Op, write: Op, floor: Floor, place: 'cache' | 'database'): void {
    if (place === 'database') return;
    const known = this.#observed.find((one) => one.write === write);
    if (known && known.below <= floor.version) this.#violated(kindOf(op, floor), op, floor.by, write);
    else if (!known) this.#observed.push({ write, below: Number.POSITIVE_INFINITY });
  }

  #judgeAbsent(op: Op, floor: Floor): void {
    if (floor.by === undefined) return;
    const isPossible = this.#deletes.some(
      ({ at, version = Number.POSITIVE_INFINITY }) => at <= (op.end ?? 0) && version >= floor.version,
    );
    if (!isPossible) this.#violated(kindOf(op, floor), op, floor.by);
  }

  /** What had been read when this began is older than it. */
  #isOlder(begin: Begin, version: number): void {
    if (begin.epoch !== this.#epoch) return;
    for (const one of this.#observed.slice(0, begin.observed)) one.below = Math.min(one.below, version);
  }

  #raiseCache(by: Op, version: number): void {
    this.#cache = newer(this.#cache, { version, by });
  }

  #raiseDatabase(by: Op, version: number | undefined): void {
    if (version !== undefined) this.#database = newer(this.#database, { version, by });
  }

  #violated(kind: ViolationKind, ...ops: readonly (Op | undefined)[]): void {
    const [op, ...others] = ops.filter((one) => one !== undefined);
    if (op === undefined) return;
    const message = `${op.kind} of ${op.process}/${op.client} gave ${op.read ?? op.version ?? null}`;
    this.violations.push({ kind, key: this.#key, message, ops: [op, ...others] });
  }
}

function kindOf(op: Op, { by }: Floor): ViolationKind {
  if (by?.kind === 'persisted' || (op.kind === 'row' && by && isInDatabase(by))) return 'false receipt';
  if (op.kind === 'row') return by?.kind === 'row' ? 'database went back' : 'lost write';
  if (by?.kind === 'delete' && op.read !== null) return 'resurrection';
  if (by?.process !== op.process || by.client !== op.client) return 'stale read';
  return writeKinds.has(by.kind) ? 'own write not read' : 'read went back';
}

function floorOf(op: Op): Floor {
  return op.version === undefined ? none : { version: op.version, by: op };
}

function newer(a: Floor, b: Floor): Floor {
  return b.version > a.version ? b : a;
}

function older(a: Floor, b: Floor): Floor {
  return b.version < a.version ? b : a;
}
