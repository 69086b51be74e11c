/**
 * What forebay knows of a Prisma model: its table, its columns and its keys.
 * Values of this type are written by forebay's Prisma generator; nobody writes them by hand.
 */

/** Prisma's scalar types, and enums. */
export type FieldType =
  | 'String'
  | 'Boolean'
  | 'Int'
  | 'BigInt'
  | 'Float'
  | 'Decimal'
  | 'DateTime'
  | 'Json'
  | 'Bytes'
  | 'Enum';

/** A column's type where the schema names one: `@db.VarChar(20)`. */
export interface NativeType {
  /** As Prisma calls it: `VarChar`. */
  readonly name: string;
  /** Its length, or precision and scale; empty where the schema names none. */
  readonly args: readonly number[];
}

/** Prisma's functions that make an id in the client. */
export type Maker = 'uuid4' | 'uuid7' | 'cuid' | 'cuid2' | 'nanoid' | 'ulid';

/** What a put fills in when the app leaves the field out; `none` makes the field required. */
export type FieldDefault =
  /** `isSequence`: the database counts, and a put can't know its number. */
  | { readonly kind: 'none'; readonly isSequence?: true }
  | { readonly kind: 'null' }
  /** `value` is as Prisma's client would give it: a Date, a bigint, parsed JSON, the text of a Decimal. */
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'now' }
  /** Made by the client, anew for each row. */
  | { readonly kind: 'made'; readonly by: Maker; readonly length?: number }
  /** Made by the database: a put that leaves it out leaves it to the database. */
  | { readonly kind: 'database' };

/** A field of a Prisma model. */
export interface Field {
  /** Column name in Postgres (`@map`). */
  readonly column: string;
  /** Its type in the Prisma schema. */
  readonly type: FieldType;
  /** Undefined: of its Prisma type's usual column. */
  readonly nativeType?: NativeType;
  /** Whether it holds a list of these. */
  readonly isList: boolean;
  /** Whether it may be null (`?`). */
  readonly isNullable: boolean;
  /** What a put fills in. */
  readonly default: FieldDefault;
  /** `@updatedAt`: moves with every update. */
  readonly isUpdatedAt?: true;
  /** True when the database itself has a default for the column (also `autoincrement`, `dbgenerated`). */
  readonly hasDatabaseDefault: boolean;
  /** For enums: the name in Prisma → the value in Postgres (`@map` on enum values). */
  readonly enumValues?: Readonly<Record<string, string>>;
}

/**
 * A Prisma model. `Row` is a whole row as Prisma returns it, `Input` what a put takes (fields with a
 * default may be left out), `Id` the id: a scalar, or an object for composite ids. `Name` is its name.
 */
export interface Model<Row = unknown, Input = unknown, Id = unknown, Name extends string = string> {
  /** Name in the Prisma schema, e.g. `TeamMember`. */
  readonly name: Name;
  /** Name of the Prisma client's delegate, e.g. `teamMember`. */
  readonly delegate: string;
  /** Postgres schema (`@@schema`), or undefined for the connection's own. */
  readonly schema?: string;
  /** Table name (`@@map`). */
  readonly table: string;
  /** Field names of the id, in the order of `@@id`. */
  readonly id: readonly string[];
  /** Its scalar fields, by name. */
  readonly fields: Readonly<Record<string, Field>>;
  /** Names of the models that this one's foreign keys point to, without itself. */
  readonly parents: readonly string[];
  /** Names of the models whose rows have at most one row of this one, by its foreign key. Absent: none. */
  readonly onlyOneOf?: readonly string[];
  /** Carries the types; never set. */
  readonly types?: { readonly row: Row; readonly input: Input; readonly id: Id };
}

/** The type of a model's ids. */
export type IdOf<M> = M extends Model<infer _Row, infer _Input, infer Id> ? Id : never;
