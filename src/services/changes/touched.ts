/** What changes have touched, by what it belongs to: ids, or all where these are too many or not known. */

/** Of more ids, all is meant: a scan is cheaper then. */
const idsMax = 50_000;

export class Touched<Owner> {
  readonly #ids = new Map<Owner, Set<string> | 'all'>();
  #size = 0;

  get isEmpty(): boolean {
    return this.#ids.size === 0;
  }

  /** How many ids it has. */
  get size(): number {
    return this.#size;
  }

  add(owner: Owner, id: string): void {
    const ids = this.#ids.get(owner) ?? new Set<string>();
    if (ids === 'all' || ids.has(id)) return;
    this.#ids.set(owner, ids.add(id));
    this.#size += 1;
    if (ids.size > idsMax) this.addAll(owner);
  }

  addAll(owner: Owner): void {
    const ids = this.#ids.get(owner);
    if (ids instanceof Set) this.#size -= ids.size;
    this.#ids.set(owner, 'all');
  }

  addFrom(other: Touched<Owner>): void {
    for (const [owner, ids] of other.#ids) {
      if (ids === 'all') this.addAll(owner);
      else for (const id of ids) this.add(owner, id);
    }
  }

  entries(): IterableIterator<[Owner, ReadonlySet<string> | 'all']> {
    return this.#ids.entries();
  }
}
