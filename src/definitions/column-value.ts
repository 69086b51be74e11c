/**
 * A value of a field as JSON that Postgres reads as its column's type, in the form in which the column holds
 * it, and back.
 */

import { describe } from '../given.js';
import { jsonProblem } from './json-value.js';
import type { Field, FieldType } from './model.js';
import { encodeDecimal, encodeFloat, encodeInt, expectedNumber } from './number-forms.js';
import { isInt64, isText } from './postgres-range.js';
import { Decimal, isDbNull, isJsonNull } from './prisma-runtime.js';
import { textFormOf } from './text-forms.js';
import { decodeTime, encodeTime } from './time-forms.js';

/** Undefined when the column can't hold the value. */
export function encodeScalar(field: Field, value: unknown): unknown {
  return encoders[field.type](value, field);
}

/** The JSON null is no SQL NULL, and an object of its own in Prisma. */
export function isNull(field: Field, value: unknown): boolean {
  if (field.type !== 'Json') return value === null;
  return isDbNull(value) || (value === null && field.isNullable);
}

/** The JSON of a value of each Prisma type, or undefined when the value is not of that type. */
const encoders: Record<FieldType, (value: unknown, field: Field) => unknown> = {
  String: encodeText,
  Boolean: (value) => (typeof value === 'boolean' ? value : undefined),
  Int: (value, { nativeType }) => encodeInt(value, nativeType),
  BigInt: (value) => (isInt64(value) ? String(value) : undefined),
  Float: (value, { nativeType }) => encodeFloat(value, nativeType),
  Decimal: (value, { nativeType }) => encodeDecimal(value, nativeType),
  DateTime: (value, { nativeType }) => encodeTime(value, nativeType),
  Json: encodeJson,
  Bytes: (value) => (value instanceof Uint8Array ? `\\x${Buffer.from(value).toString('hex')}` : undefined),
  Enum: encodeEnum,
};

function encodeText(value: unknown, { nativeType }: Field): string | undefined {
  if (typeof value !== 'string' || !isText(value)) return undefined;
  const form = textFormOf(nativeType);
  return form ? form.form(value) : value;
}

/**
 * Objects and arrays are themselves; other values are texts of their JSON, so that the JSON null is not taken
 * for NULL. So are arrays in a list, which would be taken for its second dimension.
 */
function encodeJson(value: unknown, { isList }: Field): unknown {
  if (isJsonNull(value)) return 'null';
  if (jsonProblem(value) !== undefined) return undefined;
  const isItself = typeof value === 'object' && value !== null && !(isList && Array.isArray(value));
  return isItself ? value : JSON.stringify(value);
}

function encodeEnum(value: unknown, { enumValues = {} }: Field): string | undefined {
  return typeof value === 'string' && Object.hasOwn(enumValues, value) ? enumValues[value] : undefined;
}

/** What a value must be that can't be encoded, in words behind the field's name. */
export function expectation(field: Field, value: unknown): string {
  if (field.type === 'Json') return `is not JSON: ${jsonProblem(value)}`;
  if (field.type === 'String' && typeof value === 'string' && !isText(value)) {
    return 'must have neither U+0000 nor half a surrogate pair, which Postgres does not store';
  }
  return `must be ${expectedOf(field)}, not ${describe(value)}`;
}

function expectedOf({ type, nativeType, enumValues = {} }: Field): string {
  if (type === 'Enum') return `one of ${Object.keys(enumValues).join(', ')}`;
  if (type === 'String') return textFormOf(nativeType)?.expected ?? expected.String;
  return expectedNumber(nativeType) ?? expected[type as keyof typeof expected];
}

const expected = {
  String: 'a string',
  Boolean: 'a boolean',
  Int: 'an integer of 32 bits',
  BigInt: 'a bigint of 64 bits or a safe integer',
  Float: 'a number',
  Decimal:
    'a finite Decimal, number or numeric string of at most 131,072 digits before and 16,383 after the point',
  DateTime: 'a valid Date of the years 1 to 9999',
  Json: 'JSON',
  Bytes: 'a Uint8Array',
} as const;

export type Reviver = (value: unknown) => unknown;

/** Makes of a value's JSON what Prisma gives; undefined where that is the same. */
export function reviverOf(field: Field): Reviver | undefined {
  switch (field.type) {
    case 'DateTime':
      return (value) => decodeTime(value as string);
    case 'BigInt':
      return (value) => BigInt(value as string);
    case 'Decimal':
      return (value) => new Decimal(value as string);
    case 'Float':
      return (value) => (typeof value === 'string' ? Number(value) : value);
    case 'Json':
      return (value) => (typeof value === 'string' ? (JSON.parse(value) as unknown) : value);
    case 'Bytes':
      return (value) => new Uint8Array(Buffer.from((value as string).slice(2), 'hex'));
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
  const names = new Map<unknown, string>(entries.map(([name, value]) => [value, name]));
  return (value) => names.get(value);
}
