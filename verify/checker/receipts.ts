/** Whether a receipt was given up, though Postgres had had its row, or a newer one, for long. */
import type { Op } from '../history.js';
import type { Violation } from './violation.js';

/** Others of its lane may be late: a worker is paused, a connection is half-open, a lease of a lane runs out. */
const longUs = 20_000_000;

export function checkReceipts(key: string, ops: readonly Op[]): Violation[] {
  const versions = new Map(ops.map(({ wrote, version }) => [wrote, version]));
  const rows = ops
    .filter(({ kind, outcome, read }) => kind === 'row' && outcome === 'ok' && typeof read === 'string')
    .map((op) => ({ op, version: versions.get(op.read as string) ?? 0 }));
  return ops
    .filter(({ code }) => code === 'PERSIST_TIMEOUT')
    .flatMap((receipt): Violation[] => {
      const { version = 0, end = 0 } = receipt;
      const row = rows.find((one) => one.version >= version && (one.op.end ?? end) < end - longUs);
      if (row === undefined) return [];
      const message = `the row was there ${((end - (row.op.end ?? 0)) / 1_000_000).toFixed(1)} s before its receipt was given up`;
      return [{ kind: 'receipt not settled', key, message, ops: [receipt, row.op] }];
    });
}
