/**
 * Rows that refer to each other: by itself each fails, for the others are not there. Those that the database
 * takes together with the rest of their batch are found by trying that.
 */
import { type Batch, partOf, rowsOf } from '../buffer/batch.js';
import type { ModelSource, Transaction } from '../definitions/record.js';
import type { LaneGroup } from '../definitions/stores.js';
import { fieldOf } from '../keys.js';
import { isOfForeignKey } from './database.js';
import { idJson } from './rows-by-id.js';
import type { Write } from './statement.js';
import { failureOf, type Refusal } from './trial.js';

/** What is not tried waits, and is tried again with others. */
const triesMax = 16;

/** Refusals by what they need: those with the rows that theirs refer to. */
type Needs = ReadonlyMap<Refusal, ReadonlySet<Refusal>>;

/** What is refused of a batch, but for the rows that land together with the rest of it. */
export async function withoutEachOther(
  group: LaneGroup,
  batch: Batch,
  refusals: readonly Refusal[],
  tx: Transaction,
  write: Write,
): Promise<Refusal[]> {
  const needs = needsOf(group, batch, refusals);
  const landing = new Set<Refusal>();
  const failed = new Set(refusals.filter((refusal) => !needs.has(refusal)));
  let tries = 0;
  for (const refusal of needs.keys()) {
    if (landing.has(refusal)) continue;
    const together = withNeeded(refusal, needs);
    if (together.some((one) => failed.has(one))) failed.add(refusal);
    else if (tries++ === triesMax) break;
    else if (await isTaken(batch, without(refusals, [...landing, ...together]), tx, write))
      for (const one of together) landing.add(one);
    else failed.add(refusal);
  }
  return without(refusals, [...landing]);
}

function without(refusals: readonly Refusal[], some: readonly Refusal[]): Refusal[] {
  const isOut = new Set(some);
  return refusals.filter((refusal) => !isOut.has(refusal));
}

/** It, all that it needs, and all that those need. */
function withNeeded(refusal: Refusal, needs: Needs): Refusal[] {
  const found = new Set([refusal]);
  // What is added meanwhile is looked at, too.
  for (const one of found) for (const needed of needs.get(one) ?? []) found.add(needed);
  return [...found];
}

/** Whether the database takes the batch without what these refuse. */
async function isTaken(
  batch: Batch,
  refusals: readonly Refusal[],
  tx: Transaction,
  write: Write,
): Promise<boolean> {
  const isRefused = new Set(refusals.flatMap(({ fields }) => fields));
  const rest = partOf(batch, (store, idKey) => !isRefused.has(fieldOf(store, idKey)));
  const failure = await failureOf(() => write(rest, tx), tx);
  if (failure === undefined) await tx.$executeRawUnsafe('ROLLBACK TO SAVEPOINT forebay_trial');
  return failure === undefined;
}

interface Row {
  readonly refusal: Refusal;
  readonly id: readonly string[];
  readonly values: ReadonlySet<string>;
}

/** A row is taken to refer to another where it has the values of that one's id: the try proves it. */
function needsOf(group: LaneGroup, batch: Batch, refusals: readonly Refusal[]): Needs {
  const rows = rowsThatMiss(group, batch, refusals);
  const byId = new Map<string, Row[]>();
  for (const row of rows) byId.set(row.id[0] as string, [...(byId.get(row.id[0] as string) ?? []), row]);
  const needs = new Map<Refusal, Set<Refusal>>();
  for (const row of rows) {
    const others = [...row.values].flatMap((value) => byId.get(value) ?? []);
    for (const other of others) {
      if (other === row || !other.id.every((part) => row.values.has(part))) continue;
      needs.set(row.refusal, (needs.get(row.refusal) ?? new Set()).add(other.refusal));
    }
  }
  return needs;
}

/** The rows that are to be put, and miss one that they refer to. */
function rowsThatMiss(group: LaneGroup, batch: Batch, refusals: readonly Refusal[]): Row[] {
  const missing = refusals.filter(({ state }) => isOfForeignKey(state));
  const byField = new Map(missing.flatMap((refusal) => refusal.fields.map((field) => [field, refusal])));
  return group.records.flatMap((store) =>
    rowsOf(batch, store).puts.flatMap(({ idKey, json }) => {
      const refusal = byField.get(fieldOf(store.name, idKey));
      if (refusal === undefined) return [];
      const id = idJson(store, (store.source as ModelSource).model, idKey);
      return [{ refusal, id: Object.values(id).map(String), values: new Set(valuesOf(json)) }];
    }),
  );
}

const valuesOf = (json: string): string[] => Object.values(JSON.parse(json) as object).map(String);
