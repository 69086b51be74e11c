/** Whether each update replaced what it had seen: in the order of versions, nothing stands between the two. */
import { type Loss, type Op, writeKinds } from '../history.js';
import type { Violation } from './violation.js';

export function checkUpdates(key: string, ops: readonly Op[], losses: readonly Loss[]): Violation[] {
  const isForgettable = (op: Op): boolean =>
    losses.some(({ from, at }) => op.at < at && (op.end ?? Number.POSITIVE_INFINITY) > from);
  const writes = ops
    .filter(({ kind, outcome, version }) => writeKinds.has(kind) && outcome === 'ok' && version !== undefined)
    .filter((op) => !isForgettable(op))
    .sort((a, b) => (a.version ?? 0) - (b.version ?? 0));
  return writes.flatMap((op, at): Violation[] => {
    const before = writes[at - 1];
    if (op.kind !== 'update' || before === undefined || hasSeen(op, before, writes)) return [];
    const message = `an update was made of ${op.read}, and replaced ${before.wrote}`;
    return [{ kind: 'lost update', key, message, ops: [op, before] }];
  });
}

/** What it saw may also be a write in doubt, or one that Redis may have forgotten: that proves nothing. */
function hasSeen(update: Op, before: Op, writes: readonly Op[]): boolean {
  if (update.read === before.wrote) return true;
  return update.read !== null && !writes.some(({ wrote }) => wrote === update.read);
}
