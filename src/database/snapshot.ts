/**
 * Which transactions a reader that begins now sees. Postgres sends a transaction's changes as soon as its
 * commit is in the WAL, which is before others see its rows: while it waits for a synchronous standby, long
 * before.
 */
import type { Transaction } from '../definitions/record.js';
import { readSql } from './sql-file.js';

export interface Snapshot {
  /** @param xid the lower half of a transaction's number, as the replication has it */
  sees(xid: number): boolean;
}

export async function readSnapshot(database: Transaction): Promise<Snapshot> {
  const [row] = await database.$queryRawUnsafe<{ snapshot: string }[]>(readSql('snapshot'));
  return parseSnapshot(row?.snapshot ?? '');
}

const half = 1n << 32n;

export function parseSnapshot(text: string): Snapshot {
  const [xmin = '', xmax = '', underWay = ''] = text.split(':');
  const from = BigInt(xmin);
  const to = BigInt(xmax);
  const hidden = new Set(underWay === '' ? [] : underWay.split(',').map(BigInt));
  return {
    sees(xid) {
      const number = nearest(BigInt(xid), to);
      return number < from || (number < to && !hidden.has(number));
    },
  };
}

/** The number with this lower half that is nearest to another. */
function nearest(lower: bigint, to: bigint): bigint {
  const number = (to & ~(half - 1n)) | lower;
  if (number > to + half / 2n) return number - half;
  return number + half / 2n < to ? number + half : number;
}
