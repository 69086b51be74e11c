/** Applies a batch: the ledger and the rows in one transaction, once. */
import type { Batch } from '../buffer/batch.js';
import type { Emit } from '../events.js';
import type { Database } from './database.js';
import type { Persister } from './persister.js';
import { readSql } from './sql-file.js';

/** Longest wait for a free connection, and longest transaction, in ms. */
const connectionWaitMaxMs = 10_000;
const transactionMaxMs = 60_000;

const advanceLedger = readSql('advance-ledger');

/** The name of a lane in the ledger: two prefixes on one database must not fence each other. */
export function ledgerLane(prefix: string, lane: string): string {
  return `${prefix}:${lane}`;
}

/** Returns false when the batch had been applied before: then nothing was written. */
export async function applyBatch(
  batch: Batch,
  dependencies: { database: Database; persister: Persister; prefix: string; emit: Emit },
): Promise<boolean> {
  const { database, persister, prefix, emit } = dependencies;
  const { lane, number } = batch;
  const work = async (tx: Parameters<Persister>[1]): Promise<boolean> => {
    const advanced = await tx.$executeRawUnsafe(advanceLedger, ledgerLane(prefix, lane), number);
    if (advanced === 0) return false;
    const missing = await persister(batch, tx);
    for (const rows of missing) emit({ type: 'counter.rows-missing', lane, ...rows });
    emit({ type: 'batch.written', lane, number });
    return true;
  };
  return database.$transaction(work, { maxWait: connectionWaitMaxMs, timeout: transactionMaxMs });
}
