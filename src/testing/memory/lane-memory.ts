/** What a lane holds: rows and deltas that are accepted and not in the database, and those without a row. */

/** `P`: put; `D`: deleted; `R`: deleted and made anew. */
export type RowKind = 'P' | 'D' | 'R';

export interface PendingRow {
  readonly kind: RowKind;
  readonly version: bigint;
  /** The version at which it became dirty. */
  readonly since: bigint;
  readonly release: string;
  /** The row's columns as JSON, by name. */
  readonly values: ReadonlyMap<string, string>;
  /** Columns that are written where there is a row. */
  readonly written: ReadonlySet<string>;
}

export interface PendingDelta {
  readonly delta: bigint;
  readonly since: bigint;
}

/** Deltas of a row that is not there, by their fields. */
export interface MissingRowLetter {
  readonly at: string;
  readonly since: bigint;
  readonly deltas: ReadonlyMap<string, bigint>;
}

export class LaneMemory {
  /** By field, as are the others. */
  readonly rows = new Map<string, PendingRow>();
  readonly deltas = new Map<string, PendingDelta>();
  /** By the field of the row. */
  readonly letters = new Map<string, MissingRowLetter>();
  /** The last that was accepted. */
  version = 0n;
  /** The number of the last batch. */
  batch = 0n;
  batches = 0;
  persisted = 0;

  get dirty(): number {
    return this.rows.size + this.deltas.size;
  }

  /** The version at which the oldest of what is pending became dirty. */
  get oldest(): bigint | undefined {
    let oldest: bigint | undefined;
    for (const { since } of [...this.rows.values(), ...this.deltas.values()])
      if (oldest === undefined || since < oldest) oldest = since;
    return oldest;
  }

  isPending(field: string): boolean {
    return this.rows.has(field) || this.deltas.has(field);
  }

  /** Greater than the last one, and no less than the clock. */
  nextVersion(nowMs: number): bigint {
    this.version = later(this.version, nowMs);
    return this.version;
  }

  nextBatch(nowMs: number): bigint {
    this.batch = later(this.batch, nowMs);
    return this.batch;
  }

  add(field: string, delta: bigint, since: bigint): void {
    const pending = this.deltas.get(field);
    this.deltas.set(field, {
      delta: (pending?.delta ?? 0n) + delta,
      since: pending !== undefined && pending.since < since ? pending.since : since,
    });
  }
}

function later(last: bigint, nowMs: number): bigint {
  const now = BigInt(Math.floor(nowMs * 1_000));
  return last < now ? now : last + 1n;
}
