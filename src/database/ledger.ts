/** Reads the ledger: the number of each lane's last batch that was applied. */
import type { Transaction } from '../definitions/record.js';
import { ledgerLane } from '../keys.js';
import { readSql } from './sql-file.js';

/** In one query. Lanes of which no batch was ever applied are left out. */
export async function readLedgers<L extends { readonly name: string }>(
  database: Transaction,
  prefix: string,
  lanes: readonly L[],
): Promise<Map<L, bigint>> {
  const byName = new Map(lanes.map((lane) => [ledgerLane(prefix, lane.name), lane]));
  const rows = await database.$queryRawUnsafe<{ lane: string; batch: string }[]>(readSql('read-ledgers'), [
    ...byName.keys(),
  ]);
  return new Map(rows.map(({ lane, batch }) => [byName.get(lane) as L, BigInt(batch)]));
}
