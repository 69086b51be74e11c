/** From Prisma's description of a data model (DMMF) to forebay's. */

import type { DMMF } from '@prisma/generator-helper';
import type { Field, FieldDefault, FieldType, Maker, Model, NativeType } from '../definitions/model.js';

export type ModelFacts = { readonly model: Model } | { readonly unusable: string };

/** `unusable` says why forebay can't write the model's rows: they are named by an id that makes a key. */
export function factsOf(model: DMMF.Model, enums: readonly DMMF.DatamodelEnum[]): ModelFacts {
  const id = idOf(model);
  if (id.length === 0) return { unusable: 'it has no @id or @@id' };
  const odd = model.fields.find((field) => id.includes(field.name) && !makesKeys(field));
  if (odd) return { unusable: `${odd.name}, in its id, is no String, Int, BigInt or enum` };
  return { model: modelOf(model, id, enums) };
}

function idOf(model: DMMF.Model): readonly string[] {
  return model.primaryKey?.fields ?? model.fields.filter(({ isId }) => isId).map(({ name }) => name);
}

function makesKeys(field: DMMF.Field): boolean {
  return field.kind === 'enum' || ['String', 'Int', 'BigInt'].includes(field.type);
}

function modelOf(model: DMMF.Model, id: readonly string[], enums: readonly DMMF.DatamodelEnum[]): Model {
  const columns = model.fields.filter(isColumn);
  const onlyOneOf = oneToOneOf(model);
  return {
    name: model.name,
    delegate: model.name.charAt(0).toLowerCase() + model.name.slice(1),
    ...(model.schema ? { schema: model.schema } : {}),
    table: model.dbName ?? model.name,
    id,
    fields: Object.fromEntries(columns.map((field) => [field.name, fieldOf(field, id, enums)])),
    parents: parentsOf(model),
    ...(onlyOneOf.length > 0 ? { onlyOneOf } : {}),
  };
}

/** The other fields are relations, and columns that Prisma can't read (`Unsupported`). */
function isColumn(field: DMMF.Field): boolean {
  return field.kind === 'scalar' || field.kind === 'enum';
}

function fieldOf(field: DMMF.Field, id: readonly string[], enums: readonly DMMF.DatamodelEnum[]): Field {
  const values = field.kind === 'enum' ? enumValuesOf(field.type, enums) : undefined;
  const native = nativeTypeOf(field);
  return {
    column: field.dbName ?? field.name,
    type: values ? 'Enum' : (field.type as FieldType),
    ...(native ? { nativeType: native } : {}),
    isList: field.isList,
    isNullable: !field.isRequired,
    default: id.includes(field.name) ? idDefaultOf(field) : defaultOf(field),
    ...(field.isUpdatedAt ? { isUpdatedAt: true as const } : {}),
    hasDatabaseDefault: hasDatabaseDefault(field),
    ...(values ? { enumValues: values } : {}),
  };
}

function enumValuesOf(name: string, enums: readonly DMMF.DatamodelEnum[]): Record<string, string> {
  const values = enums.find((candidate) => candidate.name === name)?.values ?? [];
  return Object.fromEntries(values.map((value) => [value.name, value.dbName ?? value.name]));
}

/** Where the schema names none, Prisma's own for a Decimal rounds. */
function nativeTypeOf({ kind, type, nativeType }: DMMF.Field): NativeType | undefined {
  if (kind === 'enum') return undefined;
  if (nativeType) return { name: nativeType[0], args: nativeType[1].map(Number) };
  return type === 'Decimal' ? { name: 'Decimal', args: [65, 30] } : undefined;
}

/** An id is never the same for two rows: it is given, or made anew. */
function idDefaultOf(field: DMMF.Field): FieldDefault {
  const made = isFunction(field.default) ? functionDefault(field, field.default) : undefined;
  if (made?.kind === 'made') return made;
  const isSequence = isFunction(field.default) && sequences.includes(field.default.name);
  return isSequence ? { kind: 'none', isSequence } : { kind: 'none' };
}

function defaultOf(field: DMMF.Field): FieldDefault {
  if (field.isUpdatedAt) return { kind: 'now' };
  const given = field.default;
  if (given === undefined) return absenceOf(field);
  if (isFunction(given)) return functionDefault(field, given);
  const literals = Array.isArray(given) ? given : [given];
  const values = literals.map((literal) => clientValue(field.type, literal));
  if (values.some((value) => value === undefined || value === null)) return { kind: 'none' };
  return { kind: 'value', value: field.isList ? values : values[0] };
}

const sequences = ['autoincrement', 'sequence'];

/** Of functions that the database runs, those whose values the client can make as well are made by it. */
function functionDefault(field: DMMF.Field, { name, args }: DMMF.FieldDefault): FieldDefault {
  const by = makerOf(name, args);
  if (by) {
    const length = name === 'nanoid' ? args[0] : undefined;
    return { kind: 'made', by, ...(typeof length === 'number' ? { length } : {}) };
  }
  return { kind: name === 'now' && field.type === 'DateTime' ? 'now' : 'database' };
}

function makerOf(name: string, args: readonly (string | number)[]): Maker | undefined {
  switch (name) {
    case 'uuid':
      return args[0] === 7 ? 'uuid7' : 'uuid4';
    case 'cuid':
      return args[0] === 2 ? 'cuid2' : 'cuid';
    case 'nanoid':
    case 'ulid':
      return name;
    case 'dbgenerated':
      return /^\s*(gen_random_uuid|uuid_generate_v4)\(\)\s*$/.test(String(args[0])) ? 'uuid4' : undefined;
    default:
      return undefined;
  }
}

function absenceOf(field: DMMF.Field): FieldDefault {
  if (field.isList) return { kind: 'value', value: [] };
  return { kind: field.isRequired ? 'none' : 'null' };
}

function isFunction(given: DMMF.Field['default']): given is DMMF.FieldDefault {
  return typeof given === 'object' && !Array.isArray(given);
}

/** A literal of the schema as Prisma's client would give it; undefined when its exact value is not known. */
function clientValue(type: string, literal: DMMF.FieldDefaultScalar): unknown {
  switch (type) {
    case 'BigInt':
      return BigInt(literal);
    case 'Decimal':
      return exactDecimal(String(literal));
    case 'DateTime':
      return new Date(String(literal));
    case 'Json':
      return JSON.parse(String(literal));
    case 'Bytes':
      return new Uint8Array(Buffer.from(String(literal), 'base64'));
    default:
      return literal;
  }
}

/** Prisma hands a Decimal on as a number, which holds 15 digits: a longer one may have been rounded. */
function exactDecimal(text: string): string | undefined {
  const [mantissa = ''] = text.split('e');
  const digits = mantissa.replace(/\D/g, '').replace(/^0+|0+$/g, '');
  return digits.length > 15 ? undefined : text;
}

/** Prisma itself makes ids such as `uuid()`, and writes no default for them into the table. */
function hasDatabaseDefault(field: DMMF.Field): boolean {
  const given = field.default;
  if (given === undefined) return false;
  return !isFunction(given) || ['now', 'autoincrement', 'dbgenerated', 'sequence'].includes(given.name);
}

/** Prisma wants the foreign key of a one-to-one relation to be unique. */
function oneToOneOf(model: DMMF.Model): string[] {
  const unique = [
    ...model.fields.filter(({ isId, isUnique }) => isId || isUnique).map(({ name }) => [name]),
    ...model.uniqueFields,
    ...(model.primaryKey ? [model.primaryKey.fields] : []),
  ];
  const keys = new Set(unique.map((names) => [...names].sort().join()));
  const isOne = ({ relationFromFields = [] }: DMMF.Field): boolean =>
    keys.has([...relationFromFields].sort().join());
  return [...new Set(model.fields.filter(isOne).map(({ type }) => type))];
}

function parentsOf(model: DMMF.Model): string[] {
  const owned = model.fields.filter(({ relationFromFields }) => relationFromFields?.length);
  return [...new Set(owned.map(({ type }) => type))].filter((name) => name !== model.name);
}
