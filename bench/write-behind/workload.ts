/** The writes of a run: the same for every contestant, and the rows that they must leave. */
import { randomFor } from '../../prisma/seed/random.js';
import { type Row, rowOf, type Table } from './rows.js';
import { zipf } from './zipf.js';

export interface Workload {
  readonly table: Table;
  /** `distinct`: each write is of another row. `zipf`: writes of few rows, some of which are written far more often. */
  readonly kind: 'distinct' | 'zipf';
  readonly writes: number;
}

/** What is measured, and what it is called. */
export const workloads: readonly (Omit<Workload, 'writes'> & { readonly title: string })[] = [
  {
    table: 'clients',
    kind: 'distinct',
    title: 'Each write of another row; 5 columns, an index besides the id',
  },
  {
    table: 'clients',
    kind: 'zipf',
    title: 'Writes of 5,000 such rows, some far more often than others (Zipf, 0.99)',
  },
  {
    table: 'tasks',
    kind: 'distinct',
    title: 'Each write of another wide row: 11 columns, 3 indexes besides the id, 2 foreign keys',
  },
];

const zipfKeys = 5_000;
const zipfExponent = 0.99;

/** The rows to write, in their order. */
export function rowsOf(workload: Workload): Row[] {
  return keysOf(workload).map((key, write) => rowOf(workload.table, key, write));
}

/** What the database must hold at the end: the last row of each key. */
export function lastRowsOf(workload: Workload): Map<string, Row> {
  return new Map(rowsOf(workload).map((row) => [row.id, row]));
}

function keysOf({ kind, writes }: Workload): number[] {
  if (kind === 'distinct') return Array.from({ length: writes }, (_, at) => at);
  const random = randomFor('zipf', 0).next;
  const draw = zipf({ items: zipfKeys, exponent: zipfExponent, random });
  return Array.from({ length: writes }, draw);
}
