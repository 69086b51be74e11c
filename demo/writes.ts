/**
 * Turns commits into write traffic: a file is a task, its folder a project, its author a user. A commit says that
 * its author was seen, that its files' projects were touched, and that tasks were made, changed or deleted.
 * Every field is given, so each column of each row has one right value.
 */
import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import type { Change, Commit } from './activity/commit.js';

export interface UserPut {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly role: 'MEMBER';
  readonly lastSeenAt: Date;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface ProjectPut {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly status: 'ACTIVE';
  readonly clientId: null;
  readonly managerId: null;
  readonly startsAt: Date;
  readonly dueAt: null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface TaskPut {
  readonly id: string;
  readonly projectId: string;
  readonly assigneeId: string;
  readonly title: string;
  readonly description: string;
  readonly status: 'TODO' | 'IN_PROGRESS';
  readonly priority: 'MEDIUM';
  readonly dueAt: null;
  readonly completedAt: null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** A write through forebay's client. A touch adds to a counter of the row. */
export type Write =
  | { readonly kind: 'putUser'; readonly row: UserPut }
  | { readonly kind: 'putProject'; readonly row: ProjectPut }
  | { readonly kind: 'touchProject'; readonly id: string; readonly delta: number }
  | { readonly kind: 'putTask'; readonly row: TaskPut }
  | { readonly kind: 'touchTask'; readonly id: string; readonly delta: number }
  | { readonly kind: 'deleteTask'; readonly id: string };

/** Makes a history's writes, commit by commit. Remembers when each row was made: a put gives the whole row. */
export class WriteMaker {
  readonly #createdAt = new Map<string, Date>();

  /** The writes of the next commit, in their order. */
  writesOf(commit: Commit): Write[] {
    const at = new Date(commit.at * 1_000);
    return [
      { kind: 'putUser', row: this.#userRow(commit.author, at) },
      ...commit.files.flatMap((change) => this.#writesOfChange(change, commit.author, at)),
    ];
  }

  #userRow(id: string, at: Date): UserPut {
    const createdAt = this.#madeAt(`user ${id}`, at);
    return {
      id,
      email: `${id}@example.invalid`,
      name: id,
      role: 'MEMBER',
      lastSeenAt: at,
      createdAt,
      updatedAt: at,
    };
  }

  #writesOfChange([status, path]: Change, author: string, at: Date): Write[] {
    const folder = folderOf(path);
    const project: Write[] = [
      { kind: 'putProject', row: this.#projectRow(folder, at) },
      { kind: 'touchProject', id: idOf(folder), delta: 1 },
    ];
    const id = idOf(path);
    if (status === 'D') {
      this.#createdAt.delete(`task ${id}`);
      return [...project, { kind: 'deleteTask', id }];
    }
    const row = this.#taskRow(path, status === 'A' ? 'TODO' : 'IN_PROGRESS', author, at);
    return [...project, { kind: 'putTask', row }, { kind: 'touchTask', id, delta: 1 }];
  }

  #projectRow(folder: string, at: Date): ProjectPut {
    const id = idOf(folder);
    const createdAt = this.#madeAt(`project ${id}`, at);
    return {
      id,
      name: posix.basename(folder) || '/',
      description: folder,
      status: 'ACTIVE',
      clientId: null,
      managerId: null,
      startsAt: createdAt,
      dueAt: null,
      createdAt,
      updatedAt: at,
    };
  }

  #taskRow(path: string, status: TaskPut['status'], author: string, at: Date): TaskPut {
    const id = idOf(path);
    return {
      id,
      projectId: idOf(folderOf(path)),
      assigneeId: author,
      title: posix.basename(path),
      description: path,
      status,
      priority: 'MEDIUM',
      dueAt: null,
      completedAt: null,
      createdAt: this.#madeAt(`task ${id}`, at),
      updatedAt: at,
    };
  }

  #madeAt(row: string, at: Date): Date {
    const known = this.#createdAt.get(row) ?? at;
    this.#createdAt.set(row, known);
    return known;
  }
}

/** A path's folder with a slash at its end; the top one is `/`. */
export function folderOf(path: string): string {
  const folder = posix.dirname(path);
  return folder === '.' ? '/' : `${folder}/`;
}

/** A row's id: the first 16 hex digits of a hash of its path. */
export function idOf(path: string): string {
  return createHash('sha256').update(path).digest('hex').slice(0, 16);
}
