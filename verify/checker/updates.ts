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
  const doubtful = ops.filter(({ kind, version }) => kind === 'delete' && version === undefined);
  return writes.flatMap((op, at): Violation[] => {
    const before = writes[at - 1];
    if (op.kind !== 'update' || before === undefined || hasSeen(op, before, { writes, doubtful })) return [];
    const message = `an update was made of ${op.read}, and replaced ${before.wrote}`;
    return [{ kind: 'lost update', key, message, ops: [op, before] }];
  });
}

interface Others {
  readonly writes: readonly Op[];
  /** Deletes that may have been accepted. */
  readonly doubtful: readonly Op[];
}

/** What it saw may also be a write in doubt, or one that Redis may have forgotten: that proves nothing. */
function hasSeen(update: Op, before: Op, { writes, doubtful }: Others): boolean {
  if (update.read === before.wrote) return true;
  if (update.read === null) return doubtful.some(({ at }) => at < (update.end ?? 0));
  return !writes.some(({ wrote }) => wrote === update.read);
}
