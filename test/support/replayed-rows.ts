/** What a row may be after the writes to it, of which some may have been executed or not: worked out apart from forebay. */
import { isDeepStrictEqual } from 'node:util';
import type { PrismaClient } from '../../examples/platform/generated/prisma/client.js';
import { type ReplayWrite, rowOf } from './activity-replay.js';

/** How often a write was executed, at least and at most. */
export interface Times {
  readonly min: 0 | 1;
  readonly max: 1 | 2;
}

interface Written {
  readonly write: ReplayWrite;
}

interface State {
  readonly row?: object | undefined;
  readonly touches: number;
}

/** The last state, and those that are possible where writes are not certain. */
export function possibleStates<Entry extends Written>(
  entries: readonly Entry[],
  timesOf: (entry: Entry) => Times,
): State[] {
  let states: State[] = [{ touches: 0 }];
  for (const entry of entries) {
    const { min, max } = timesOf(entry);
    const once = states.map((state) => applied(state, entry.write));
    const twice = max === 2 ? once.map((state) => applied(state, entry.write)) : [];
    states = different([...(min === 0 ? states : []), ...once, ...twice]);
  }
  return states;
}

function applied({ row, touches }: State, write: ReplayWrite): State {
  if (write.kind === 'deleteTask') return { touches: 0 };
  if ('delta' in write) return { row, touches: touches + write.delta };
  if (write.kind === 'patchTask') return { row: row && { ...row, ...write.fields }, touches };
  return { row: write.row, touches };
}

function different(states: readonly State[]): State[] {
  return [...new Map(states.map((state) => [JSON.stringify(state), state])).values()];
}

/** Row → what is in the database. */
export async function readRows(prisma: PrismaClient): Promise<Map<string, object>> {
  const [users, projects, tasks] = await Promise.all([
    prisma.user.findMany(),
    prisma.project.findMany({ omit: { views: true } }),
    prisma.task.findMany(),
  ]);
  return new Map<string, object>([
    ...users.map((row) => [`users:${row.id}`, { ...row, touches: 0 }] as const),
    ...projects.map((row) => [`projects:${row.id}`, row] as const),
    ...tasks.map((row) => [`tasks:${row.id}`, row] as const),
  ]);
}

export function isOneOf(states: readonly State[], found: object | undefined): boolean {
  return states.some(({ row, touches }) => isDeepStrictEqual(row && { ...row, touches }, found));
}

/** The write that leaves a row as it was last written. */
export function lastStateAgain(entries: readonly Written[]): Exclude<ReplayWrite, { kind: 'patchTask' }> {
  const [{ row }] = possibleStates(entries, () => ({ min: 1, max: 1 })) as [State];
  const [, store, id] = /^(\w+):(.*)$/.exec(rowOf((entries[0] as Written).write)) as unknown as string[];
  if (row === undefined) return { kind: 'deleteTask', id: id as string };
  const kind = ({ users: 'putUser', projects: 'putProject', tasks: 'putTask' } as const)[
    store as 'users' | 'projects' | 'tasks'
  ];
  return { kind, row } as Exclude<ReplayWrite, { kind: 'patchTask' }>;
}
