/** What a lane knows of one record or counter, at one moment. */
import type { LetterError } from './step-replies.js';

export interface Found {
  /** The server's time, in µs since 1970. */
  readonly now: bigint;
  readonly lane: {
    /** The last accepted version; 0: none. */
    readonly version: bigint;
    /** '' when nothing was ever written. */
    readonly generation: string;
    /** The number of the last batch; undefined: none yet. */
    readonly batch: bigint | undefined;
    /** That of the batch that is sealed now. */
    readonly sealedBatch: bigint | undefined;
    /** How often that could not be applied. */
    readonly failures: number;
  };
  /** The entry's content, and how long it lives, in ms. */
  readonly entry?: { readonly content: string; readonly ttlMs: number };
  /** The dirty record; `since`: the version at which it became dirty, where it does not wait. */
  readonly dirty?: { readonly record: string; readonly since: bigint | undefined };
  /** The record of the sealed batch. */
  readonly sealed?: string;
  /** It waits for a row that it refers to: for so long, in ms; and when (µs) it is tried next. */
  readonly waiting?: { readonly forMs: number; readonly retryAt: bigint | undefined };
  /** `record`: what it holds of the field, where it does. */
  readonly letter?: { readonly at: string; readonly error: LetterError; readonly record: string | undefined };
}

/** What `find` returned. */
export function toFound(reply: readonly (string | number)[]): Found {
  const [now, version, generation, batch, sealedBatch, failures, entry, ttlMs, ...places] = reply as string[];
  const [dirty, place, sealed, waiting, retryAt, refusedAt, error, buried] = places;
  const known = { version: BigInt(version as string), generation: generation as string };
  const batches = { batch: toNumber(batch), sealedBatch: toNumber(sealedBatch), failures: Number(failures) };
  return {
    now: BigInt(now as string),
    lane: { ...known, ...batches },
    ...(entry && { entry: { content: entry, ttlMs: Number(ttlMs) } }),
    ...(dirty && { dirty: { record: dirty, since: toNumber(place) } }),
    ...(sealed && { sealed }),
    ...(waiting && { waiting: { forMs: parseInt(waiting, 10), retryAt: toNumber(retryAt) } }),
    ...(refusedAt &&
      error && {
        letter: { at: refusedAt, error: JSON.parse(error) as LetterError, record: buried || undefined },
      }),
  };
}

function toNumber(text: string | undefined): bigint | undefined {
  return text ? BigInt(text) : undefined;
}
