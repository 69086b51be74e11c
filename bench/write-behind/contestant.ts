/** Who takes part: something that accepts writes and carries them to the database. */
import type { Workload } from './workload.js';

/** How an app hands its writes over: each in a call of its own, or 100 in a call. */
export type Mode = 'single' | 'bulk';

/** Calls under way at once. */
export const singleInFlight = 256;
export const bulkRows = 100;
export const bulkInFlight = 4;

export interface Contestant {
  readonly name: string;
  /** What the two modes are called. */
  readonly modes: Readonly<Record<Mode, string>>;
  /** The rows are in the database when it returns. */
  carry(workload: Workload, mode: Mode, onAccepted: (writes: number) => void): Promise<Carried>;
}

export interface Carried {
  /** From the first write to the last one accepted, and to the last one in the database; in ms. */
  readonly acceptedMs: number;
  readonly persistedMs: number;
  /** Rows that were written to the database: fewer than writes where writes coalesced. */
  readonly rowsWritten: number;
  /** Processor time of the app's process and of the workers', in ms. */
  readonly appCpuMs: number;
  readonly workerCpuMs: number;
}
