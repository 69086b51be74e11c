/** The tables whose rows stores have, as the replication names them; and the id keys of their rows. */
import type { CoveredModel, PublicationReport, PublishedTable } from '../../database/publication.js';
import type { RowTexts } from '../../definitions/computed.js';
import type { IdCodec } from '../../definitions/id.js';
import type { Field, Model } from '../../definitions/model.js';
import type { Store } from '../../definitions/stores.js';
import { isForebayError } from '../../errors.js';
import type { Relation, Tuple } from './pgoutput.js';

/** A row's columns by name; undefined for what is not told. */
export type ColumnText = (column: string) => string | null | undefined;

export class CoveredTable {
  readonly stores: readonly Store[];
  readonly model: Model;
  readonly #ids: IdCodec<unknown>;
  readonly #idFields: readonly (readonly [name: string, field: Field])[];
  readonly #identity: ReadonlySet<string> | undefined;

  constructor({ model, stores }: CoveredModel, { identity }: PublishedTable) {
    this.stores = stores;
    this.#identity = identity;
    this.model = model;
    this.#ids = (stores[0] as Store).ids;
    this.#idFields = model.id.map((name) => [name, model.fields[name] as Field]);
  }

  /** What is told of a row, by field. */
  textsOf(textOf: ColumnText): RowTexts {
    const fields = Object.entries(this.model.fields).map(([name, { column }]) => [name, textOf(column)]);
    return Object.fromEntries(fields.filter(([, text]) => text !== undefined));
  }

  /**
   * Of an old row only the columns of the identity count: the others are sent as NULL. A partition's row
   * comes as one of the whole table, whose identity may have columns that the partition does not tell.
   */
  oldTextsOf(relation: Relation, tuple: Tuple): ColumnText {
    const textOf = textsOf(relation, tuple);
    const isTold = (name: string): boolean =>
      relation.columns.get(name)?.isIdentity === true && this.#identity?.has(name) !== false;
    return (name) => (isTold(name) ? textOf(name) : undefined);
  }

  /** Undefined when the id is not told; null for one that no entry can have. */
  idKeyOf(textOf: ColumnText): string | null | undefined {
    const row: Record<string, unknown> = {};
    for (const [name, field] of this.#idFields) {
      const text = textOf(field.column);
      if (text === undefined || text === null) return undefined;
      row[name] = idPart(field, text);
    }
    return keyOf(this.#ids, row);
  }
}

export class CoveredTables {
  readonly #byName = new Map<string, CoveredTable>();

  constructor(covered: readonly CoveredModel[], { tables }: PublicationReport) {
    for (const one of covered) {
      for (const table of tables.get(one.model) ?? [])
        this.#byName.set(nameOf(table), new CoveredTable(one, table));
    }
  }

  of(relation: Relation): CoveredTable | undefined {
    return this.#byName.get(nameOf(relation));
  }
}

/** The texts of a row. */
export function textsOf({ columns }: Relation, tuple: Tuple): ColumnText {
  return (name) => {
    const column = columns.get(name);
    return column && tuple.text(column.index);
  };
}

const nameOf = ({ schema, table }: PublishedTable): string => JSON.stringify([schema, table]);

/** As Prisma gives it. */
function idPart({ type, enumValues }: Field, text: string): unknown {
  switch (type) {
    case 'Int':
      return Number(text);
    case 'BigInt':
      return BigInt(text);
    case 'Enum':
      return Object.entries(enumValues ?? {}).find(([, value]) => value === text)?.[0];
    default:
      return text;
  }
}

function keyOf(ids: IdCodec<unknown>, row: object): string | null {
  try {
    return ids.toKey(ids.ofRow(row));
  } catch (error) {
    if (isForebayError(error, 'INVALID_ID')) return null;
    throw error;
  }
}
