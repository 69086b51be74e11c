/** What is recorded of each call, and what the checker is given. */
import type { Durability } from '../src/definitions/record.js';

/**
 * - `get`, `count`: what a client was told of a row or a counter
 * - `row`: what Postgres itself has at that moment, by a connection of its own
 * - `persisted`: the wait for a receipt
 */
export type Kind = 'put' | 'delete' | 'update' | 'add' | 'get' | 'count' | 'persisted' | 'row';

/**
 * - `refused`: it is certain that nothing was written
 * - `unknown`: it may have been
 */
export type Outcome = 'ok' | 'refused' | 'unknown';

/** One call. Times are µs of the machine's monotonic clock, which its processes share. */
export interface Op {
  readonly process: string;
  readonly client: number;
  readonly kind: Kind;
  /** `store:id` */
  readonly key: string;
  readonly at: number;
  /** Absent when it never came back. */
  readonly end?: number;
  readonly outcome?: Outcome;
  readonly code?: string;
  /** Of a write, or of the write whose receipt it is: what orders the writes of a key. */
  readonly version?: number;
  /** What a write wrote, which no other writes; null for a delete. */
  readonly wrote?: string | null;
  /** What was read. Of an update: what it was made of. */
  readonly read?: string | number | null;
  readonly delta?: number;
  readonly durability?: Durability;
}

/** Redis goes back in time, on purpose. */
export interface Loss {
  readonly what: 'power loss' | 'takeover';
  /** What was accepted before is safe. */
  readonly from: number;
  /** What begins after it meets the older state. */
  readonly at: number;
  /** From here on readers see nothing older than the database: the workers have compared it with Redis. */
  readonly until: number;
  /** What was accepted with one of these is safe too. */
  readonly keeps: readonly Durability[];
}

export interface History {
  readonly ops: readonly Op[];
  readonly losses: readonly Loss[];
  /** When processes ended that were killed, or ended by themselves: their calls never come back. */
  readonly ends: ReadonlyMap<string, number>;
  /** When the recording ended. */
  readonly endedAt: number;
}

export const writeKinds: ReadonlySet<Kind> = new Set(['put', 'delete', 'update', 'add']);

/** A write that was only accepted once it was there; not one whose wait was given up. */
export function isInDatabase({ durability, outcome, code }: Op): boolean {
  return durability === 'database' && outcome === 'ok' && code === undefined;
}

export const nowUs = (): number => Number(process.hrtime.bigint() / 1_000n);

export function opsByKey(ops: readonly Op[]): Map<string, Op[]> {
  const keys = new Map<string, Op[]>();
  for (const op of ops) {
    const known = keys.get(op.key);
    if (known) known.push(op);
    else keys.set(op.key, [op]);
  }
  return keys;
}

/** For people: a line for each call, in their order. */
export function describe(ops: readonly Op[]): string {
  const sorted = ops.toSorted((a, b) => a.at - b.at);
  const first = sorted[0]?.at ?? 0;
  return sorted.map((op) => describeOp(op, first)).join('\n');
}

export function describeOp(op: Op, first = 0): string {
  const ms = (us: number | undefined): string => (us === undefined ? '…' : ((us - first) / 1_000).toFixed(1));
  const facts = [
    op.wrote === undefined ? '' : `wrote ${op.wrote}`,
    op.delta === undefined ? '' : `added ${op.delta}`,
    op.read === undefined ? '' : `read ${op.read}`,
    op.version === undefined ? '' : `version ${op.version}`,
    op.durability === undefined ? '' : op.durability,
    op.code ?? '',
  ].filter((fact) => fact !== '');
  const who = `${op.process}/${op.client}`.padEnd(12);
  return `${ms(op.at).padStart(10)} ${ms(op.end).padStart(10)} ms  ${who} ${op.kind.padEnd(9)} ${(op.outcome ?? 'no end').padEnd(8)} ${facts.join(', ')}`;
}
