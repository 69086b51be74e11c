/** What `seal.lua` is asked for, and what it answers. */
import { type Batch, parseBatch } from './batch.js';
import type { Lane } from './lane.js';

export interface SealOptions {
  /** Most records in the batch. */
  readonly recordsMax: number;
  /** How old the oldest record must be, unless there are `recordsMax` of them or somebody waits for it. */
  readonly delayMs: number;
  /** The number of the lane's last batch that is known to be applied; a new one gets a greater number. */
  readonly floor: bigint;
  /** The lane's generation that was compared with the ledger; undefined: any. */
  readonly compared?: string | undefined;
  /** For how long the caller stays when the lane is empty: it looks again then. Default 0: it leaves. */
  readonly staysMs?: number;
}

export type SealReply =
  /** The lane is of another generation than was compared. */
  | { readonly kind: 'uncompared' }
  | { readonly kind: 'batch'; readonly batch: Batch }
  | { readonly kind: 'wait'; readonly waitMs: number }
  | { readonly kind: 'empty' };

type Codes = [SealReply['kind'], string | number, string, string, number, string, ...string[]];

export function toSealReply({ name, group }: Lane, reply: readonly (string | number)[]): SealReply {
  const [kind, detail, generation, persisted, isRetry, ageUs, ...sealed] = reply as Codes;
  if (kind === 'empty' || kind === 'uncompared') return { kind };
  if (kind === 'wait') return { kind, waitMs: Number(detail) };
  const sealing = {
    generation,
    persisted: persisted || undefined,
    isRetry: isRetry === 1,
    ageMs: ageUs === '' ? undefined : Math.max(0, Number(ageUs) / 1_000),
  };
  return { kind, batch: { ...parseBatch(name, group, String(detail), sealed), sealing } };
}
