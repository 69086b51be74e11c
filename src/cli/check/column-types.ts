/** Whether a column's type is one that its field can have. */
import type { Field, FieldType } from '../../definitions/model.js';

/** Of Prisma's native types (`@db.VarChar(20)`), Postgres's own names. */
const nativeNames: Readonly<Record<string, string>> = {
  Text: 'text',
  Char: 'character',
  VarChar: 'character varying',
  Bit: 'bit',
  VarBit: 'bit varying',
  Uuid: 'uuid',
  Xml: 'xml',
  Inet: 'inet',
  Citext: 'citext',
  Boolean: 'boolean',
  SmallInt: 'smallint',
  Integer: 'integer',
  Oid: 'oid',
  BigInt: 'bigint',
  Real: 'real',
  DoublePrecision: 'double precision',
  Decimal: 'numeric',
  Money: 'money',
  Timestamp: 'timestamp without time zone',
  Timestamptz: 'timestamp with time zone',
  Time: 'time without time zone',
  Timetz: 'time with time zone',
  Date: 'date',
  Json: 'json',
  JsonB: 'jsonb',
  ByteA: 'bytea',
};

/** Where the schema names no native type: what Prisma makes. */
const usual: Readonly<Record<Exclude<FieldType, 'Enum'>, string>> = {
  String: 'text',
  Boolean: 'boolean',
  Int: 'integer',
  BigInt: 'bigint',
  Float: 'double precision',
  Decimal: 'numeric(65,30)',
  DateTime: 'timestamp(3) without time zone',
  Json: 'jsonb',
  Bytes: 'bytea',
};

/** The wanted type, when the column's is another; lengths and precisions may be wider. */
export function columnMismatch(field: Field, type: string): string | undefined {
  const wanted = wantedType(field);
  if (wanted === undefined) return undefined;
  if (baseOf(type) !== baseOf(wanted)) return wanted;
  const [has, wants] = [sizeOf(type), sizeOf(wanted)];
  return has !== undefined && (wants === undefined || has < wants) ? wanted : undefined;
}

/** Undefined: not known, as of enums, whose types have names of their own. */
function wantedType({ type, nativeType, isList }: Field): string | undefined {
  if (type === 'Enum') return undefined;
  const name = nativeType ? nativeNames[nativeType.name] : usual[type];
  if (name === undefined) return undefined;
  const size = nativeType && nativeType.args.length > 0 ? `(${nativeType.args.join(',')})` : '';
  return withSize(name, size) + (isList ? '[]' : '');
}

/** `timestamp without time zone` and 3: `timestamp(3) without time zone`. */
function withSize(name: string, size: string): string {
  return /^time/.test(name) ? name.replace(/^\w+/, (word) => word + size) : name + size;
}

/** A type without its size and its schema. */
function baseOf(type: string): string {
  return type.replace(/\([^)]*\)/, '').replace(/^[^".]+\.(?=citext)/, '');
}

function sizeOf(type: string): number | undefined {
  const size = /\((\d+)/.exec(type)?.[1];
  return size === undefined ? undefined : Number(size);
}
