/** Computed values that are made of rows: which of them a changed row is a part of. */
import type { ChangedRow, ComputedStore } from '../../definitions/computed.js';
import type { Model } from '../../definitions/model.js';
import type { Stores } from '../../definitions/stores.js';
import type { Emit } from '../../events.js';
import type { Touched } from './touched.js';

interface Dependent {
  readonly computed: ComputedStore;
  /** The record store that it depends on. */
  readonly store: string;
}

export class Dependents {
  readonly #emit: Emit;
  /** By the model's name. */
  readonly #byModel = new Map<string, Dependent[]>();

  constructor(stores: Stores, emit: Emit) {
    this.#emit = emit;
    const names = new Map(Object.entries(stores.definitions).map(([name, one]) => [one as unknown, name]));
    for (const computed of stores.computed.values()) {
      for (const definition of computed.options.dependsOn ?? []) {
        const { source } = definition;
        if (source.kind === 'model')
          this.#add(source.model, { computed, store: names.get(definition) as string });
      }
    }
  }

  get stores(): ComputedStore[] {
    return [...new Set([...this.#byModel.values()].flat().map(({ computed }) => computed))];
  }

  /** Which values depend on which stores. */
  get facts(): string[][] {
    return [...this.#byModel].flatMap(([model, dependents]) =>
      dependents.map(({ computed, store }) => [model, store, computed.name]),
    );
  }

  has({ name }: Model): boolean {
    return this.#byModel.has(name);
  }

  /** Notes the values that a row is a part of. */
  touch({ name }: Model, change: Omit<ChangedRow, 'store'>, values: Touched<ComputedStore>): void {
    for (const { computed, store } of this.#byModel.get(name) ?? []) {
      const ids = this.#idsOf(computed, { ...change, store });
      if (ids === 'all') values.addAll(computed);
      else for (const id of ids) values.add(computed, id);
    }
  }

  touchAll({ name }: Model, values: Touched<ComputedStore>): void {
    for (const { computed } of this.#byModel.get(name) ?? []) values.addAll(computed);
  }

  #add({ name }: Model, dependent: Dependent): void {
    this.#byModel.set(name, [...(this.#byModel.get(name) ?? []), dependent]);
  }

  #idsOf({ name, options }: ComputedStore, change: ChangedRow): readonly string[] | 'all' {
    try {
      const ids: unknown = options.idsOf?.(change) ?? 'all';
      if (ids === 'all' || isTexts(ids)) return ids;
      // What an async function fails with is heard by nobody else.
      if (ids instanceof Promise) ids.catch((error: unknown) => this.#unknown(name, error));
      throw new TypeError(`idsOf of ${name} must give an array of texts, or 'all'.`);
    } catch (error) {
      this.#unknown(name, error);
      return 'all';
    }
  }

  #unknown(store: string, error: unknown): void {
    this.#emit({ type: 'changes.ids-unknown', store, error });
  }
}

const isTexts = (ids: unknown): ids is readonly string[] =>
  Array.isArray(ids) && ids.every((id) => typeof id === 'string');
