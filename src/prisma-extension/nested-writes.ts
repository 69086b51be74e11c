/** The models whose rows a write changes through relations: `data: { tasks: { create: … } }`. */
import { type Args, type DataModel, isObject } from './prisma-client.js';

/** These change no more than a foreign key. */
const linking = new Set(['connect', 'disconnect', 'set']);

export class NestedWrites {
  readonly #dataModel: DataModel;
  /** Of the models whose changes are of interest: names of the models that their foreign keys point to. */
  readonly #parents: ReadonlyMap<string, readonly string[]>;

  constructor(dataModel: DataModel, parents: ReadonlyMap<string, readonly string[]>) {
    this.#dataModel = dataModel;
    this.#parents = parents;
  }

  /** Names of models of interest whose rows the write changes beside the rows that it is about. */
  of(model: string, { data, create, update }: Args): Set<string> {
    const found = new Set<string>();
    for (const rows of [data, create, update]) this.#visit(model, rows, found);
    return found;
  }

  #visit(model: string, data: unknown, found: Set<string>): void {
    if (Array.isArray(data)) for (const item of data) this.#visit(model, item, found);
    if (!isObject(data)) return;
    for (const { name, kind, type } of this.#dataModel.models[model]?.fields ?? []) {
      if (kind === 'object' && isObject(data[name])) this.#visitRelation(model, type, data[name], found);
    }
  }

  #visitRelation(from: string, model: string, relation: Args, found: Set<string>): void {
    for (const [verb, payload] of Object.entries(relation)) {
      if (payload === undefined) continue;
      const isChanged = !linking.has(verb) || this.#hasKeyTo(model, from);
      if (isChanged && this.#parents.has(model)) found.add(model);
      this.#visitPayload(model, payload, found);
    }
  }

  /** The nested rows themselves, or what has them as its `data`, `create` and `update`. */
  #visitPayload(model: string, payload: unknown, found: Set<string>): void {
    this.#visit(model, payload, found);
    const items = (Array.isArray(payload) ? payload : [payload]).filter(isObject);
    for (const { data, create, update } of items)
      for (const rows of [data, create, update]) this.#visit(model, rows, found);
  }

  /** Whether the foreign key that is changed may stand in the model's own rows. */
  #hasKeyTo(model: string, other: string): boolean {
    return model === other || (this.#parents.get(model)?.includes(other) ?? false);
  }
}
