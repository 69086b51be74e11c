/** What asks for a refresh carries. */

/** A value that was read in the last part of its fresh life, to be computed anew. */
export interface RefreshJob {
  /** Its computed store, by name. */
  readonly store: string;
  /** Of the value, as the store's loader gets it. */
  readonly id: string;
  /** The value's id: once another has taken its place, there is nothing left to do. */
  readonly seen: string;
  /** Life of the new one, where it is not the store's own. */
  readonly ttlMs?: number;
}
