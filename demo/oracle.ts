/**
 * The right answer: what the tables must hold after a history's writes, executed one after the other on plain maps.
 * Computed apart from forebay: nothing here knows of it.
 */
import type { Activity } from './activity/commit.js';
import { DemoError } from './errors.js';
import { type ProjectPut, type TaskPut, type UserPut, type Write, WriteMaker } from './writes.js';

export type UserRow = UserPut;
export type ProjectRow = ProjectPut & { readonly views: bigint; readonly touches: number };
export type TaskRow = TaskPut & { readonly touches: number };

export interface ExpectedTables {
  readonly users: ReadonlyMap<string, UserRow>;
  readonly projects: ReadonlyMap<string, ProjectRow>;
  readonly tasks: ReadonlyMap<string, TaskRow>;
}

export interface Answer {
  readonly tables: ExpectedTables;
  readonly commits: number;
  readonly writes: number;
}

/**
 * Reads the whole history, which also checks it before anything is started.
 * @throws DemoError EMPTY_HISTORY when it has no commits; and what reading it throws
 */
export async function computeAnswer(activity: Activity, signal: AbortSignal): Promise<Answer> {
  const oracle = new Oracle();
  const maker = new WriteMaker();
  let commits = 0;
  let writes = 0;
  for await (const commit of activity.commits()) {
    signal.throwIfAborted();
    for (const write of maker.writesOf(commit)) {
      oracle.apply(write);
      writes += 1;
    }
    commits += 1;
  }
  if (commits > 0) return { tables: oracle, commits, writes };
  throw new DemoError('EMPTY_HISTORY', `There is no commit in ${activity.description}. Give another one.`);
}

export class Oracle implements ExpectedTables {
  readonly users = new Map<string, UserRow>();
  readonly projects = new Map<string, ProjectRow>();
  readonly tasks = new Map<string, TaskRow>();

  /** A put keeps the row's counters; a delete takes them along. */
  apply(write: Write): void {
    switch (write.kind) {
      case 'putUser':
        this.users.set(write.row.id, write.row);
        break;
      case 'putProject':
        this.projects.set(write.row.id, {
          views: 0n,
          touches: 0,
          ...this.projects.get(write.row.id),
          ...write.row,
        });
        break;
      case 'putTask':
        this.tasks.set(write.row.id, { touches: 0, ...this.tasks.get(write.row.id), ...write.row });
        break;
      case 'deleteTask':
        this.tasks.delete(write.id);
        break;
      case 'touchProject':
        addTouches(this.projects, write.id, write.delta);
        break;
      case 'touchTask':
        addTouches(this.tasks, write.id, write.delta);
        break;
    }
  }
}

function addTouches<Row extends { readonly touches: number }>(
  table: Map<string, Row>,
  id: string,
  delta: number,
): void {
  const row = table.get(id);
  if (row === undefined) throw new Error(`The writes touch the row ${id}, which none of them made.`);
  table.set(id, { ...row, touches: row.touches + delta });
}
