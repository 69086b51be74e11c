/** Ids as keys: an id becomes one unambiguous text (its id key) and back. */
import { ForebayError } from '../errors.js';
import { describe } from '../given.js';
import type { Field, Model } from './model.js';
import { encodeInt, expectedNumber } from './number-forms.js';
import { isInt64, isText } from './postgres-range.js';
import { textFormOf } from './text-forms.js';

const idKeyLengthMax = 512;

export interface IdCodec<Id> {
  /** @throws ForebayError INVALID_ID */
  toKey(id: Id): string;
  fromKey(key: string): Id;
  /** The id of a row. @throws ForebayError INVALID_ID when the row lacks it. */
  ofRow(row: object): Id;
  /** The row, with the parts of the id that it leaves out. */
  fillIn(row: object, id: Id): object;
}

const anyText = { type: 'String' } as const;

/** Ids that are a plain non-empty string, found in the row's field `field`. */
export function stringIdCodec(store: string, field: string): IdCodec<string> {
  return {
    toKey: (id) => checkedKey(store, partToKey(store, field, anyText, id)),
    fromKey: (key) => key,
    ofRow: (row) => (row as Record<string, string>)[field] as string,
    fillIn: (row, id) => withMissing(row, { [field]: id }),
  };
}

export function modelIdCodec<Id>(store: string, model: Model<unknown, unknown, Id>): IdCodec<Id> {
  return model.id.length === 1 ? scalarIdCodec(store, model) : compositeIdCodec(store, model);
}

function scalarIdCodec<Id>(store: string, model: Model): IdCodec<Id> {
  const [name, field] = idFields(model)[0] as [string, Field];
  return {
    toKey: (id) => checkedKey(store, partToKey(store, name, field, id)),
    fromKey: (key) => keyToPart(field, key) as Id,
    ofRow: (row) => (row as Record<string, Id>)[name] as Id,
    fillIn: (row, id) => withMissing(row, { [name]: id }),
  };
}

/** Composite ids: the parts in the order of `@@id`, joined by commas, with commas in a part escaped. */
function compositeIdCodec<Id>(store: string, model: Model): IdCodec<Id> {
  const fields = idFields(model);
  const part = (id: unknown, name: string): unknown => (id as Record<string, unknown> | null)?.[name];
  return {
    toKey(id) {
      const parts = fields.map(([name, field]) => partToKey(store, name, field, part(id, name)));
      return checkedKey(store, parts.map(escapePart).join(','));
    },
    fromKey(key) {
      const parts = key.split(',').map(unescapePart);
      return Object.fromEntries(
        fields.map(([name, field], i) => [name, keyToPart(field, parts[i] as string)]),
      ) as Id;
    },
    ofRow: (row) => Object.fromEntries(fields.map(([name]) => [name, part(row, name)])) as Id,
    fillIn: (row, id) => withMissing(row, id as object),
  };
}

function withMissing(row: object, parts: object): object {
  const missing = Object.entries(parts).filter(
    ([name]) => (row as Record<string, unknown>)[name] === undefined,
  );
  return missing.length === 0 ? row : { ...row, ...Object.fromEntries(missing) };
}

function idFields(model: Model): [string, Field][] {
  return model.id.map((name) => [name, model.fields[name] as Field]);
}

const escapePart = (part: string): string => part.replaceAll('%', '%25').replaceAll(',', '%2C');
const unescapePart = (part: string): string => part.replaceAll('%2C', ',').replaceAll('%25', '%');

/** The first part of a composite id's key, as the key of an id of its own. */
export function firstPartOf(key: string): string {
  const comma = key.indexOf(',');
  return unescapePart(comma < 0 ? key : key.slice(0, comma));
}

type KeyField = Pick<Field, 'type' | 'nativeType'>;

/** Ids that Postgres holds for equal have one key. */
function partToKey(store: string, name: string, field: KeyField, value: unknown): string {
  switch (field.type) {
    case 'Int':
      if (isInt64(value) && encodeInt(Number(value), field.nativeType) !== undefined) return String(value);
      throw invalidId(
        store,
        `its ${name} must be ${expectedNumber(field.nativeType) ?? 'an integer of 32 bits'}, not ${describe(value)}`,
      );
    case 'BigInt':
      if (isInt64(value)) return String(value);
      throw invalidId(store, `its ${name} must be an integer of 64 bits, not ${describe(value)}`);
    case 'String':
      return textToKey(store, name, field, value);
    case 'Enum':
      if (typeof value === 'string' && value !== '') return value;
      throw invalidId(store, `its ${name} must be a non-empty string, not ${describe(value)}`);
    default:
      throw invalidId(
        store,
        `ids of type ${field.type} are not supported; use a String, Int, BigInt or Enum field`,
      );
  }
}

function textToKey(store: string, name: string, field: KeyField, value: unknown): string {
  const columns = textFormOf(field.nativeType);
  const text = typeof value !== 'string' ? undefined : columns ? columns.form(value) : value;
  const key = text === undefined ? undefined : (columns?.key?.(text) ?? text);
  if (key) return key;
  const expected = value === '' ? undefined : columns?.expected;
  throw invalidId(store, `its ${name} must be ${expected ?? 'a non-empty string'}, not ${describe(value)}`);
}

function keyToPart({ type, nativeType }: KeyField, key: string): string | number | bigint {
  if (type === 'Int') return Number(key);
  if (type === 'BigInt') return BigInt(key);
  return textFormOf(nativeType)?.ofKey?.(key) ?? key;
}

function checkedKey(store: string, key: string): string {
  if (key.length > idKeyLengthMax) {
    throw invalidId(store, `it has ${key.length} characters, and ${idKeyLengthMax} are allowed`);
  }
  if (!isText(key)) throw invalidId(store, 'it contains the character U+0000 or half a surrogate pair');
  return key;
}

function invalidId(store: string, what: string): ForebayError {
  return new ForebayError('INVALID_ID', `The id of a row of store "${store}" can't be used: ${what}.`, {
    context: { store },
  });
}
