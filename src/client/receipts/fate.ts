/** What a lane's state proves of a write: versions are compared within one history of the lane only. */
import type { AcceptedAt, LaneState, LedgerState } from '../../buffer/lane-state.js';

/**
 * - `unless-waiting`: persisted, unless its record is one of those that wait for others' rows
 * - `unknown`: the lane does not know of the write, so Redis has lost it, before or after it was persisted
 */
export type Fate = 'persisted' | 'unless-waiting' | 'pending' | 'unknown';

interface Judged extends AcceptedAt {
  /** Nothing may wait for others' rows either. */
  readonly isFlush: boolean;
}

export function fateOf(write: Judged, state: LaneState): Fate {
  const { generation, past, version, oldest, waiting } = state;
  const survivedUpTo = write.generation === generation ? version : past.get(write.generation);
  if (survivedUpTo === undefined || write.version > survivedUpTo) return 'unknown';
  const watermark = oldest === undefined ? version : oldest - 1n;
  return write.version > watermark ? 'pending' : reached(write, waiting);
}

/** Of a write that the lane's watermark has reached. */
export function reached({ isFlush }: Judged, waiting: number): Fate {
  if (waiting === 0) return 'persisted';
  return isFlush ? 'pending' : 'unless-waiting';
}

/** What the ledger itself proves. */
export function isInLedger(
  { generation, version, isFlush }: Judged,
  ledger: LedgerState | undefined,
): boolean {
  if (isFlush || ledger?.persisted === undefined) return false;
  return ledger.generation === generation && version <= ledger.persisted;
}
