/** The writes of a run: the same for every contestant, and the rows that they must leave. */
import { randomFor } from '../../prisma/seed/random.js';
import type { TaskRow } from '../../src/domain/generated/models.js';
import { zipf } from './zipf.js';

export interface Workload {
  /** `distinct`: each write is of another row. `zipf`: writes of few rows, some of which are written far more often. */
  readonly kind: 'distinct' | 'zipf';
  readonly writes: number;
}

/** What is written: a whole row, without the counter that is no part of a put. */
export type Task = Omit<TaskRow, 'touches'>;

export const zipfKeys = 5_000;
export const zipfExponent = 0.99;
/** Tasks have parents, which are there before. */
export const parentIds = Array.from({ length: 20 }, (_, at) => `parent-${at}`);

/** The rows to write, in their order: about 430 bytes each as JSON. */
export function rowsOf(workload: Workload): Task[] {
  return keysOf(workload).map(taskOf);
}

/** What the database must hold at the end: the last row of each key. */
export function lastRowsOf(workload: Workload): Map<string, Task> {
  return new Map(rowsOf(workload).map((row) => [row.id, row]));
}

function keysOf({ kind, writes }: Workload): number[] {
  if (kind === 'distinct') return Array.from({ length: writes }, (_, at) => at);
  const random = randomFor('zipf', 0).next;
  const draw = zipf({ items: zipfKeys, exponent: zipfExponent, random });
  return Array.from({ length: writes }, draw);
}

const firstAt = Date.UTC(2026, 0, 1);
const statuses = ['TODO', 'IN_PROGRESS', 'REVIEW', 'DONE'] as const;
const priorities = ['LOW', 'MEDIUM', 'HIGH', 'URGENT'] as const;

/** The title says which write it was, so that an older one is found out. */
function taskOf(key: number, write: number): Task {
  const parent = parentIds[key % parentIds.length] as string;
  return {
    id: uuidOf(key),
    projectId: parent,
    assigneeId: parent,
    title: `Task ${key} as of write ${write}`,
    description: 'Ask the client which of the two drafts is the right one, then send it.',
    status: statuses[write % 4] as Task['status'],
    priority: priorities[key % 4] as Task['priority'],
    dueAt: new Date(firstAt + key * 60_000),
    completedAt: null,
    createdAt: new Date(firstAt),
    updatedAt: new Date(firstAt + write),
  };
}

/** As random as Prisma's own `uuid()`, so that rows land anywhere in the index, and the same in every process. */
function uuidOf(key: number): string {
  const { next } = randomFor('task', key);
  const hex = (digits: number): string =>
    Math.floor(next() * 16 ** digits)
      .toString(16)
      .padStart(digits, '0');
  return `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(6)}${hex(6)}`;
}
