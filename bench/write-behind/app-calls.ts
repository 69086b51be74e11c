/** What the two apps have in common: they write a workload, row by row or 100 at a time. */
import { report } from '../serve.js';
import { bulkInFlight, bulkRows, type Mode, singleInFlight } from './contestant.js';
import { type Accepted, issue } from './in-flight.js';
import type { Row } from './rows.js';
import { rowsOf, type Workload } from './workload.js';

/** What an app tells while it writes: how many writes are accepted. */
export type AppReport = number;

export interface AppCalls {
  single(row: Row): Promise<unknown>;
  bulk(rows: readonly Row[]): Promise<unknown>;
}

export async function write({ single, bulk }: AppCalls, workload: Workload, mode: Mode): Promise<Accepted> {
  const rows = rowsOf(workload);
  if (mode === 'single') {
    const call = (at: number): Promise<unknown> => single(rows[at] as Row);
    return issue(call, { calls: rows.length, inFlight: singleInFlight, onProgress: report });
  }
  const call = (at: number): Promise<unknown> => bulk(rows.slice(at * bulkRows, (at + 1) * bulkRows));
  const calls = Math.ceil(rows.length / bulkRows);
  return issue(call, { calls, inFlight: bulkInFlight, onProgress: (ended) => report(ended * bulkRows) });
}
