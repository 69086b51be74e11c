/** Reads the ledger: each lane's last batch that was applied, and what it proves. */
import type { LedgerState } from '../buffer/lane-state.js';
import type { Transaction } from '../definitions/record.js';
import { ledgerLane } from '../keys.js';
import { ledgerName } from './names.js';
import { readSql } from './sql-file.js';

/** In one query. Lanes of which no batch was ever applied are left out. */
export async function readLedgers<L extends { readonly name: string }>(
  database: Transaction,
  prefix: string,
  lanes: readonly L[],
): Promise<Map<L, LedgerState>> {
  const byName = new Map(lanes.map((lane) => [ledgerLane(prefix, lane.name), lane]));
  const rows = await database.$queryRawUnsafe<LedgerRow[]>(
    readSql('read-ledgers', { ledger: ledgerName(database) }),
    [...byName.keys()],
  );
  return new Map(rows.map((row) => [byName.get(row.lane) as L, toState(row)]));
}

interface LedgerRow {
  readonly lane: string;
  readonly batch: string;
  readonly generation: string | null;
  readonly persisted: string | null;
  readonly applied_ms: string;
}

function toState({ batch, generation, persisted, applied_ms: appliedMs }: LedgerRow): LedgerState {
  return {
    batch: BigInt(batch),
    appliedAt: new Date(Number(appliedMs)),
    generation: generation ?? undefined,
    persisted: persisted === null ? undefined : BigInt(persisted),
  };
}
