/**
 * What stands in a record's entry: the record as the lane has it (`P<version>|<JSON>` or `R…` for a row,
 * `D<version>|` for a row known to be absent), or `?<token>`, a lease, and `;w` behind it while somebody
 * waits for it. A counter's entry is the plain integer, so that Redis can add to it.
 */

import { splitRelease } from '../definitions/release.js';

export type Entry =
  | { readonly kind: 'row'; readonly version: string; readonly release: string; readonly json: string }
  | { readonly kind: 'absent'; readonly version: string }
  /** `lease`: the token of whoever loads it. */
  | { readonly kind: 'none'; readonly lease?: string };

export function parseEntry(content: string | null): Entry {
  switch (content?.[0]) {
    case 'P':
    case 'R': {
      const bar = content.indexOf('|');
      const { release, json } = splitRelease(content, bar + 1);
      return { kind: 'row', version: content.slice(1, bar), release, json };
    }
    case 'D':
      return { kind: 'absent', version: content.slice(1, -1) };
    case '?':
      return { kind: 'none', lease: leaseOf(content) };
    default:
      return { kind: 'none' };
  }
}

/** The token of a lease. */
function leaseOf(content: string): string {
  return content.slice(1).replace(/;w$/, '');
}

/** A row that is known to be absent, as it goes into `fill`. */
export const absentEntry = 'D|';

/** Into an entry that is not filled: its lease is given back. */
export const released = '';

/** What was loaded, as it goes into `fill`, which gives it a version unless the row has its own. */
export function loadedEntry(json: string | undefined, version?: bigint): string {
  if (json === undefined) return absentEntry;
  return version === undefined ? `P|${json}` : `P${version}|${json}`;
}

export type CounterEntry =
  | { readonly kind: 'value'; readonly value: bigint }
  | Extract<Entry, { kind: 'none' }>;

export function parseCounterEntry(content: string | null): CounterEntry {
  if (content === null) return { kind: 'none' };
  return content[0] === '?'
    ? { kind: 'none', lease: leaseOf(content) }
    : { kind: 'value', value: BigInt(content) };
}
