/** Whether each call came back, and within the time that it states. */
import type { History, Kind, Op } from '../history.js';
import type { Violation } from './violation.js';

const second = 1_000_000;
/** What Redis may take, and those before it in the lane. */
const redis = 7 * second;
const database = 10 * second;
const receipt = 30 * second;

/** As the docs state them: errors.md, operations.md, and the comments of the calls. */
const bounds: Readonly<Record<Kind, number>> = {
  put: redis,
  delete: redis,
  add: redis,
  get: redis + database,
  count: redis + database,
  // It waits for a version for 15 s, then writes.
  update: redis + database + 15 * second,
  persisted: receipt,
  // Not forebay's.
  row: 60 * second,
};

/** Of a busy machine: timers come late, and a call waits for its turn in its process. */
const slack = 5 * second;

export function checkBounds({ ops, ends, endedAt }: History): Violation[] {
  return ops.flatMap((op): Violation[] => {
    const bound = boundOf(op);
    if (op.end === undefined) {
      const lastSeen = ends.get(op.process) ?? endedAt;
      return lastSeen - op.at > bound ? [violation('hanging call', op, lastSeen)] : [];
    }
    return op.end - op.at > bound ? [violation('slow call', op, op.end)] : [];
  });
}

function boundOf({ kind, durability }: Op): number {
  const waits = durability === 'database' ? receipt : durability === 'memory' ? 0 : second;
  return bounds[kind] + waits + slack;
}

function violation(kind: 'hanging call' | 'slow call', op: Op, until: number): Violation {
  const seconds = ((until - op.at) / second).toFixed(1);
  const message = `${op.kind} of ${op.process}/${op.client} ${kind === 'slow call' ? 'took' : 'has not ended after'} ${seconds} s`;
  return { kind, key: op.key, message, ops: [op] };
}
