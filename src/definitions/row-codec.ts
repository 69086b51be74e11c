/**
 * Rows as JSON and back. A Prisma model's rows come back with the types that Prisma gives them; the JSON is
 * such that Postgres reads each field as its column's type.
 */
import { Decimal } from '@prisma/client/runtime/client';
import { ForebayError } from '../errors.js';
import { describe } from './id.js';
import { jsonProblem } from './json-value.js';
import type { Field, Model } from './model.js';
import { isInt32, isInt64, isText, isTimestamp, numericDigitsMax } from './postgres-range.js';
import { releaseOf } from './release.js';

export interface RowCodec<Row, Input> {
  /** @throws ForebayError INVALID_VALUE, VALUE_TOO_LARGE */
  encode(input: Input): string;
  decode(json: string): Row;
  /** Of the definition: what stands in front of a row's JSON where it waits. */
  readonly release: string;
  /**
   * The JSON of a row that another release has written, as this one would write it: renamed fields are renamed, those that are not
   * there any more are left out, and new ones get their defaults.
   * @throws ForebayError INVALID_VALUE
   */
  adapt(json: string): string;
}

export interface RowCodecOptions {
  readonly store: string;
  /** Most bytes of a row's JSON. */
  readonly valueBytesMax: number;
  /** What fields were called in an older release, by what they are called now. */
  readonly renamed?: Readonly<Record<string, string>>;
}

/** Rows of a store without a model: any JSON object. */
export function jsonRowCodec<Row>(options: RowCodecOptions): RowCodec<Row, Row> {
  return {
    encode(row) {
      const problem = isObject(row) ? jsonProblem(row) : `a row must be an object, not ${describe(row)}`;
      if (problem) throw invalidValue(options.store, problem);
      return checkedSize(options, JSON.stringify(row));
    },
    decode: (json) => JSON.parse(json) as Row,
    release: '',
    adapt: (json) => json,
  };
}

/** Rows of a Prisma model, without the fields in `without` (its counters). */
export function modelRowCodec<Row, Input>(
  model: Model,
  without: readonly string[],
  options: RowCodecOptions,
): RowCodec<Row, Input> {
  const fields = Object.entries(model.fields).filter(([name]) => !without.includes(name));
  const names = new Set(fields.map(([name]) => name));
  const revivers = fields.flatMap(([name, field]) => {
    const reviver = reviverOf(field);
    return reviver ? [{ name, isList: field.isList, reviver }] : [];
  });
  const encode = (input: Input): string => {
    if (!isObject(input))
      throw invalidValue(options.store, `a row must be an object, not ${describe(input)}`);
    checkNames(options.store, names, input);
    const row: Record<string, unknown> = {};
    for (const [name, field] of fields) row[name] = encodeField(options.store, name, field, input[name]);
    return checkedSize(options, JSON.stringify(row));
  };
  const decode = (json: string): Row => {
    const row = JSON.parse(json) as Record<string, unknown>;
    for (const { name, isList, reviver } of revivers) row[name] = revive(reviver, isList, row[name]);
    return row as Row;
  };
  return {
    encode,
    decode,
    release: releaseOf(fields),
    adapt(json) {
      const older = JSON.parse(json) as Record<string, unknown>;
      const row = Object.fromEntries(
        [...names].map((name) => [name, older[name] ?? older[options.renamed?.[name] ?? name]]),
      );
      return encode(decode(JSON.stringify(row)) as unknown as Input);
    },
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function checkNames(store: string, names: ReadonlySet<string>, input: Record<string, unknown>): void {
  for (const name in input) {
    if (!names.has(name)) {
      throw invalidValue(store, `it has no field "${name}"; its fields are ${[...names].join(', ')}`);
    }
  }
}

function encodeField(store: string, name: string, field: Field, given: unknown): unknown {
  const value = given === undefined ? defaultOf(store, name, field) : given;
  if (value === null) {
    if (field.isNullable) return null;
    throw invalidValue(store, `field ${name} must not be null`);
  }
  if (!field.isList) return encodeScalar(store, name, field, value);
  if (!Array.isArray(value))
    throw invalidValue(store, `field ${name} must be an array, not ${describe(value)}`);
  return value.map((item, i) => encodeScalar(store, `${name}[${i}]`, field, item));
}

function defaultOf(store: string, name: string, field: Field): unknown {
  switch (field.default.kind) {
    case 'null':
      return null;
    case 'value':
      return field.default.value;
    case 'now':
      return new Date();
    case 'none':
      throw invalidValue(store, `field ${name} is missing`);
  }
}

/** The JSON of a value of each Prisma type, or undefined when the value is not of that type. */
const encoders: Record<Field['type'], (value: unknown, field: Field) => unknown> = {
  String: (value) => (typeof value === 'string' && isText(value) ? value : undefined),
  Boolean: (value) => (typeof value === 'boolean' ? value : undefined),
  Int: (value) => (isInt32(value) ? value : undefined),
  BigInt: (value) => (isInt64(value) ? String(value) : undefined),
  Float: (value) => (Number.isFinite(value) ? value : undefined),
  Decimal: encodeDecimal,
  DateTime: (value) => (isTimestamp(value) ? value.toISOString() : undefined),
  Json: (value) => (jsonProblem(value) === undefined ? value : undefined),
  Bytes: (value) => (value instanceof Uint8Array ? `\\x${Buffer.from(value).toString('hex')}` : undefined),
  Enum: encodeEnum,
};

function encodeEnum(value: unknown, { enumValues = {} }: Field): string | undefined {
  return typeof value === 'string' && Object.hasOwn(enumValues, value) ? enumValues[value] : undefined;
}

function encodeScalar(store: string, name: string, field: Field, value: unknown): unknown {
  const encoded = encoders[field.type](value, field);
  if (encoded === undefined) throw invalidValue(store, `field ${name} ${expectation(field, value)}`);
  return encoded;
}

function encodeDecimal(value: unknown): string | undefined {
  if (!Decimal.isDecimal(value) && typeof value !== 'string' && !Number.isFinite(value)) return undefined;
  const { before, after } = numericDigitsMax;
  try {
    const decimal = new Decimal(value as string);
    // Looked at before it is written out: 1e100000000 has as many digits.
    const isStorable = decimal.isFinite() && decimal.e < before && decimal.decimalPlaces() <= after;
    return isStorable ? decimal.toFixed() : undefined;
  } catch {
    return undefined; // decimal.js throws on a text that is no number; the caller reports the field
  }
}

function expectation(field: Field, value: unknown): string {
  if (field.type === 'Json') return `is not JSON: ${jsonProblem(value)}`;
  if (field.type === 'Enum') {
    return `must be one of ${Object.keys(field.enumValues ?? {}).join(', ')}, not ${describe(value)}`;
  }
  if (field.type === 'String' && typeof value === 'string') {
    return 'must have neither U+0000 nor half a surrogate pair, which Postgres does not store';
  }
  return `must be ${expected[field.type]}, not ${describe(value)}`;
}

const expected: Record<Exclude<Field['type'], 'Json' | 'Enum'>, string> = {
  String: 'a string',
  Boolean: 'a boolean',
  Int: 'an integer of 32 bits',
  BigInt: 'a bigint of 64 bits or a safe integer',
  Float: 'a finite number',
  Decimal:
    'a finite Decimal, number or numeric string of at most 131,072 digits before and 16,383 after the point',
  DateTime: 'a valid Date of the years 1 to 9999',
  Bytes: 'a Uint8Array',
};

type Reviver = (value: string) => unknown;

function reviverOf(field: Field): Reviver | undefined {
  switch (field.type) {
    case 'DateTime':
      return (value) => new Date(value);
    case 'BigInt':
      return (value) => BigInt(value);
    case 'Decimal':
      return (value) => new Decimal(value);
    case 'Bytes':
      return (value) => new Uint8Array(Buffer.from(value.slice(2), 'hex'));
    case 'Enum':
      return enumReviver(field);
    default:
      return undefined;
  }
}

/** Undefined when every name is its own value, so that plain enums cost nothing to read. */
function enumReviver(field: Field): Reviver | undefined {
  const entries = Object.entries(field.enumValues ?? {});
  if (entries.every(([name, value]) => name === value)) return undefined;
  const names = new Map(entries.map(([name, value]) => [value, name]));
  return (value) => names.get(value);
}

function revive(reviver: Reviver, isList: boolean, value: unknown): unknown {
  if (value === null || value === undefined) return value;
  return isList ? (value as string[]).map(reviver) : reviver(value as string);
}

function checkedSize(options: RowCodecOptions, json: string): string {
  if (json.length * 3 <= options.valueBytesMax) return json;
  const bytes = Buffer.byteLength(json);
  if (bytes <= options.valueBytesMax) return json;
  throw new ForebayError(
    'VALUE_TOO_LARGE',
    `A row of store "${options.store}" has ${bytes} bytes as JSON, and ${options.valueBytesMax} are allowed. ` +
      "Store less in it, or raise the store's valueBytesMax.",
    { context: { store: options.store, bytes, valueBytesMax: options.valueBytesMax } },
  );
}

function invalidValue(store: string, what: string): ForebayError {
  return new ForebayError('INVALID_VALUE', `A row of store "${store}" can't be written: ${what}.`, {
    context: { store },
  });
}
