/** Writes of every kind on few projects, and the rows that they must leave: worked out apart from forebay. */
import { expect } from 'vitest';
import type { PrismaClient } from '../../examples/platform/generated/prisma/client.js';
import type { stores } from '../../examples/platform/stores.js';
import type { Forebay } from '../../src/app/connect.js';

type App = Forebay<(typeof stores)['definitions']>;

export interface ProjectState {
  readonly id: string;
  readonly name: string;
  readonly touches: number;
}

/** Sequential execution on plain objects. */
export class Traffic {
  readonly #app: App;
  readonly #rows = new Map<string, { name: string; touches: number }>();
  #step = 0;

  constructor(app: App) {
    this.#app = app;
  }

  /** One round over `count` projects: puts, deltas, some deletes, some rows made anew after their delete. */
  async round(count: number): Promise<void> {
    this.#step += 1;
    const writes: Promise<unknown>[] = [];
    for (let i = 0; i < count; i++) {
      const id = `project-${i}`;
      writes.push(this.#put(id, `name ${this.#step}`), this.#touch(id, this.#step));
      if ((i + this.#step) % 7 === 0) writes.push(this.#delete(id));
      if ((i + this.#step) % 14 === 0) writes.push(this.#put(id, `anew ${this.#step}`), this.#touch(id, 100));
    }
    await Promise.all(writes);
  }

  get expected(): ProjectState[] {
    return [...this.#rows].map(([id, row]) => ({ id, ...row })).sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Every row of the database is the expected one, its counter included. */
  async expectExact(prisma: PrismaClient): Promise<void> {
    const rows = await prisma.project.findMany({ select: { id: true, name: true, touches: true } });
    const found = rows.map((row) => ({ ...row, touches: Number(row.touches) }));
    expect(found.sort((a, b) => (a.id < b.id ? -1 : 1))).toEqual(this.expected);
  }

  #put(id: string, name: string): Promise<unknown> {
    this.#rows.set(id, { name, touches: this.#rows.get(id)?.touches ?? 0 });
    return this.#app.stores.projects.put({ id, name, status: 'ACTIVE' });
  }

  #touch(id: string, delta: number): Promise<unknown> {
    const row = this.#rows.get(id);
    if (row) row.touches += delta;
    return this.#app.stores.projectTouches.add(id, delta);
  }

  #delete(id: string): Promise<unknown> {
    this.#rows.delete(id);
    return this.#app.stores.projects.delete(id);
  }
}
