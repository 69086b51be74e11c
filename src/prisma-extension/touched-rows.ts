/**
 * Rows whose entries are to be dropped: at once after a statement of its own, and of a transaction once it
 * has ended, for its rows are not to be seen before. Also when it failed: its commit may have come through.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { CoveredModel } from './covered-model.js';

/** Of one model: the id keys, or all rows where these are not known. */
export type Touched = ReadonlySet<string> | 'all';

export class TouchedRows {
  readonly #rows = new Map<CoveredModel, Touched>();

  get isEmpty(): boolean {
    return this.#rows.size === 0;
  }

  add(model: CoveredModel, touched: Touched): void {
    const before = this.#rows.get(model) ?? new Set();
    const isAll = before === 'all' || touched === 'all';
    this.#rows.set(model, isAll ? 'all' : new Set([...before, ...touched]));
  }

  addAll(other: TouchedRows): void {
    for (const [model, touched] of other.#rows) this.add(model, touched);
  }

  async drop(): Promise<void> {
    await Promise.all(
      [...this.#rows].map(([{ client }, touched]) =>
        touched === 'all' ? client.entries.dropAll() : client.entries.drop(touched),
      ),
    );
  }
}

/** An interactive transaction. */
interface OpenTransaction {
  readonly client: unknown;
  readonly touched: TouchedRows;
}

const open = new AsyncLocalStorage<OpenTransaction>();

/** That in which the caller is; it may also use other clients meanwhile. */
export const openTransaction = (): OpenTransaction | undefined => open.getStore();

/** Prisma's `$transaction`, which drops what its statements touched. */
export function withDrops(begin: (...args: unknown[]) => Promise<unknown>) {
  return async (work: unknown, ...options: unknown[]): Promise<unknown> => {
    if (typeof work !== 'function') return begin(work, ...options);
    const outer = openTransaction();
    const touched = new TouchedRows();
    try {
      return await begin((client: unknown) => open.run({ client, touched }, () => work(client)), ...options);
    } finally {
      // A transaction in another is only seen when that has ended.
      outer?.touched.addAll(touched);
      await touched.drop();
    }
  };
}
