/** What a lane's state proves of a write: versions are compared within one history of the lane only. */
import type { AcceptedAt, LaneState, LedgerState } from '../../buffer/write-buffer.js';

/** `unknown`: the lane does not know of the write, so Redis has lost it, before or after it was persisted. */
export type Fate = 'persisted' | 'pending' | 'unknown';

interface Judged extends AcceptedAt {
  /** Nothing may wait for others' rows either. */
  readonly isFlush: boolean;
}

export function fateOf(write: Judged, state: LaneState): Fate {
  const { generation, past, version, oldest, waiting } = state;
  const survivedUpTo = write.generation === generation ? version : past.get(write.generation);
  if (survivedUpTo === undefined || write.version > survivedUpTo) return 'unknown';
  const watermark = oldest === undefined ? version : oldest - 1n;
  if (write.version > watermark || (write.isFlush && waiting > 0)) return 'pending';
  return 'persisted';
}

/** What the ledger itself proves. */
export function isInLedger(
  { generation, version, isFlush }: Judged,
  ledger: LedgerState | undefined,
): boolean {
  if (isFlush || ledger?.persisted === undefined) return false;
  return ledger.generation === generation && version <= ledger.persisted;
}
