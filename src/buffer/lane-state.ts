/** What a lane, and the ledger, know of what was accepted and persisted. */
/** Where a write stands in its lane's history. */
export interface AcceptedAt {
  readonly version: bigint;
  /** Of the lane: versions of two generations can't be compared. */
  readonly generation: string;
}

/** What the ledger has of a lane. */
export interface LedgerState {
  /** The number of the last batch that was applied. */
  readonly batch: bigint;
  /** When that was, by the clock of the database. */
  readonly appliedAt?: Date;
  /** The lane's generation then; undefined: not known. */
  readonly generation?: string | undefined;
  /** The version up to which everything of that generation is in the database; undefined: not known. */
  readonly persisted?: bigint | undefined;
}

export interface LaneState {
  /** The last accepted version; '0' when there was none. */
  readonly version: bigint;
  /**
   * The version at which the oldest unpersisted record became dirty, of those that do not wait for others'
   * rows.
   */
  readonly oldest: bigint | undefined;
  readonly dirty: number;
  readonly sealed: number;
  readonly persisted: number;
  readonly batches: number;
  /** Age of the oldest unpersisted record, in ms; 0 when there is none. */
  readonly ageMs: number;
  /** Dead letters. */
  readonly dead: number;
  /** Records that wait for others' rows, or their tenant's turn. */
  readonly waiting: number;
  /**
   * The version before which nothing that waits was accepted, or another one up to that which who asked was
   * about, at which something was; undefined: nobody asked.
   */
  readonly waitsSince: bigint | undefined;
  /** The lane's; '' when nothing was ever written. */
  readonly generation: string;
  /** Past generations: up to which version what each has accepted survived. */
  readonly past: ReadonlyMap<string, bigint>;
}

/** Whether all that was accepted up to a version is in the database, or a dead letter; asked about that. */
export function isPersistedUpTo(
  version: bigint,
  { oldest, waiting, waitsSince = 0n }: Pick<LaneState, 'oldest' | 'waiting' | 'waitsSince'>,
): boolean {
  return (oldest === undefined || oldest > version) && (waiting === 0 || waitsSince > version);
}

/** What `inspect` returned. */
export function toLaneState(reply: readonly (string | number)[]): LaneState {
  const [version, oldest, dirty, sealed, persisted, batches, now, dead, waiting, generation, past, since] =
    reply as [
      ...[string, string, number, number, number, number, string, number, number, string, string, string],
    ];
  const ageMs = oldest === '' ? 0 : Math.max(0, (Number(now) - Number(oldest)) / 1_000);
  const survived = [...past.matchAll(/([^ ;]+) (\d+);/g)].map(([, id, last]) => [id, BigInt(last as string)]);
  return {
    version: BigInt(version),
    oldest: oldest === '' ? undefined : BigInt(oldest),
    dirty,
    sealed,
    persisted,
    batches,
    ageMs,
    dead,
    waiting,
    waitsSince: since === '' ? undefined : BigInt(since),
    generation,
    past: new Map(survived as [string, bigint][]),
  };
}
