/** What a history must not have. */
import type { Op } from '../history.js';

export type ViolationKind =
  /** A read is older than a write that was accepted before it began. */
  | 'stale read'
  | 'own write not read'
  | 'read went back'
  /** A row is read after its delete was accepted, and not made anew. */
  | 'resurrection'
  /** What nobody wrote, or nobody had begun to write. */
  | 'value from nowhere'
  /** What was refused for certain is read. */
  | 'refused write'
  /** A later write has a smaller version. */
  | 'version went back'
  /** An update replaced a write that it had not seen. */
  | 'lost update'
  | 'lost write'
  | 'lost delta'
  | 'doubled delta'
  /** A receipt was settled, and Postgres has an older row or sum. */
  | 'false receipt'
  /** A receipt says that its write is lost, and nothing can have been lost. */
  | 'loss told'
  /** A receipt waited in vain, though its row had been in Postgres for long. */
  | 'receipt not settled'
  | 'database went back'
  /** What is read at the end is not what the database has. */
  | 'cache differs'
  | 'hanging call'
  | 'slow call'
  /** A whole batch, or a lane, does not come to its end once all faults are over. */
  | 'not drained';

export interface Violation {
  readonly kind: ViolationKind;
  readonly key: string;
  readonly message: string;
  /** Those that contradict each other. */
  readonly ops: readonly Op[];
}
