/**
 * Rows as JSON and back. A Prisma model's rows come back with the types that Prisma gives them; the JSON is
 * such that Postgres reads each field as its column's type.
 */

import { isDeepStrictEqual } from 'node:util';
import { ForebayError } from '../errors.js';
import { describe } from '../given.js';
import { encodeScalar, expectation, isNull, type Reviver, reviverOf } from './column-value.js';
import { fieldValue } from './field-value.js';
import { joinMembers, membersOf } from './json-members.js';
import { jsonProblem } from './json-value.js';
import { makeId } from './makers.js';
import type { Field, Model } from './model.js';
import { adaptMark, markOf, releaseOf } from './release.js';

export interface RowCodec<Row, Input> {
  /** With the ids that are made for it. @throws ForebayError INVALID_VALUE */
  complete(input: Input): Input;
  /** A whole row's JSON. @throws ForebayError INVALID_VALUE, VALUE_TOO_LARGE */
  encode(input: Input): string;
  /**
   * A whole row as it waits: its release, what it leaves to a row that is there, its JSON, which ends with
   * that. @throws as `encode`
   */
  putText(input: Input): string;
  /**
   * A row as it waits that was made of the one with the JSON `before`; what did not change stays to the byte.
   * @throws as `encode`
   */
  updateText(before: string, input: Input): string;
  /**
   * What a patch changes, as `write` wants it: the release, the names, and a line for each. Without the id.
   * @throws as `encode`
   */
  patchText(fields: Partial<Input>): string;
  decode(json: string): Row;
  /** @returns the JSON that it is given. @throws ForebayError VALUE_TOO_LARGE */
  checked(json: string): string;
  /** Names of the fields that a put may leave to the row that is there, or to the database. */
  readonly leftFields: readonly string[];
  /** Of the definition: what stands in front of a row's JSON where it waits. */
  readonly release: string;
  /**
   * A row that another release has written, as this one would write it: renamed fields are renamed, those
   * that are not there any more are left out, and new ones get their defaults where there is no row.
   * @throws ForebayError INVALID_VALUE
   */
  adapt(json: string, mark: string): AdaptedRow;
}

export interface AdaptedRow {
  readonly json: string;
  /** What it leaves of a row that is there, see `parseMark`: also what its writer did not know of. */
  readonly mark: string;
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
  const encode = (row: Row): string => {
    const problem = isObject(row) ? jsonProblem(row) : `a row must be an object, not ${describe(row)}`;
    if (problem) throw invalidValue(options.store, problem);
    return checkedSize(options, JSON.stringify(row));
  };
  return {
    complete: (row) => row,
    encode,
    putText: encode,
    updateText: (_before, row) => encode(row),
    patchText: (fields) => {
      const problem = isObject(fields)
        ? jsonProblem(fields)
        : `a patch must be an object, not ${describe(fields)}`;
      if (problem) throw invalidValue(options.store, problem);
      return patchOf(options, '', Object.entries(fields));
    },
    decode: (json) => JSON.parse(json) as Row,
    checked: (json) => checkedSize(options, json),
    leftFields: [],
    release: '',
    adapt: (json, mark) => ({ json, mark }),
  };
}

/** Rows of a Prisma model, without the fields in `without` (its counters). */
export function modelRowCodec<Row, Input>(
  model: Model,
  without: readonly string[],
  options: RowCodecOptions,
): RowCodec<Row, Input> {
  return new ModelRows(model, without, options) as unknown as RowCodec<Row, Input>;
}

type Values = Record<string, unknown>;

class ModelRows implements RowCodec<Values, Values> {
  readonly release: string;
  readonly #fields: readonly (readonly [string, Field])[];
  readonly #names: ReadonlySet<string>;
  readonly #isId: ReadonlySet<string>;
  readonly #revived: readonly { name: string; isList: boolean; reviver: Reviver | undefined }[];
  readonly #made: readonly (readonly [string, Field])[];
  /** Fields that a put may leave to the row that is there, or to the database. */
  readonly #optional: readonly (readonly [string, Field])[];
  readonly leftFields: readonly string[];
  readonly #options: RowCodecOptions;

  constructor(model: Model, without: readonly string[], options: RowCodecOptions) {
    this.#fields = Object.entries(model.fields).filter(([name]) => !without.includes(name));
    this.#names = new Set(this.#fields.map(([name]) => name));
    this.#isId = new Set(model.id);
    this.#revived = this.#fields.flatMap(([name, field]) => {
      const reviver = reviverOf(field);
      const isNeeded = reviver !== undefined || field.isList || field.default.kind === 'database';
      return isNeeded ? [{ name, isList: field.isList, reviver }] : [];
    });
    this.#made = this.#fields.filter(([, field]) => field.default.kind === 'made');
    this.#optional = this.#fields.filter(([, field]) => isKept(field) || field.default.kind === 'database');
    this.leftFields = this.#optional.map(([name]) => name);
    this.#options = options;
    this.release = releaseOf(this.#fields);
  }

  complete(input: Values): Values {
    this.#check(input);
    const missing = this.#made.filter(([name]) => fieldValue(input, name) === undefined);
    if (missing.length === 0) return input;
    const ids = missing.map(([name, field]) => [name, madeValue(field)] as const);
    return { ...input, ...Object.fromEntries(ids) };
  }

  encode(input: Values): string {
    return this.checked(JSON.stringify(this.#encoded(input)));
  }

  putText(input: Values): string {
    const row = this.#encoded(input);
    const left = this.#optional.filter(([name]) => fieldValue(input, name) === undefined);
    const mark = markOf(left.map(([name, field]) => (isKept(field) ? name : `~${name}`)));
    const lines = left.flatMap(([name]) => lineOf(name, row[name]) ?? []);
    for (const [name] of left) row[name] = undefined;
    const json = JSON.stringify(row);
    if (lines.length === 0) return this.release + mark + this.checked(json);
    return `${this.release}${mark}^${this.checked(`${json.slice(0, -1)}\n\n${lines.join('\n')}\n}`)}`;
  }

  updateText(before: string, input: Values): string {
    this.#check(input);
    const members = membersOf(before);
    const given = this.decode(before);
    const changed: string[] = [];
    for (const [name, field] of this.#fields) {
      if (this.#isId.has(name)) continue;
      const value = fieldValue(input, name);
      const isSame = value === undefined || isSameValue(value, given[name]);
      if (isSame && !field.isUpdatedAt) continue;
      const text = JSON.stringify(this.#encodeField(name, field, isSame ? new Date() : value));
      if (text === members.get(name)) continue;
      members.set(name, text);
      changed.push(name);
    }
    return `${this.release};+${changed.join(',')}${this.checked(joinMembers(members))}`;
  }

  patchText(fields: Values): string {
    this.#check(fields);
    const changes = this.#fields.flatMap(([name, field]) => {
      const given = fieldValue(fields, name);
      const value = given === undefined && field.isUpdatedAt ? new Date() : given;
      if (value === undefined || this.#isId.has(name)) return [];
      return [[name, this.#encodeField(name, field, value)] as const];
    });
    const names = changes.map(([name]) => name).join(',');
    return patchOf(this.#options, `${this.release};+${names}`, changes);
  }

  decode(json: string): Values {
    const row = JSON.parse(json) as Values;
    for (const { name, isList, reviver } of this.#revived)
      row[name] = revive(reviver, isList, fieldValue(row, name));
    return row;
  }

  adapt(json: string, mark: string): AdaptedRow {
    const older = JSON.parse(json) as Values;
    const given = (name: string): unknown =>
      fieldValue(older, name) ?? fieldValue(older, this.#formerName(name));
    const row = Object.fromEntries([...this.#names].map((name) => [name, given(name)]));
    const decoded = this.decode(JSON.stringify(row));
    for (const name of this.#names) if (row[name] === undefined) decoded[name] = undefined;
    const fields = this.#fields
      .filter(([name]) => !this.#isId.has(name))
      .map(([name, field]) => ({
        name,
        former: this.#formerName(name),
        isKnown: row[name] !== undefined,
        isOfDatabase: field.default.kind === 'database',
      }));
    return { json: this.encode(decoded), mark: adaptMark(mark, fields) };
  }

  #formerName(name: string): string {
    return String(fieldValue(this.#options.renamed ?? {}, name) ?? name);
  }

  checked(json: string): string {
    return checkedSize(this.#options, json);
  }

  #check(input: unknown): void {
    const { store } = this.#options;
    if (!isObject(input)) throw invalidValue(store, `a row must be an object, not ${describe(input)}`);
    for (const name in input) {
      if (!this.#names.has(name)) {
        throw invalidValue(store, `it has no field "${name}"; its fields are ${[...this.#names].join(', ')}`);
      }
    }
  }

  #encoded(input: Values): Values {
    this.#check(input);
    const row: Values = {};
    for (const [name, field] of this.#fields)
      row[name] = this.#encodeOrDefault(name, field, fieldValue(input, name));
    return row;
  }

  #encodeOrDefault(name: string, field: Field, given: unknown): unknown {
    if (given === undefined && field.default.kind === 'database') return undefined;
    return this.#encodeField(name, field, given === undefined ? this.#defaultOf(name, field) : given);
  }

  #encodeField(name: string, field: Field, value: unknown): unknown {
    const { store } = this.#options;
    if (!field.isList && isNull(field, value)) {
      if (field.isNullable) return null;
      throw invalidValue(store, `field ${name} must not be null`);
    }
    if (!field.isList) return this.#encodeScalar(name, field, value);
    if (value === null) throw invalidValue(store, `field ${name} must not be null`);
    if (!Array.isArray(value))
      throw invalidValue(store, `field ${name} must be an array, not ${describe(value)}`);
    return value.map((item, i) => this.#encodeScalar(`${name}[${i}]`, field, item));
  }

  #encodeScalar(name: string, field: Field, value: unknown): unknown {
    const encoded = encodeScalar(field, value);
    if (encoded !== undefined) return encoded;
    throw invalidValue(this.#options.store, `field ${name} ${expectation(field, value)}`);
  }

  #defaultOf(name: string, field: Field): unknown {
    switch (field.default.kind) {
      case 'null':
      case 'database':
        return null;
      case 'value':
        return field.default.value;
      case 'now':
        return new Date();
      case 'made':
        return madeValue(field);
      case 'none':
        throw invalidValue(this.#options.store, `field ${name} is missing${sequenceAdvice(field)}`);
    }
  }
}

/** `@default(now())`: it is when the row was made, so a put without it leaves that of a row that is there. */
function isKept(field: Field): boolean {
  return field.default.kind === 'now' && !field.isUpdatedAt;
}

function madeValue({ default: made }: Field): string | undefined {
  return made.kind === 'made' ? makeId(made.by, made.length) : undefined;
}

function sequenceAdvice({ default: missing }: Field): string {
  if (missing.kind !== 'none' || !missing.isSequence) return '';
  return "; the database's sequence makes it, and a write that waits can't know its number. Give one, or create the row with Prisma";
}

function isSameValue(one: unknown, other: unknown): boolean {
  if (one instanceof Date && other instanceof Date) return Object.is(one.getTime(), other.getTime());
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((item, i) => isSameValue(item, other[i]));
  }
  return isDeepStrictEqual(one, other);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function revive(reviver: Reviver | undefined, isList: boolean, value: unknown): unknown {
  // Prisma gives a list that is NULL as an empty one.
  if (value === null || value === undefined) return isList ? [] : null;
  if (reviver === undefined) return value;
  if (!isList) return reviver(value);
  return (value as unknown[]).map((item) => (item === null ? null : reviver(item)));
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

/** A member as `write` finds it again behind a row's others. */
function lineOf(name: string, value: unknown): string | undefined {
  return value === undefined ? undefined : `,${JSON.stringify(name)}:${JSON.stringify(value)}`;
}

function patchOf(options: RowCodecOptions, head: string, changes: (readonly [string, unknown])[]): string {
  const lines = changes.flatMap(([name, value]) => lineOf(name, value) ?? []);
  if (lines.length === 0) throw invalidValue(options.store, 'a patch needs a field to write');
  return `${head}\n${checkedSize(options, lines.join('\n'))}`;
}

function invalidValue(store: string, what: string): ForebayError {
  return new ForebayError('INVALID_VALUE', `A row of store "${store}" can't be written: ${what}.`, {
    context: { store },
  });
}
