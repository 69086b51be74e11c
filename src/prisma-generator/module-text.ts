/** The text of the module that the generator writes: types and a description for each Prisma model. */

import type { DMMF } from '@prisma/generator-helper';
import type { Field, Model } from '../definitions/model.js';
import { constantNames, literal, propertyKey } from './literals.js';
import { factsOf } from './model-facts.js';

/** `runtime` is where the module imports forebay's types from. */
export function moduleText(datamodel: DMMF.Datamodel, runtime: string): string {
  const names = constantNames(datamodel.models.map(({ name }) => name));
  const parts = datamodel.models.map((source) => modelText(source, datamodel.enums, names));
  const body = parts.join('\n');
  return [header, imports(body, runtime), body].join('\n');
}

const header = `// Written by forebay's Prisma generator; do not edit. \`prisma generate\` writes it again.
// biome-ignore-all lint: generated
// biome-ignore-all format: generated
/* eslint-disable */
`;

/** The aliases begin with a $, which no name in a Prisma schema can hold. */
function imports(body: string, runtime: string): string {
  const types = ['Bytes', 'DbNull', 'Decimal', 'JsonNull', 'JsonValue'].filter((name) =>
    new RegExp(`\\$${name}\\b`).test(body),
  );
  const names = types.map((name) => `${name} as $${name}`).join(', ');
  return [
    ...(types.length > 0 ? [`import type { ${names} } from "@prisma/client/runtime/client";`] : []),
    `import type { Model as $Model } from ${JSON.stringify(runtime)};\n`,
  ].join('\n');
}

function modelText(
  source: DMMF.Model,
  enums: readonly DMMF.DatamodelEnum[],
  names: ReadonlyMap<string, string>,
): string {
  const facts = factsOf(source, enums);
  if ('unusable' in facts) return `// ${source.name} is left out: ${facts.unusable}.\n`;
  const { model } = facts;
  return [
    ...docComment(`A whole row of ${model.name}, as Prisma's client returns it.`, ''),
    ...rowText(source, model),
    ...docComment(`What a put of ${model.name} takes; fields with a default may be left out.`, ''),
    ...inputText(model),
    `export type ${model.name}Id = ${idType(model)};\n`,
    ...docComment(source.documentation, ''),
    ...constantText(model, names.get(model.name) ?? model.name),
  ].join('\n');
}

function rowText(source: DMMF.Model, model: Model): string[] {
  const docs = new Map(source.fields.map(({ name, documentation }) => [name, documentation]));
  const fields = Object.entries(model.fields).flatMap(([name, field]) => [
    ...docComment(docs.get(name), '  '),
    `  ${name}: ${valueType(field, rowTypes)};`,
  ]);
  return [`export interface ${model.name}Row {`, ...fields, '}\n'];
}

function inputText(model: Model): string[] {
  const fields = Object.entries(model.fields).flatMap(([name, field]) => {
    const type = inputType(field, model.id.includes(name));
    if (field.default.kind !== 'none') return [`  ${name}?: ${type} | undefined;`];
    return [...docComment(sequenceAdvice(field), '  '), `  ${name}: ${type};`];
  });
  return [`export interface ${model.name}Input {`, ...fields, '}\n'];
}

function sequenceAdvice({ default: made }: Field): string | undefined {
  if (made.kind !== 'none' || !made.isSequence) return undefined;
  return "The database's sequence makes it for Prisma's `create`; a write that waits can't know its number, and must give one.";
}

/** Prisma's JsonNull and DbNull tell which null a Json field means. */
function inputType(field: Field, isId: boolean): string {
  const type = valueType(field, isId ? rowTypes : inputTypes);
  if (field.type !== 'Json' || field.isList) return type;
  return `${type} | typeof $JsonNull${field.isNullable ? ' | typeof $DbNull' : ''}`;
}

type ScalarTypes = Readonly<Record<Exclude<Field['type'], 'Enum'>, string>>;

const rowTypes: ScalarTypes = {
  String: 'string',
  Boolean: 'boolean',
  Int: 'number',
  BigInt: 'bigint',
  Float: 'number',
  Decimal: '$Decimal',
  DateTime: 'Date',
  Json: '$JsonValue',
  Bytes: '$Bytes',
};

const inputTypes: ScalarTypes = {
  ...rowTypes,
  BigInt: 'bigint | number',
  Decimal: '$Decimal | number | string',
  Bytes: 'Uint8Array',
};

function valueType(field: Field, types: ScalarTypes): string {
  const scalar = field.type === 'Enum' ? enumType(field) : types[field.type];
  const type = field.isList ? (scalar.includes(' ') ? `(${scalar})[]` : `${scalar}[]`) : scalar;
  return field.isNullable ? `${type} | null` : type;
}

function enumType(field: Field): string {
  const names = Object.keys(field.enumValues ?? {});
  return names.map((name) => JSON.stringify(name)).join(' | ');
}

/** A scalar when the id is one field, else an object. */
function idType(model: Model): string {
  const types = model.id.map((name) => {
    const field = model.fields[name];
    return { name, type: field ? valueType(field, rowTypes) : 'never' };
  });
  const [only] = types;
  if (only && types.length === 1) return only.type;
  return `{ ${types.map(({ name, type }) => `${name}: ${type}`).join('; ')} }`;
}

function constantText(model: Model, name: string): string[] {
  const { fields, parents, onlyOneOf, ...head } = model;
  const types = `${model.name}Row, ${model.name}Input, ${model.name}Id, ${JSON.stringify(model.name)}`;
  return [
    `export const ${name}: $Model<${types}> = {`,
    ...Object.entries(head).map(([key, value]) => `  ${key}: ${literal(value)},`),
    '  fields: {',
    ...Object.entries(fields).map(([key, field]) => `    ${propertyKey(key)}: ${literal(field)},`),
    '  },',
    `  parents: ${literal(parents)},`,
    ...(onlyOneOf ? [`  onlyOneOf: ${literal(onlyOneOf)},`] : []),
    '};\n',
  ];
}

function docComment(text: string | undefined, indent: string): string[] {
  if (!text) return [];
  const lines = text.replaceAll('*/', '*\\/').split('\n');
  if (lines.length === 1) return [`${indent}/** ${lines[0]} */`];
  return [`${indent}/**`, ...lines.map((line) => `${indent} * ${line}`.trimEnd()), `${indent} */`];
}
