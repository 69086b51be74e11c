/** What is told of a record and of an entry, and the answer as a sentence. */
import { parseCounterEntry, parseEntry } from '../buffer/entry.js';
import { jsonOf, shownRecord } from '../definitions/private-fields.js';
import type { CounterStore, RecordStore } from '../definitions/stores.js';
import { duration } from './duration.js';
import type { RowFacts } from './row-facts.js';
import type { RecordWhereabouts } from './where.js';

/** Of what is pending. */
export interface RecordFacts {
  /** What it does: a delta is what is to be added to a counter. */
  readonly does: 'put' | 'delete' | 'replace' | 'delta';
  /** A delta has none. */
  readonly version?: string;
  /** The row as JSON, without private fields; undefined where the definitions are not known. Or the delta. */
  readonly text?: string;
}

export interface EntryFacts {
  /** `absent`: it is known that there is no row. `leased`: it is being loaded. */
  readonly holds: 'row' | 'value' | 'absent' | 'leased';
  /** Of a row, or of its absence. */
  readonly version?: string;
  readonly livesForMs: number;
  readonly text?: string;
}

type Definition = RecordStore | CounterStore | undefined;

const kinds = { P: 'put', D: 'delete', R: 'replace' } as const;
const usPerMs = 1_000n;

/** Versions and numbers of batches are µs since 1970. */
export function timeOf(us: bigint): Date {
  return new Date(Number(us / usPerMs));
}

export function recordFacts(record: string, definition: Definition): RecordFacts {
  const does = kinds[record[0] as keyof typeof kinds];
  if (does === undefined) return { does: 'delta', text: record };
  return { does, version: record.slice(1, record.indexOf('|')), ...textOf(record, definition) };
}

export function entryFacts(
  { content, ttlMs }: { content: string; ttlMs: number },
  definition: Definition,
): EntryFacts {
  if (/^-?\d+$/.test(content)) {
    const entry = parseCounterEntry(content);
    return { holds: 'value', livesForMs: ttlMs, ...(entry.kind === 'value' && { text: `${entry.value}` }) };
  }
  const entry = parseEntry(content);
  if (entry.kind === 'none') return { holds: 'leased', livesForMs: ttlMs };
  return {
    holds: entry.kind,
    version: entry.version,
    livesForMs: ttlMs,
    ...(entry.kind === 'row' && textOf(content, definition)),
  };
}

/** What a row holds is only shown where it is known which of its fields are private. */
function textOf(record: string, definition: Definition): { text?: string } {
  if (definition?.kind !== 'record') return {};
  const text = jsonOf(shownRecord(record, definition));
  return text === undefined ? {} : { text };
}

/** The state as a sentence. */
export function answerOf(
  state: RecordWhereabouts['state'],
  {
    dirty,
    waiting,
    sealed,
    deadLetter,
  }: Pick<RecordWhereabouts, 'dirty' | 'waiting' | 'sealed' | 'deadLetter'>,
  row: RowFacts | undefined,
): string {
  const ago = (time: Date | undefined) => duration(Date.now() - (time?.getTime() ?? Date.now()));
  switch (state) {
    case 'dirty':
      return `Accepted, and not in the database yet: it has waited for a batch for ${ago(dirty?.since)}.`;
    case 'waiting':
      return `Accepted, and not in the database yet: it waits for a row that it refers to, for a unique value, or for its tenant's turn; for ${duration(waiting?.forMs ?? 0)} so far.`;
    case 'sealed': {
      const failures = sealed?.failures ?? 0;
      const failed = failures === 0 ? '' : ` It has failed ${failures === 1 ? 'once' : `${failures} times`}.`;
      return `On its way to the database, in a batch that was sealed ${ago(sealed?.sealedAt)} ago.${failed}`;
    }
    case 'refused':
      return `The database refused it ${ago(deadLetter?.refusedAt)} ago: ${deadLetter?.message}`;
    default:
      return `Nothing of it is pending: what was accepted of it is in the database.${rowAnswer(row)}`;
  }
}

function rowAnswer(row: RowFacts | undefined): string {
  if (row === undefined || row.error !== undefined) return '';
  return row.isThere ? ' Its row is there.' : ' There is no row.';
}
