/** Holds what a run left in the database against what its writes must leave, row by row. */
import type { PrismaClient } from '../../examples/platform/generated/prisma/client.js';
import type { Row, Table } from './rows.js';
import { lastRowsOf, type Workload } from './workload.js';

export interface Correctness {
  readonly expected: number;
  /** There, and not as the last write of it says. */
  readonly wrong: number;
  readonly missing: number;
  /** There, and never written. */
  readonly extra: number;
}

export async function checkRows(prisma: PrismaClient, workload: Workload): Promise<Correctness> {
  const expected = lastRowsOf(workload);
  const found = await readRows(prisma, workload.table);
  const known = found.filter(({ id }) => expected.has(id));
  return {
    expected: expected.size,
    wrong: known.filter((row) => !isSame(row, expected.get(row.id) as object)).length,
    missing: expected.size - known.length,
    extra: found.length - known.length,
  };
}

function readRows(prisma: PrismaClient, table: Table): Promise<Row[]> {
  return table === 'clients' ? prisma.client.findMany() : prisma.task.findMany({ omit: { touches: true } });
}

export function wrongRows({ wrong, missing, extra }: Correctness): number {
  return wrong + missing + extra;
}

function isSame(row: object, other: object): boolean {
  return canonical(row) === canonical(other);
}

function canonical(row: object): string {
  return JSON.stringify(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1)));
}
