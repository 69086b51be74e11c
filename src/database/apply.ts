/** Applies a batch: the ledger and the rows in one transaction, once. Or finds it void, once and for all. */
import type { Batch } from '../buffer/batch.js';
import type { Transaction } from '../definitions/record.js';
import type { Emit } from '../events.js';
import { ledgerLane, splitField, writtenMessage } from '../keys.js';
import type { Database } from './database.js';
import { ledgerName } from './names.js';
import type { Persister } from './persister.js';
import { publicationName } from './publication.js';
import { readSql } from './sql-file.js';
import type { Outdated } from './statement.js';
import { inTransaction } from './transaction.js';
import type { Refusal } from './trial.js';

/**
 * - `applied`: now
 * - `skipped`: it, or a later batch of its lane, was applied before
 * - `void`: it was found to hold refused records, and has yet to be split
 */
export type Outcome = 'applied' | 'skipped' | 'void';

export interface Applied {
  readonly outcome: Outcome;
  /** Records whose rows are newer, or have what a put left to them, so that their entries are wrong. */
  readonly outdated: Outdated;
}

export interface ApplyDependencies {
  readonly database: Database;
  readonly persister: Persister;
  readonly prefix: string;
  readonly emit: Emit;
}

export async function applyBatch(batch: Batch, dependencies: ApplyDependencies): Promise<Applied> {
  const { database, persister, prefix, emit } = dependencies;
  const { lane, number } = batch;
  const ledger = ledgerName(database);
  return inTransaction(database, async (tx) => {
    const key = [ledgerLane(prefix, lane), number] as const;
    const proof = [batch.sealing?.generation ?? null, batch.sealing?.persisted ?? null];
    const told = [
      publicationName(prefix),
      writtenMessage(prefix),
      JSON.stringify(persister.certainFields(batch)),
    ];
    const advance = readSql('advance-ledger', { ledger });
    if ((await tx.$executeRawUnsafe(advance, ...key, ...proof, ...told)) === 0) {
      if (await isVoid(tx, ledger, key)) return { outcome: 'void', outdated: new Map() };
      // Who has applied it may have died before it dropped the entries.
      const [overtaken, differing] = await findOutdated(batch, persister, tx);
      return { outcome: 'skipped', outdated: joined(overtaken, differing) };
    }
    await persister.write(batch, tx);
    const [overtaken, differing] = await findOutdated(batch, persister, tx);
    for (const [store, count] of countsByStore(overtaken))
      emit({ type: 'rows.overtaken', lane, store, count });
    emit({ type: 'batch.written', lane, number });
    return { outcome: 'applied', outdated: joined(overtaken, differing) };
  });
}

async function findOutdated(
  batch: Batch,
  persister: Persister,
  tx: Transaction,
): Promise<[overtaken: Outdated, differing: Outdated]> {
  return [await persister.findOvertaken(batch, tx), await persister.findDiffering(batch, tx)];
}

function joined(one: Outdated, other: Outdated): Outdated {
  return new Map([...one, ...other]);
}

function countsByStore(outdated: Outdated): Map<string, number> {
  const counts = new Map<string, number>();
  for (const field of outdated.keys()) {
    const { store } = splitField(field);
    counts.set(store, (counts.get(store) ?? 0) + 1);
  }
  return counts;
}

async function isVoid(
  tx: Transaction,
  ledger: string,
  key: readonly [lane: string, number: string],
): Promise<boolean> {
  return (await tx.$queryRawUnsafe<object[]>(readSql('is-void', { ledger }), ...key)).length > 0;
}

/**
 * Makes sure that nothing is ever applied under the batch's number, and finds its refused records.
 * Undefined when it, or a later batch of its lane, was applied before; but not when it was found void before
 * that: a Redis that went back has a batch again that was split since.
 */
export async function voidBatch(
  batch: Batch,
  { database, persister, prefix }: Omit<ApplyDependencies, 'emit'>,
): Promise<Refusal[] | undefined> {
  const ledger = ledgerName(database);
  const key = [ledgerLane(prefix, batch.lane), batch.number] as const;
  return inTransaction(database, async (tx) => {
    const voided = await tx.$executeRawUnsafe(readSql('void-batch', { ledger }), ...key);
    if (voided === 0 && !(await isVoid(tx, ledger, key))) return undefined;
    return persister.findRefused(batch, tx);
  });
}
