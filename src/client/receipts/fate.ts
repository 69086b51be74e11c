/** What a lane's state proves of a write: versions are compared within one history of the lane only. */
import type { AcceptedAt, LaneState, LedgerState } from '../../buffer/lane-state.js';

/**
 * - `unless-left-behind`: persisted, unless its record is a dead letter, or waits for others' rows
 * - `unknown`: the lane does not know of the write, so Redis has lost it, before or after it was persisted
 */
export type Fate = 'persisted' | 'unless-left-behind' | 'pending' | 'unknown';

interface Judged extends AcceptedAt {
  /** Nothing that was accepted up to it may wait for others' rows either. */
  readonly isFlush: boolean;
}

/** [FB-WATERMARK] */
export function fateOf(write: Judged, state: LaneState): Fate {
  const { generation, past, version, oldest } = state;
  const survivedUpTo = write.generation === generation ? version : past.get(write.generation);
  if (survivedUpTo === undefined || write.version > survivedUpTo) return 'unknown';
  const watermark = oldest === undefined ? version : oldest - 1n;
  return write.version > watermark ? 'pending' : reached(write, state);
}

/** Of a write that the lane's watermark has reached. */
export function reached(
  { isFlush, version }: Judged,
  { waiting, dead, waitsSince = 0n }: Pick<LaneState, 'waiting' | 'dead'> & Partial<LaneState>,
): Fate {
  if (isFlush) return waiting === 0 || waitsSince > version ? 'persisted' : 'pending';
  return waiting + dead === 0 ? 'persisted' : 'unless-left-behind';
}

/** What the ledger itself proves. */
export function isInLedger(
  { generation, version, isFlush }: Judged,
  ledger: LedgerState | undefined,
): boolean {
  if (isFlush || ledger?.persisted === undefined) return false;
  return ledger.generation === generation && version <= ledger.persisted;
}
