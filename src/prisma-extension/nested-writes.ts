/** The rows that a write changes through relations: `data: { tasks: { create: … } }`. */
import type { CoveredModel } from './covered-model.js';
import { type Args, type DataModel, isObject } from './prisma-client.js';
import { type Touched, TouchedRows } from './touched-rows.js';
import { keysIn, keysOfNew } from './written-rows.js';

/** These change no more than a foreign key. */
const linking = new Set(['connect', 'disconnect', 'set']);
/** In a one-to-one relation these take the place of a row that nobody names. */
const replacing = new Set(['create', 'connect', 'connectOrCreate', 'upsert']);

type Keys = readonly string[] | undefined;

/** The keys that an item of a verb's payload names; undefined where it names none. */
type KeysOf = (item: unknown, covered: CoveredModel) => Keys;

const keysByVerb: Readonly<Record<string, KeysOf>> = {
  create: keysOfNew,
  createMany: (item, covered) => joined(listOf(dataOf(item)).map((row) => keysOfNew(row, covered))),
  connect: keysIn,
  disconnect: keysIn,
  connectOrCreate: (item, covered) =>
    joined([keysIn(whereOf(item), covered), keysOfNew(of(item, 'create'), covered)]),
  update: keysOfChanged,
  updateMany: keysOfChanged,
  upsert: (item, covered) => joined([keysOfChanged(item, covered), keysOfNew(of(item, 'create'), covered)]),
  delete: keysIn,
  deleteMany: keysIn,
};

export class NestedWrites {
  readonly #dataModel: DataModel;
  readonly #covered: ReadonlyMap<string, CoveredModel>;

  constructor(dataModel: DataModel, covered: ReadonlyMap<string, CoveredModel>) {
    this.#dataModel = dataModel;
    this.#covered = covered;
  }

  /** Rows of covered models that the write changes beside the rows that it is about. */
  of(model: string, { data, create, update }: Args): TouchedRows {
    const found = new TouchedRows();
    for (const rows of [data, create, update]) this.#visit(model, rows, found);
    return found;
  }

  #visit(model: string, data: unknown, found: TouchedRows): void {
    if (Array.isArray(data)) for (const item of data) this.#visit(model, item, found);
    if (!isObject(data)) return;
    for (const { name, kind, type } of this.#dataModel.models[model]?.fields ?? []) {
      if (kind === 'object' && isObject(data[name])) this.#visitRelation(model, type, data[name], found);
    }
  }

  #visitRelation(from: string, model: string, relation: Args, found: TouchedRows): void {
    const covered = this.#covered.get(model);
    for (const [verb, payload] of Object.entries(relation)) {
      if (payload === undefined) continue;
      if (covered && (!linking.has(verb) || hasKeyTo(covered, from))) {
        found.add(covered, touchedBy(verb, payload, covered, from));
      }
      this.#visitPayload(model, payload, found);
    }
  }

  /** The nested rows themselves, or what has them as its `data`, `create` and `update`. */
  #visitPayload(model: string, payload: unknown, found: TouchedRows): void {
    this.#visit(model, payload, found);
    for (const item of listOf(payload).filter(isObject))
      for (const rows of [item.data, item.create, item.update]) this.#visit(model, rows, found);
  }
}

function touchedBy(verb: string, payload: unknown, covered: CoveredModel, from: string): Touched {
  if (replacing.has(verb) && covered.model.onlyOneOf?.includes(from)) return 'all';
  const keysOf = keysByVerb[verb];
  const keys = keysOf && joined(listOf(payload).map((item) => keysOf(item, covered)));
  return keys === undefined ? 'all' : new Set(keys);
}

/** The row keeps the id that it is found by, unless that, or a relation that may be a part of it, changes. */
function keysOfChanged(item: unknown, covered: CoveredModel): Keys {
  const changed = dataOf(item) ?? of(item, 'update');
  const { id, fields, onlyOneOf } = covered.model;
  const hasForeignId = id.length > 1 || onlyOneOf !== undefined;
  const moves = (name: string): boolean =>
    id.includes(name) || (hasForeignId && !Object.hasOwn(fields, name));
  if (!isObject(changed) || Object.keys(changed).some(moves)) return undefined;
  return keysIn(whereOf(item), covered);
}

/** Whether the foreign key that is changed may stand in the model's own rows. */
function hasKeyTo({ model }: CoveredModel, other: string): boolean {
  return model.name === other || model.parents.includes(other);
}

const of = (item: unknown, name: string): unknown => (isObject(item) ? item[name] : undefined);
const whereOf = (item: unknown): unknown => of(item, 'where');
const dataOf = (item: unknown): unknown => of(item, 'data');
const listOf = (payload: unknown): readonly unknown[] => (Array.isArray(payload) ? payload : [payload]);

function joined(parts: readonly Keys[]): Keys {
  return parts.every((part) => part !== undefined) ? parts.flat() : undefined;
}
