/** Replays a history as write traffic through forebay's client: in the history's order, many writes in flight. */

import { reasonOf } from '../dev/reason.js';
import type { Activity } from './activity/commit.js';
import { DemoError } from './errors.js';
import { type ProjectPut, type TaskPut, type UserPut, type Write, WriteMaker } from './writes.js';

/** What the demo uses of forebay's stores. A write resolves when it is accepted. */
export interface DemoStores<Accepted = unknown> {
  readonly users: { put(row: UserPut): Promise<Accepted> };
  readonly projects: { put(row: ProjectPut): Promise<Accepted> };
  readonly tasks: { put(row: TaskPut): Promise<Accepted>; delete(id: string): Promise<Accepted> };
  readonly projectTouches: { add(id: string, delta: number): Promise<Accepted> };
  readonly taskTouches: { add(id: string, delta: number): Promise<Accepted> };
}

/** Grows while the replay runs. */
export interface ReplayProgress {
  commits: number;
  accepted: number;
}

export interface ReplayOptions {
  readonly signal: AbortSignal;
  readonly progress: ReplayProgress;
  /** Most writes that are not accepted yet. Default 256. */
  readonly inFlightMax?: number;
}

/**
 * Resolves when all writes are accepted.
 * @throws DemoError WRITE_FAILED with the first error of a write; the signal's reason
 */
export async function replay(activity: Activity, stores: DemoStores, options: ReplayOptions): Promise<void> {
  const { signal, progress, inFlightMax = 256 } = options;
  const maker = new WriteMaker();
  const flight = new Flight(inFlightMax, progress);
  for await (const commit of activity.commits()) {
    for (const write of maker.writesOf(commit)) {
      signal.throwIfAborted();
      await flight.room();
      flight.issue(write, issue(write, stores));
    }
    progress.commits += 1;
  }
  await flight.landed();
}

/** Gives a write to its store. */
export function issue<Accepted>(write: Write, stores: DemoStores<Accepted>): Promise<Accepted> {
  switch (write.kind) {
    case 'putUser':
      return stores.users.put(write.row);
    case 'putProject':
      return stores.projects.put(write.row);
    case 'touchProject':
      return stores.projectTouches.add(write.id, write.delta);
    case 'putTask':
      return stores.tasks.put(write.row);
    case 'touchTask':
      return stores.taskTouches.add(write.id, write.delta);
    case 'deleteTask':
      return stores.tasks.delete(write.id);
  }
}

/** The writes that are under way. After the first failure there is no room for more. */
class Flight {
  readonly #max: number;
  readonly #progress: ReplayProgress;
  #count = 0;
  #failure: DemoError | undefined;
  #onChange: (() => void) | undefined;

  constructor(max: number, progress: ReplayProgress) {
    this.#max = max;
    this.#progress = progress;
  }

  room(): Promise<void> {
    return this.#countBelow(this.#max);
  }

  landed(): Promise<void> {
    return this.#countBelow(1);
  }

  issue(write: Write, accepted: Promise<unknown>): void {
    this.#count += 1;
    accepted.then(
      () => this.#settle(undefined),
      (error: unknown) => this.#settle(failedWrite(write, error)),
    );
  }

  #settle(failure: DemoError | undefined): void {
    this.#count -= 1;
    this.#failure ??= failure;
    if (failure === undefined) this.#progress.accepted += 1;
    this.#onChange?.();
  }

  async #countBelow(max: number): Promise<void> {
    while (this.#failure === undefined && this.#count >= max) {
      await new Promise<void>((resolve) => {
        this.#onChange = resolve;
      });
    }
    if (this.#failure !== undefined) throw this.#failure;
  }
}

function failedWrite(write: Write, error: unknown): DemoError {
  const id = 'row' in write ? write.row.id : write.id;
  return new DemoError(
    'WRITE_FAILED',
    `forebay did not accept ${write.kind} of ${id}: ${reasonOf(error)}`,
    error,
  );
}
