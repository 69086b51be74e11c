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

  constructor({ model, stores }: CoveredModel) {
    this.stores = stores;
    this.model = model;
    this.#ids = (stores[0] as Store).ids;
  }

  /** What is told of a row, by field. */
  textsOf(textOf: ColumnText): RowTexts {
    const fields = Object.entries(this.model.fields).map(([name, { column }]) => [name, textOf(column)]);
    return Object.fromEntries(fields.filter(([, text]) => text !== undefined));
  }

  /** Undefined when the id is not told; null for one that no entry can have. */
  idKeyOf(textOf: ColumnText): string | null | undefined {
    const parts: [string, unknown][] = [];
    for (const name of this.model.id) {
      const field = this.model.fields[name] as Field;
      const text = textOf(field.column);
      if (text === undefined || text === null) return undefined;
      parts.push([name, idPart(field, text)]);
    }
    return keyOf(this.#ids, Object.fromEntries(parts));
  }
}

export class CoveredTables {
  readonly #byName = new Map<string, CoveredTable>();
  readonly #ledger: string;

  constructor(covered: readonly CoveredModel[], { tables, ledger }: PublicationReport) {
    this.#ledger = ledger ? nameOf(ledger) : '';
    for (const one of covered) {
      const table = tables.get(one.model);
      if (table) this.#byName.set(nameOf(table), new CoveredTable(one));
    }
  }

  of(relation: Relation): CoveredTable | 'ledger' | undefined {
    const name = nameOf(relation);
    return name === this.#ledger ? 'ledger' : this.#byName.get(name);
  }
}

/** The texts of a row. Of an old row only those of the identity count: the others are sent as NULL. */
export function textsOf({ columns }: Relation, tuple: Tuple, isBefore: boolean): ColumnText {
  return (name) => {
    const index = columns.findIndex((column) => column.name === name);
    if (index < 0 || (isBefore && !columns[index]?.isIdentity)) return undefined;
    return tuple.text(index);
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
