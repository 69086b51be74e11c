/** What the steps of the write buffer are given, and what they answer: it alone knows the scripts’ codes. */
import type { ClaimKind, CounterClaimReply, RecordKind } from './scripts.js';

export type WriteOp = 'put' | 'put-if' | 'patch' | 'delete' | 'add' | 'forget' | 'together';

export interface Write {
  readonly op: WriteOp;
  /** `store:id`. */
  readonly field: string;
  readonly payload: string;
  /** Whose the record is, where its store has tenants. */
  readonly tenant?: string;
}

/** What a call of writes was answered. */
export interface Accepted {
  readonly wake: boolean;
  /** The lane's, in which they were accepted. */
  readonly generation: string;
  readonly replies: WriteReply[];
}

/** A write's version, or why it was not accepted. */
export type WriteReply = { readonly version: string } | Refused;

export type Refused =
  | { readonly refused: 'full' | 'overflow' }
  /** The store's number of lanes is being changed, or was: nothing of the call was executed. */
  | { readonly refused: 'partitions' }
  /** A put-if or a delete found another version, `found`; undefined when the record's is not known. */
  | { readonly refused: 'conflict'; readonly found: string | undefined };

/** What came of a claim of a missed entry. */
export type RecordClaim =
  /** The entry's content: pending, or filled meanwhile. */
  | { readonly kind: 'value'; readonly entry: string }
  /** The caller may fill. */
  | { readonly kind: 'lease' }
  /** Somebody else may, for `waitMs` at most. */
  | { readonly kind: 'wait'; readonly waitMs: number }
  /** Redis takes no writes, so there is no lease; its words. */
  | { readonly kind: 'refused'; readonly words: string }
  /** The lane is closed, for the store's number of lanes is being changed: nothing may be filled. */
  | { readonly kind: 'closed' }
  /** The store has another number of lanes than the caller knows of: the record may be in another lane. */
  | { readonly kind: 'moved' };

/** That of a counter's entry, and what is pending. */
export type CounterClaim = RecordClaim & PendingCounter;

export interface PendingCounter {
  readonly dirtyDelta: bigint;
  readonly sealedDelta: bigint;
  readonly dirtyRecord: RecordKind;
  readonly sealedRecord: RecordKind;
}

export interface CountersClaim {
  /** The last batch number of the lane, and that of the sealed batch; undefined when there is none. */
  readonly batch: bigint | undefined;
  readonly sealed: bigint | undefined;
  readonly counters: readonly CounterClaim[];
}

export interface Fill {
  readonly field: string;
  /** The entry's, or `released`. */
  readonly content: string;
  readonly ttlMs: number;
}

export type FenceStep = 'close' | 'move' | 'open';

export interface FenceReply {
  /** `late`: the lane is in a later epoch; `busy`: it holds what must be in the database first. */
  readonly kind: 'done' | 'late' | 'busy';
  /** The lane's last. */
  readonly version: bigint;
}

export type RaiseReply =
  | { readonly kind: 'even'; readonly generation: string }
  /** Redis has lost batches; the entries are to be dropped. `batch`: the last that it knows, 0: none. */
  | { readonly kind: 'behind'; readonly generation: string; readonly batch: bigint };

/** A record to be taken out of the sealed batch. */
export interface SplitPart {
  readonly field: string;
  /**
   * `wait`: dirty again, until it has waited for too long; `again`: dirty again; `drop`: a delta that is
   * dropped.
   */
  readonly fate: 'dead' | 'wait' | 'again' | 'drop';
  /** One that waits longer becomes a dead letter. */
  readonly waitMs: number;
  /** The field of its letter. */
  readonly letter: string;
  /** The field of the record in whose row a counter lives; '' when there is none. */
  readonly row: string;
  /** A `LetterError` as JSON. */
  readonly error: string;
  /** Of its aggregate, of which all that the batch has is taken out; '' when there is none. */
  readonly anchor: string;
}

export interface SplitDone {
  readonly kind: 'split';
  /** Records that are left in the sealed batch, under its new number. */
  readonly rest: number;
  /** Of the new dead letters. */
  readonly deadFields: readonly string[];
}

export type SplitReply = SplitDone | { readonly kind: 'late' } | { readonly kind: 'full' };

/** What the database said. */
export interface LetterError {
  /** The SQLSTATE; '' when there is none. */
  readonly state: string;
  readonly message: string;
}

/** What tells a dead letter from others of its lane. */
export interface LetterName {
  /** `store:id`. */
  readonly field: string;
  /** When it was refused, in µs since 1970. */
  readonly at: string;
}

/** A record that the database refuses, kept with its error. */
export interface DeadLetter extends LetterName {
  readonly lane: string;
  /** The version before which nothing of it was accepted. */
  readonly since: string;
  /** By field: the record, and the deltas of its row's counters that wait with it; as the lane has them. */
  readonly records: Readonly<Record<string, string>>;
  readonly error: LetterError;
}

const letters: Record<WriteOp, string> = {
  put: 'p',
  'put-if': 'i',
  patch: 'c',
  delete: 'd',
  add: 'a',
  forget: 'f',
  together: 't',
};

/** What is done, a letter for each write. */
export function toLetters(writes: readonly Write[]): string {
  let text = '';
  for (const { op } of writes) text += letters[op];
  return text;
}

export function toAccepted([wake, generation, first, ...replies]: readonly (string | number)[]): Accepted {
  // As a number of JavaScript it is exact until 2255.
  const firstVersion = Number(first);
  return {
    wake: wake === 1,
    generation: String(generation),
    replies: replies.map((reply) =>
      typeof reply === 'number' ? { version: String(firstVersion + reply) } : toRefused(reply),
    ),
  };
}

function toRefused(text: string): Refused {
  if (text === 'full' || text === 'overflow' || text === 'partitions') return { refused: text };
  return { refused: 'conflict', found: text.slice('conflict '.length) || undefined };
}

export function toBigInt(text: string): bigint | undefined {
  return text === '' ? undefined : BigInt(text);
}

export function toRecordClaim(kind: ClaimKind, detail: string | number | undefined): RecordClaim {
  if (kind === 'value') return { kind, entry: String(detail) };
  if (kind === 'wait') return { kind, waitMs: Number(detail) };
  return kind === 'refused' ? { kind, words: String(detail) } : { kind };
}

export function toCounterClaim(reply: CounterClaimReply): CounterClaim {
  const [kind, detail, dirtyDelta, sealedDelta, dirtyRecord, sealedRecord] = reply;
  return {
    ...toRecordClaim(kind, detail),
    dirtyDelta: BigInt(dirtyDelta),
    sealedDelta: BigInt(sealedDelta),
    dirtyRecord,
    sealedRecord,
  };
}

export function toRaiseReply(reply: readonly string[]): RaiseReply {
  const [kind, generation, batch] = reply as [RaiseReply['kind'], string, string];
  return kind === 'even' ? { kind, generation } : { kind, generation, batch: BigInt(batch) };
}
