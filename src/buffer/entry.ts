/**
 * What stands in a record's entry: the record as the lane has it (`P<version>|<JSON>` or `R…` for a row, `D<version>|` for a row
 * known to be absent), or `?<token>`, a lease, and `;w` behind it while somebody waits for it. A counter's entry is the plain integer, so that Redis can add to it.
 */

import { splitRelease } from '../definitions/release.js';

export type Entry =
  | { readonly kind: 'row'; readonly version: string; readonly release: string; readonly json: string }
  | { readonly kind: 'absent'; readonly version: string }
  | { readonly kind: 'none' };

export function parseEntry(content: string | null): Entry {
  switch (content?.[0]) {
    case 'P':
    case 'R': {
      const bar = content.indexOf('|');
      return { kind: 'row', version: content.slice(1, bar), ...splitRelease(content, bar + 1) };
    }
    case 'D':
      return { kind: 'absent', version: content.slice(1, -1) };
    default:
      return { kind: 'none' };
  }
}

/** A row that is known to be absent, as it goes into `fill`. */
export const absentEntry = 'D|';

/** What was loaded, as it goes into `fill`, which gives it a version unless the row has its own. */
export function loadedEntry(json: string | undefined, version?: bigint): string {
  if (json === undefined) return absentEntry;
  return version === undefined ? `P|${json}` : `P${version}|${json}`;
}

export function isCounterValue(content: string | null): content is string {
  return content !== null && content[0] !== '?';
}
