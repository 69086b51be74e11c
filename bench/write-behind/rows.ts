/** The rows that are written: narrow ones, and wide ones whose table costs Postgres several times as much. */

import type { ClientRow, TaskRow } from '../../examples/platform/generated/models.js';
import { randomFor } from '../../prisma/seed/random.js';

/** Whole rows. A task's counter is no part of a put. */
export interface Rows {
  readonly clients: ClientRow;
  readonly tasks: Omit<TaskRow, 'touches'>;
}

export type Table = keyof Rows;
export type Row = Rows[Table];

/** Tasks have parents, which are there before. */
export const parentIds = Array.from({ length: 20 }, (_, at) => `parent-${at}`);

/** The row `key` as of a write: its name or title says which, so that an older one is found out. */
export function rowOf(table: Table, key: number, write: number): Row {
  return table === 'clients' ? clientOf(key, write) : taskOf(key, write);
}

const firstAt = Date.UTC(2026, 0, 1);
const statuses = ['TODO', 'IN_PROGRESS', 'REVIEW', 'DONE'] as const;
const priorities = ['LOW', 'MEDIUM', 'HIGH', 'URGENT'] as const;

/** About 190 bytes as JSON. */
function clientOf(key: number, write: number): Rows['clients'] {
  return {
    id: uuidOf(key),
    name: `Client ${key} as of write ${write}`,
    email: `client-${key}@example.com`,
    createdAt: new Date(firstAt),
    updatedAt: new Date(firstAt + write),
  };
}

/** About 430 bytes as JSON. */
function taskOf(key: number, write: number): Rows['tasks'] {
  const parent = parentIds[key % parentIds.length] as string;
  return {
    id: uuidOf(key),
    projectId: parent,
    assigneeId: parent,
    title: `Task ${key} as of write ${write}`,
    description: 'Ask the client which of the two drafts is the right one, then send it.',
    status: statuses[write % 4] as (typeof statuses)[number],
    priority: priorities[key % 4] as (typeof priorities)[number],
    dueAt: new Date(firstAt + key * 60_000),
    completedAt: null,
    createdAt: new Date(firstAt),
    updatedAt: new Date(firstAt + write),
  };
}

/** As random as Prisma's own `uuid()`, so that rows land anywhere in the index, and the same in every process. */
function uuidOf(key: number): string {
  const { next } = randomFor('bench', key);
  const hex = (digits: number): string =>
    Math.floor(next() * 16 ** digits)
      .toString(16)
      .padStart(digits, '0');
  return `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(6)}${hex(6)}`;
}
